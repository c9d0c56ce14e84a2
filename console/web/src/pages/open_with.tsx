// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Opens a terminal with a profile that the device offers, and with a reason for the audit log.
import { useSignal } from '@preact/signals';
import type { Device } from '../api/generated';
import { t } from '../i18n';
import { openTerminal } from '../state/terminals';
import { Confirm } from '../ui/dialog';
import { Choice, Field } from '../ui/field';

const MAX_REASON_CHARACTERS = 1024;

export function OpenWith({ device, label, disabled }: { device: Device; label: string; disabled: boolean }) {
  const asking = useSignal(false);
  return (
    <>
      <button type="button" disabled={disabled} onClick={() => (asking.value = true)}>
        {t('openWith.button')}
      </button>
      {asking.value && <Question device={device} label={label} onClose={() => (asking.value = false)} />}
    </>
  );
}

function Question({ device, label, onClose }: { device: Device; label: string; onClose(): void }) {
  const profile = useSignal('');
  const reason = useSignal('');
  const usual = device.terminal?.defaultProfile;
  const unnamed = usual ? `${t('openWith.usual')} (${usual})` : t('openWith.usual');
  const profiles = (device.profiles ?? []).map((name) => [name, name] as const);
  return (
    <Confirm
      title={t('openWith.title', { device: label })}
      confirm={t('devices.open')}
      onClose={onClose}
      onConfirm={() => {
        onClose();
        openTerminal(device.name, label, { profile: profile.value, reason: reason.value.trim() });
      }}
    >
      <Choice
        label={t('openWith.profile')}
        value={profile.value}
        options={[['', unnamed], ...profiles]}
        onChange={(value) => (profile.value = value)}
      />
      <Field
        label={t('openWith.reason')}
        hint={t('openWith.reasonHint')}
        maxLength={MAX_REASON_CHARACTERS}
        value={reason.value}
        onInput={(event) => (reason.value = event.currentTarget.value)}
      />
    </Confirm>
  );
}
