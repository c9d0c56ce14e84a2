// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// One device: whether a terminal is possible and why, facts, terminal settings, recent sessions.
import { useSignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { ApiError, NOT_FOUND } from '../api/client';
import { methods, type Device } from '../api/generated';
import { formatTime, t } from '../i18n';
import { api, follow, pageTitle, tellError } from '../state/app';
import { choice, devicesPath, splitTags } from '../state/device_choice';
import { sentence } from '../state/sentence';
import { openTerminal } from '../state/terminals';
import { Field } from '../ui/field';
import { Failure } from '../ui/table';
import { TagList } from '../ui/tags';
import { Time } from '../ui/time';
import { fullName, osOf, via } from './device_grid';
import { DeviceSettings } from './device_settings';
import { OpenWith } from './open_with';
import { SessionTable, useSessions } from './sessions';

interface KnownDevice {
  // Undefined until it is known.
  device: Device | 'gone' | undefined;
  // Why it is not known, if it could not be asked for.
  error: unknown;
  retry(): void;
}

function useDevice(name: string): KnownDevice {
  const device = useSignal<Device | 'gone' | undefined>(undefined);
  const error = useSignal<unknown>(undefined);
  const get = () =>
    api.call(methods.getDevice, { name }).then(
      (found) => {
        device.value ??= found;
        error.value = undefined;
      },
      (failure) => {
        if (failure instanceof ApiError && failure.code === NOT_FOUND) device.value ??= 'gone';
        else error.value = failure;
      },
    );
  useEffect(() => {
    device.value = undefined;
    error.value = undefined;
    void get();
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
  return { device: device.value, error: error.value, retry: () => void get() };
}

export function DevicePage({ name }: { name: string }) {
  const { device, error, retry } = useDevice(name);
  const unitId = name.replace('devices/', '');
  const known = device === 'gone' ? undefined : device;
  const title = known?.displayName || unitId;
  useEffect(() => {
    pageTitle.value = title;
    return () => (pageTitle.value = '');
  }, [title]);
  return (
    <main id="content" class="page">
      <p>
        <a href={devicesPath(choice.value)}>← {t('device.back')}</a>
      </p>
      <div class="bar">
        <h1>{title}</h1>
        {known && (
          <button
            type="button"
            class="primary"
            disabled={!canOpen(known)}
            onClick={() => openTerminal(known.name, fullName(known))}
          >
            {t('devices.open')}
          </button>
        )}
        {known && <OpenWith device={known} label={fullName(known)} disabled={!canOpen(known)} />}
      </div>
      {device === 'gone' ? (
        <>
          <p class="banner" role="status">
            {t('device.gone')}
          </p>
          <h2>{t('device.recent')}</h2>
          <Recent name={name} />
        </>
      ) : device ? (
        <>
          <p class={canOpen(device) ? 'banner good' : 'banner'} role="status">
            {whyOrWhyNot(device)}
          </p>
          <div class="columns">
            <div>
              <Facts device={device} />
              <Tags key={device.name} device={device} />
            </div>
            <DeviceSettings key={device.name} device={device} />
          </div>
          <h2>{t('device.recent')}</h2>
          <Recent name={name} />
        </>
      ) : error !== undefined ? (
        <Failure error={error} onRetry={retry} />
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
  const more = error ? ` ${t('device.lastError', { error: sentence(error) })}` : '';
  if (!device.connection?.sinceTime) return t('device.neverSeen') + more;
  return t('device.offline', { time: formatTime(device.connection.sinceTime) }) + more;
}

function Facts({ device }: { device: Device }) {
  const facts: [string, ComponentChildren][] = [
    [t('devices.unitId'), device.unitId],
    [t('devices.os'), osOf(device)],
    [t('devices.via'), via(device)],
    [t('devices.since'), <Time full time={device.connection?.sinceTime} />],
    [t('device.lastSeen'), <Time full time={device.lastSeenTime} none={t('common.never')} />],
    [t('device.created'), <Time full time={device.createTime} />],
    [t('device.certificate'), <Time full time={device.certificateExpireTime} />],
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

function Recent({ name }: { name: string }) {
  return <SessionTable pages={useSessions(`device=${name}`, 10)} empty={t('device.noSessions')} />;
}
