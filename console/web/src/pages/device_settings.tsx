// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// The form of one device's display name and terminal settings. Fields that the person has not touched
// show what is in force, and are not sent.
import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { methods, type Device } from '../api/generated';
import { t } from '../i18n';
import { api, tell, tellError } from '../state/app';
import { changesOf, differing, valuesOf, type FormDraft, type FormValues } from '../state/terminal_form';
import { Check, Field, Limit } from '../ui/field';

const MAX_IDLE_MINUTES = 7 * 24 * 60;
const MAX_LIFETIME_MINUTES = 30 * 24 * 60;

async function send(name: string, draft: FormDraft): Promise<void> {
  const { terminalSettings, displayName } = changesOf(draft);
  if (terminalSettings) await api.call(methods.updateTerminalSettings, { name, terminalSettings });
  if (displayName !== undefined) {
    await api.call(methods.updateDevice, { device: { name, displayName } as Device });
  }
}

export function DeviceSettings({ device }: { device: Device }) {
  const draft = useSignal<FormDraft>({});
  // What was sent, until the device is told of again.
  const saved = useRef<FormDraft>({});
  const live = valuesOf(device);
  const values = { ...live, ...draft.value } as FormValues;
  const set = (changes: FormDraft) => (draft.value = { ...draft.value, ...changes });
  useEffect(() => {
    draft.value = differing(differing(draft.value, saved.current), live);
    saved.current = {};
  }, [device]);

  const save = async (event: Event) => {
    event.preventDefault();
    const changes = differing(draft.value, live);
    if (Object.keys(changes).length === 0) {
      tell(t('device.nothingChanged'));
      return;
    }
    try {
      await send(device.name, changes);
      saved.current = changes;
      tell(t('common.saved'));
    } catch (error) {
      tellError(error);
    }
  };
  return (
    <form class="card" onSubmit={save}>
      <h2>{t('device.settings')}</h2>
      <Check
        label={t('device.enabled')}
        checked={values.enabled}
        onChange={(event) => set({ enabled: event.currentTarget.checked })}
      />
      <Field
        label={t('device.displayName')}
        maxLength={128}
        value={values.displayName}
        onInput={(event) => set({ displayName: event.currentTarget.value })}
      />
      <Field
        label={t('device.defaultProfile')}
        value={values.defaultProfile}
        list="profiles"
        onInput={(event) => set({ defaultProfile: event.currentTarget.value })}
      />
      <datalist id="profiles">
        {device.profiles.map((name) => (
          <option key={name} value={name} />
        ))}
      </datalist>
      <Field
        label={t('device.maxSessions')}
        type="number"
        required
        min={1}
        max={100}
        value={values.maxSessions}
        onInput={(event) => set({ maxSessions: event.currentTarget.value })}
      />
      <Limit
        label={t('device.idle')}
        never={t('device.idleNever')}
        min={1}
        max={MAX_IDLE_MINUTES}
        step="any"
        value={values.idleMinutes}
        initial="30"
        onChange={(idleMinutes) => set({ idleMinutes })}
      />
      <Limit
        label={t('device.lifetime')}
        never={t('device.lifetimeNever')}
        min={1}
        max={MAX_LIFETIME_MINUTES}
        step="any"
        value={values.lifetimeMinutes}
        initial="480"
        onChange={(lifetimeMinutes) => set({ lifetimeMinutes })}
      />
      <button type="submit" class="primary">
        {t('common.save')}
      </button>
    </form>
  );
}
