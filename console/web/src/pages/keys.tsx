// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// First-authentication keys: create, copy the secret once, disable.
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { CA_PATH, caFingerprint } from '../api/ca_fingerprint';
import {
  methods,
  type FirstAuthenticationKey,
  type FirstAuthenticationKey_Type,
} from '../api/generated';
import { t, tEnum } from '../i18n';
import { api, copyText, tellError } from '../state/app';
import { keyState } from '../state/key_state';
import { Confirm, Dialog, DialogClose } from '../ui/dialog';
import { Choice, Field, Limit } from '../ui/field';
import { Table } from '../ui/table';
import { Time } from '../ui/time';
import type { QrCode } from '../ui/qr_code';
import { usePages, useRefresh } from '../ui/use_pages';

const DAY_MILLISECONDS = 86_400_000;
const DEFAULT_DAYS = '7';

export function KeysPage() {
  const pages = usePages<FirstAuthenticationKey>('', 100, async (request, signal) => {
    const page = await api.call(methods.listFirstAuthenticationKeys, request, signal);
    return { items: page.firstAuthenticationKeys, nextPageToken: page.nextPageToken };
  });
  useRefresh(pages);
  const creating = useSignal(false);
  const created = useSignal<FirstAuthenticationKey | undefined>(undefined);
  const disabling = useSignal<FirstAuthenticationKey | undefined>(undefined);

  const disable = async (key: FirstAuthenticationKey) => {
    try {
      await api.call(methods.disableFirstAuthenticationKey, { name: key.name });
      await pages.refresh();
      disabling.value = undefined;
    } catch (error) {
      tellError(error);
    }
  };
  return (
    <main id="content" class="page list">
      <div class="bar">
        <h1>{t('keys.title')}</h1>
        <button type="button" class="primary" onClick={() => (creating.value = true)}>
          {t('keys.create')}
        </button>
      </div>
      <p>{t('keys.intro')}</p>
      <Table
        label={t('keys.title')}
        columns={[t('keys.name'), t('keys.type'), t('keys.state'), t('keys.usedBy'), t('keys.expires'), t('common.actions')]}
        pages={pages}
        empty={t('keys.none')}
        row={(key) => (
          <tr key={key.name}>
            <td>{nameOf(key)}</td>
            <td>
              {tEnum('keys.type', key.type)}
              {key.unitIds.length > 0 && <span class="mono"> {key.unitIds.join(', ')}</span>}
            </td>
            <td>{t(`keys.${keyState(key, Date.now())}`)}</td>
            <td>
              {key.useCount} {key.usedByUnitIds.length > 0 && <span class="mono">({key.usedByUnitIds.join(', ')})</span>}
            </td>
            <td class="nowrap">
              <Time time={key.expireTime} none={t('common.never')} />
            </td>
            <td>
              {keyState(key, Date.now()) === 'valid' && (
                <button
                  type="button"
                  aria-label={t('keys.disableOf', { key: nameOf(key) })}
                  onClick={() => (disabling.value = key)}
                >
                  {t('keys.disable')}
                </button>
              )}
            </td>
          </tr>
        )}
      />
      {creating.value && (
        <Create
          onClose={() => (creating.value = false)}
          onCreated={(key) => {
            creating.value = false;
            created.value = key;
            void pages.refresh();
          }}
        />
      )}
      {disabling.value && (
        <Confirm
          title={t('keys.disableTitle', { key: nameOf(disabling.value) })}
          confirm={t('keys.disable')}
          danger
          onClose={() => (disabling.value = undefined)}
          onConfirm={() => disable(disabling.value!)}
        >
          <p>{t('keys.disableText')}</p>
        </Confirm>
      )}
      {created.value && <Secret keyMade={created.value} onClose={() => (created.value = undefined)} />}
    </main>
  );
}

function nameOf(key: FirstAuthenticationKey): string {
  return key.displayName || key.name.replace('firstAuthenticationKeys/', '');
}

interface CreateProps {
  onClose(): void;
  onCreated(key: FirstAuthenticationKey): void;
}

