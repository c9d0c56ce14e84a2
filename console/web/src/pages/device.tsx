// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// One device: whether a terminal is possible and why, facts, terminal settings, recent sessions.
import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { ApiError, NOT_FOUND } from '../api/client';
import { methods, type Device, type TerminalSettings } from '../api/generated';
import { formatTime, t } from '../i18n';
import { api, follow, tell, tellError } from '../state/app';
import { splitTags } from '../state/device_list';
import { openTerminal } from '../state/terminals';
import { Check, Field } from '../ui/field';
import { TagList } from '../ui/tags';
import { fullName, via } from './devices';
import { OpenWith } from './open_with';
import { SessionTable, useSessions } from './sessions';

// Undefined until it is known.
function useDevice(name: string): Device | 'gone' | undefined {
  const device = useSignal<Device | 'gone' | undefined>(undefined);
  useEffect(() => {
    device.value = undefined;
    api.call(methods.getDevice, { name }).then(
      (found) => (device.value ??= found),
      (error) => {
        if (error instanceof ApiError && error.code === NOT_FOUND) device.value ??= 'gone';
        else tellError(error);
      },
    );
    let told = false;
    // The filter finds the unit ID in other names too.
    return follow(methods.watchDevices, { filter: name.replace('devices/', '') }, {
      onStart() {
        told = false;
      },
      onMessage(event) {
        // It may have been deleted before the watch began.
        if (event.type === 'SNAPSHOT_COMPLETE' && !told) device.value = 'gone';
        if (event.device?.name !== name) return;
        told = true;
        device.value = event.type === 'DELETED' ? 'gone' : event.device;
      },
    });
  }, [name]);
  return device.value;
}

export function DevicePage({ name }: { name: string }) {
  const device = useDevice(name);
  const unitId = name.replace('devices/', '');
  return (
    <main id="content" class="page">
      <p>
        <a href="#/devices">← {t('device.back')}</a>
      </p>
      {device === 'gone' ? (
        <>
          <h1>{unitId}</h1>
          <p class="banner" role="status">
            {t('device.gone')}
          </p>
          <h2>{t('device.recent')}</h2>
          <Recent name={name} />
        </>
      ) : device ? (
        <>
          <div class="bar">
            <h1>{device.displayName || unitId}</h1>
            <button
              type="button"
              class="primary"
              disabled={!canOpen(device)}
              onClick={() => openTerminal(device.name, fullName(device))}
            >
              {t('devices.open')}
            </button>
            <OpenWith device={device} label={fullName(device)} disabled={!canOpen(device)} />
          </div>
          <p class={canOpen(device) ? 'banner good' : 'banner'} role="status">
            {whyOrWhyNot(device)}
          </p>
          <div class="columns">
            <div>
              <Facts device={device} />
              <Tags key={device.name} device={device} />
            </div>
            <SettingsForm key={device.name} device={device} />
          </div>
          <h2>{t('device.recent')}</h2>
          <Recent name={name} />
        </>
      ) : (
        <p role="status">{t('common.loading')}</p>
      )}
    </main>
  );
}

function canOpen(device: Device): boolean {
  return device.connection?.state === 'ONLINE' && device.terminal?.enabled !== false;
}

export function whyOrWhyNot(device: Device): string {
  if (device.terminal?.enabled === false) return t('device.disabled');
  if (device.connection?.state === 'ONLINE') return t('device.canOpen');
  const error = device.connection?.lastError;
  const more = error ? ` ${t('device.lastError', { error })}` : '';
  if (!device.connection?.sinceTime) return t('device.neverSeen') + more;
  return t('device.offline', { time: formatTime(device.connection.sinceTime) }) + more;
}

