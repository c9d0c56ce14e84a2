// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// ICGs: the state of their links, registering one, its bundle.
import { useSignal } from '@preact/signals';
import { methods, type Icg, type RegisterIcgResponse } from '../api/generated';
import { formatNumber, t, tEnum } from '../i18n';
import { api, download, tellError } from '../state/app';
import { Confirm, Dialog, DialogClose } from '../ui/dialog';
import { Field } from '../ui/field';
import { Table } from '../ui/table';
import { Time } from '../ui/time';
import { usePages, useRefresh } from '../ui/use_pages';

export function IcgsPage() {
  const pages = usePages<Icg>('', 1000, async (request, signal) => {
    const page = await api.call(methods.listIcgs, request, signal);
    return { items: page.icgs, nextPageToken: page.nextPageToken };
  });
  const registering = useSignal(false);
  const registered = useSignal<RegisterIcgResponse | undefined>(undefined);
  useRefresh(pages);

  return (
    <main id="content" class="page list">
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
            <td class="nowrap">
              <Time time={icg.sinceTime} />
            </td>
            <td>{formatNumber(icg.connectedDevices)}</td>
            <td class="mono break">{icg.internalAddress}</td>
            <td class="mono break">{icg.externalAddress}</td>
            <td class="nowrap">
              <Time time={icg.certificateExpireTime} />
            </td>
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
            void pages.refresh();
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
  const kept = useSignal(false);
  const save = () => {
    download(file, JSON.stringify(response, undefined, 1), 'application/json');
    kept.value = true;
  };
  const keep = kept.value ? undefined : t('icgs.bundleKeep');
  return (
    <Dialog title={t('icgs.bundleTitle')} keep={keep} onClose={onClose}>
      <p>{t('icgs.bundleText', { file })}</p>
      <div class="buttons">
        <button type="button" class="primary" onClick={save}>
          {t('common.download')}
        </button>
        <DialogClose />
      </div>
    </Dialog>
  );
}