function Create({ onClose, onCreated }: CreateProps) {
  const type = useSignal<FirstAuthenticationKey_Type>('ONE_TIME');
  const name = useSignal('');
  const unitIds = useSignal('');
  const days = useSignal<string | undefined>(DEFAULT_DAYS);
  const create = async () => {
    const key: Partial<FirstAuthenticationKey> = { type: type.value, displayName: name.value };
    if (type.value === 'ONE_TIME_BOUND') key.unitIds = unitIds.value.split(/[\s,]+/).filter(Boolean);
    if (days.value !== undefined) {
      key.expireTime = new Date(Date.now() + Number(days.value) * DAY_MILLISECONDS).toISOString();
    }
    try {
      const request = { firstAuthenticationKey: key as FirstAuthenticationKey };
      onCreated(await api.call(methods.createFirstAuthenticationKey, request));
    } catch (error) {
      tellError(error);
    }
  };
  return (
    <Confirm title={t('keys.create')} confirm={t('keys.create')} onClose={onClose} onConfirm={create}>
      <Field
        label={t('keys.nameOptional')}
        maxLength={128}
        value={name.value}
        onInput={(event) => (name.value = event.currentTarget.value)}
      />
      <Choice
        label={t('keys.type')}
        value={type.value}
        options={(['ONE_TIME', 'ONE_TIME_BOUND', 'MASS_DEPLOYMENT'] as const).map((value) => [
          value,
          t(`keys.type.${value}`),
        ])}
        onChange={(value) => (type.value = value)}
      />
      {type.value === 'ONE_TIME_BOUND' && (
        <div class="field">
          <label for="unit-ids">{t('keys.unitIds')}</label>
          <textarea
            id="unit-ids"
            rows={4}
            required
            spellcheck={false}
            value={unitIds.value}
            onInput={(event) => (unitIds.value = event.currentTarget.value)}
          />
        </div>
      )}
      <Limit
        label={t('keys.expiresIn')}
        never={t('keys.expiresNever')}
        min={1}
        max={3650}
        value={days.value}
        initial={DEFAULT_DAYS}
        onChange={(value) => (days.value = value)}
      />
    </Confirm>
  );
}

// What a device's administrator types, whole.
function enrolCommand(secret: string, fingerprint: string | undefined): string {
  const trust = fingerprint ? `--server_fingerprint=${fingerprint}` : '--ca_file=CA_FILE';
  const agent = [`agent --server=${location.host}`, trust, '--state_dir=/var/lib/fairlead'];
  return `FAIRLEAD_FIRST_AUTHENTICATION_KEY=${secret} \\\n  ${agent.join(' \\\n  ')}`;
}

function Secret({ keyMade, onClose }: { keyMade: FirstAuthenticationKey; onClose(): void }) {
  const secret = keyMade.key ?? '';
  const fingerprint = useSignal<string | undefined>(undefined);
  const kept = useSignal(false);
  const copy = async (text: string) => {
    if (await copyText(text)) kept.value = true;
  };
  const code = useSignal<typeof QrCode | undefined>(undefined);
  useEffect(() => {
    fetch(CA_PATH)
      .then((response) => response.text())
      .then(caFingerprint)
      .then((value) => (fingerprint.value = value))
      // Then the person names the file.
      .catch(() => {});
    import('../ui/qr_code').then((module) => (code.value = module.QrCode), tellError);
  }, []);
  const command = enrolCommand(secret, fingerprint.value);
  const Code = code.value;
  return (
    <Dialog title={t('keys.secretTitle')} keep={kept.value ? undefined : t('keys.secretKeep')} onClose={onClose}>
      <p>{t('keys.secretText')}</p>
      <div class="with-button">
        <p class="mono secret" data-secret>
          {secret}
        </p>
        <button type="button" aria-label={t('keys.copySecret')} onClick={() => void copy(secret)}>
          {t('common.copy')}
        </button>
      </div>
      <p>{t('keys.command')}</p>
      <div class="with-button">
        <pre class="preview command" tabIndex={0} aria-label={t('keys.command')} data-command>
          {command}
        </pre>
        <button type="button" aria-label={t('keys.copyCommand')} onClick={() => void copy(command)}>
          {t('common.copy')}
        </button>
      </div>
      {Code && <Code text={command.replaceAll(' \\\n  ', ' ')} label={t('keys.qr')} />}
      <div class="buttons">
        <DialogClose primary />
      </div>
    </Dialog>
  );
}
