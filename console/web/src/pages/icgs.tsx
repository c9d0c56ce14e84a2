// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// ICGs: the state of their links, registering one, its bundle.
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { methods, type Icg, type RegisterIcgResponse } from '../api/generated';
import { formatNumber, formatTime, t, tEnum } from '../i18n';
import { api, download, tellError } from '../state/app';
import { Confirm, Dialog } from '../ui/dialog';
import { Field } from '../ui/field';
import { Table } from '../ui/table';
import { usePages } from '../ui/use_pages';

// There is no stream of ICGs.
const REFRESH_MILLISECONDS = 5_000;

export function IcgsPage() {
  const pages = usePages<Icg>('', async (pageToken) => {
    const page = await api.call(methods.listIcgs, { pageToken, pageSize: 1000 });
    return { items: page.icgs, nextPageToken: page.nextPageToken };
  });
  const registering = useSignal(false);
  const registered = useSignal<RegisterIcgResponse | undefined>(undefined);
  useEffect(() => {
    const timer = setInterval(() => {
      if (!document.hidden) void pages.reload();
    }, REFRESH_MILLISECONDS);
    return () => clearInterval(timer);
  }, []);

  return (
    <main id="content" class="page">
      <div class="bar">
        <h1>{t('icgs.title')}</h1>
        <button type="button" class="primary" onClick={() => (registering.value = true)}>
          {t('icgs.register')}
        </button>
      </div>
      <p>{t('icgs.intro')}</p>
      <Table
        label={t('icgs.title')}
        columns={[
          t('keys.name'),
          t('icgs.state'),
          t('icgs.since'),
          t('icgs.devices'),
          t('icgs.internal'),
          t('icgs.external'),
          t('icgs.certificate'),
          t('icgs.lastError'),
        ]}
        pages={pages}
        empty={t('icgs.none')}
        row={(icg) => (
          <tr key={icg.name}>
            <td>{icg.name.replace('icgs/', '')}</td>
            <td class="nowrap">
              <span class={icg.state === 'CONNECTED' ? 'dot online' : 'dot offline'} aria-hidden="true" />
              {tEnum('icgs', icg.state)}
            </td>
            <td class="nowrap">{formatTime(icg.sinceTime)}</td>
            <td>{formatNumber(icg.connectedDevices)}</td>
            <td class="mono break">{icg.internalAddress}</td>
            <td class="mono break">{icg.externalAddress}</td>
            <td>{formatTime(icg.certificateExpireTime)}</td>
            <td>{icg.lastError}</td>
          </tr>
        )}
      />
      {registering.value && (
        <Register
          onClose={() => (registering.value = false)}
          onRegistered={(response) => {
            registering.value = false;
            registered.value = response;
            void pages.reload();
          }}
        />
      )}
      {registered.value && <Bundle response={registered.value} onClose={() => (registered.value = undefined)} />}
    </main>
  );
}

interface RegisterProps {
  onClose(): void;
  onRegistered(response: RegisterIcgResponse): void;
}

function Register({ onClose, onRegistered }: RegisterProps) {
  const name = useSignal('');
  const internal = useSignal('');
  const external = useSignal('');
  const register = async () => {
    const icg = {
      name: `icgs/${name.value}`,
      internalAddress: internal.value,
      externalAddress: external.value,
    } as Icg;
    try {
      onRegistered(await api.call(methods.registerIcg, { icg }));
    } catch (error) {
      tellError(error);
    }
  };
  return (
    <Confirm title={t('icgs.register')} confirm={t('icgs.register')} onClose={onClose} onConfirm={register}>
      <Field
        label={t('icgs.name')}
        required
        pattern="[a-z0-9\-]{1,64}"
        value={name.value}
        onInput={(event) => (name.value = event.currentTarget.value)}
      />
      <Field
        label={t('icgs.internal')}
        required
        placeholder="grpcs://icg.internal:8443"
        value={internal.value}
        onInput={(event) => (internal.value = event.currentTarget.value)}
      />
      <Field
        label={t('icgs.external')}
        required
        placeholder="icg.example:8443"
        value={external.value}
        onInput={(event) => (external.value = event.currentTarget.value)}
      />
    </Confirm>
  );
}

function Bundle({ response, onClose }: { response: RegisterIcgResponse; onClose(): void }) {
  const file = `icg-${response.icg?.name.replace('icgs/', '') ?? ''}.json`;
  return (
    <Dialog title={t('icgs.bundleTitle')} onClose={onClose}>
      <p>{t('icgs.bundleText', { file })}</p>
      <div class="buttons">
        <button
          type="button"
          class="primary"
          onClick={() => download(file, JSON.stringify(response, undefined, 1), 'application/json')}
        >
          {t('common.download')}
        </button>
        <button type="button" onClick={onClose}>
          {t('common.close')}
        </button>
      </div>
    </Dialog>
  );
}