function Facts({ device }: { device: Device }) {
  const facts: [string, string][] = [
    [t('devices.unitId'), device.unitId],
    [t('devices.os'), device.osGeneration.replace('OS_GENERATION_UNSPECIFIED', '–').replace('_', ' ')],
    [t('devices.via'), via(device)],
    [t('devices.since'), formatTime(device.connection?.sinceTime)],
    [t('device.lastSeen'), formatTime(device.lastSeenTime)],
    [t('device.created'), formatTime(device.createTime)],
    [t('device.certificate'), formatTime(device.certificateExpireTime)],
    [t('device.agent'), device.agentVersion || '–'],
    [t('device.address'), device.address || '–'],
    [t('device.profiles'), device.profiles.join(', ') || '–'],
  ];
  return (
    <section class="card">
      <h2>{t('device.facts')}</h2>
      <dl>
        {facts.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

function Tags({ device }: { device: Device }) {
  const typed = useSignal('');
  const field = useRef<HTMLFormElement>(null);
  const changeTags = async (add: string[], remove: string[]) => {
    try {
      await api.call(methods.changeDeviceTags, { name: device.name, add, remove });
      if (add.length > 0) typed.value = '';
    } catch (error) {
      tellError(error);
    }
  };
  const onSubmit = (event: Event) => {
    event.preventDefault();
    const add = splitTags(typed.value);
    if (add.length > 0) void changeTags(add, []);
  };
  const onRemove = (tag: string) => {
    // The button that was pressed goes with its tag.
    field.current?.querySelector('input')?.focus();
    void changeTags([], [tag]);
  };
  return (
    <section class="card below">
      <h2>{t('devices.tags')}</h2>
      {device.tags.length > 0 && <TagList tags={device.tags} onRemove={onRemove} />}
      <form class="with-button" ref={field} onSubmit={onSubmit}>
        <Field
          label={t('device.addTags')}
          hint={t('device.tagsHint')}
          spellcheck={false}
          autocomplete="off"
          value={typed.value}
          onInput={(event) => (typed.value = event.currentTarget.value)}
        />
        <button type="submit" class="beside-field" disabled={splitTags(typed.value).length === 0}>
          {t('device.add')}
        </button>
      </form>
    </section>
  );
}

// "90s" as minutes.
function minutes(duration: string | undefined): string {
  return String(Math.round(parseFloat(duration ?? '0') / 60));
}

function SettingsForm({ device }: { device: Device }) {
  const terminal = device.terminal ?? {};
  const enabled = useSignal(terminal.enabled ?? true);
  const maxSessions = useSignal(String(terminal.maxSessions ?? 16));
  const profile = useSignal(terminal.defaultProfile ?? '');
  const idle = useSignal(minutes(terminal.idleTimeout));
  const lifetime = useSignal(minutes(terminal.maxLifetime));
  const displayName = useSignal(device.displayName ?? '');

  const save = async (event: Event) => {
    event.preventDefault();
    const terminalSettings: TerminalSettings = {
      enabled: enabled.value,
      maxSessions: Number(maxSessions.value),
      defaultProfile: profile.value,
      idleTimeout: `${Number(idle.value) * 60}s`,
      maxLifetime: `${Number(lifetime.value) * 60}s`,
    };
    try {
      await api.call(methods.updateTerminalSettings, { name: device.name, terminalSettings });
      if (displayName.value !== (device.displayName ?? '')) {
        const changed = { name: device.name, displayName: displayName.value } as Device;
        await api.call(methods.updateDevice, { device: changed });
      }
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
        checked={enabled.value}
        onChange={(event) => (enabled.value = event.currentTarget.checked)}
      />
      <Field
        label={t('device.displayName')}
        maxLength={128}
        value={displayName.value}
        onInput={(event) => (displayName.value = event.currentTarget.value)}
      />
      <Field
        label={t('device.defaultProfile')}
        value={profile.value}
        list="profiles"
        onInput={(event) => (profile.value = event.currentTarget.value)}
      />
      <datalist id="profiles">
        {device.profiles.map((name) => (
          <option key={name} value={name} />
        ))}
      </datalist>
      <Field
        label={t('device.maxSessions')}
        type="number"
        min={1}
        max={100}
        value={maxSessions.value}
        onInput={(event) => (maxSessions.value = event.currentTarget.value)}
      />
      <Field
        label={t('device.idle')}
        type="number"
        min={0}
        max={10080}
        value={idle.value}
        onInput={(event) => (idle.value = event.currentTarget.value)}
      />
      <Field
        label={t('device.lifetime')}
        type="number"
        min={0}
        max={43200}
        value={lifetime.value}
        onInput={(event) => (lifetime.value = event.currentTarget.value)}
      />
      <button type="submit" class="primary">
        {t('common.save')}
      </button>
    </form>
  );
}

function Recent({ name }: { name: string }) {
  const sessions = useSessions(`device=${name}`, 10);
  const items = sessions.items?.map((item) => sessions.changed.get(item.name) ?? item);
  return <SessionTable pages={{ ...sessions, items }} empty={t('device.noSessions')} />;
}
