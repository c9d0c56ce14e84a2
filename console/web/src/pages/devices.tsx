// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// The device list: search and filters on the server, live changes.
import { useSignal } from '@preact/signals';
import { useEffect, useMemo, useRef } from 'preact/hooks';
import { methods } from '../api/generated';
import { formatNumber, t } from '../i18n';
import { route } from '../router';
import { api, follow } from '../state/app';
import { choice, choiceIn, deviceFilter, devicesPath, type DeviceChoice } from '../state/device_choice';
import { DeviceList, tagsOf } from '../state/device_list';
import { DeviceLoader } from '../state/device_loader';
import { Failure } from '../ui/table';
import { DeviceFilters } from './device_filters';
import { DeviceGrid, isPlaceKept } from './device_grid';

const SEARCH_PAUSE_MILLISECONDS = 200;
const REDRAW_MILLISECONDS = 100;
// Whose tags are suggested.
const SUGGESTING_ROWS = 1000;

// Follows changes of what `filter` selects, and loads pages.
function useDevices(filter: string) {
  const version = useSignal(0);
  const stale = useSignal<string | undefined>('');
  const { list, loader } = useMemo(() => {
    const list = new DeviceList();
    const loader = new DeviceLoader(list, filter, {
      listDevices: (request, signal) => api.call(methods.listDevices, request, signal),
      onChange: () => version.value++,
      setTimer: (milliseconds, action) => setTimeout(action, milliseconds),
      clearTimer: (timer) => clearTimeout(timer as ReturnType<typeof setTimeout>),
      random: () => Math.random(),
    });
    return { list, loader };
  }, [filter]);

  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const redraw = () => {
      timer ??= setTimeout(() => {
        timer = undefined;
        version.value++;
      }, REDRAW_MILLISECONDS);
    };
    loader.start();
    const stop = follow(methods.watchDevices, { filter, changesOnly: true }, {
      onMessage(event) {
        if (event.type === 'SNAPSHOT_COMPLETE') stale.value = undefined;
        if (loader.onEvent(event)) redraw();
      },
      onInterrupted(reason) {
        stale.value = reason || t('close.connectionLost');
        loader.onInterrupted();
      },
    });
    return () => {
      loader.stop();
      clearTimeout(timer);
      stop();
    };
  }, [loader]);

  void version.value;
  return { list, loader, stale: stale.value };
}

export function DevicesPage() {
  const filter = useSignal('');
  // Before the first drawing: the address may choose.
  useMemo(() => {
    choice.value = choiceIn(location.hash) ?? choice.value;
    filter.value = deviceFilter(choice.value);
  }, [route.value]);
  const { list, loader, stale } = useDevices(filter.value);
  const search = useRef<HTMLInputElement>(null);
  const timer = useRef<ReturnType<typeof setTimeout>>();

  const set = (changes: Partial<DeviceChoice>) => {
    choice.value = { ...choice.value, ...changes };
    clearTimeout(timer.current);
    timer.current = setTimeout(
      () => (filter.value = deviceFilter(choice.value)),
      'text' in changes || 'tags' in changes ? SEARCH_PAUSE_MILLISECONDS : 0,
    );
  };
  useEffect(() => {
    if (route.value.page === 'devices') history.replaceState(history.state, '', devicesPath(choice.value));
  }, [filter.value, route.value]);

  useEffect(() => {
    if (!isPlaceKept(filter.value)) search.current?.focus();
    const onKey = (event: KeyboardEvent) => {
      const typing = event.target instanceof HTMLElement && event.target.matches('input, select, textarea');
      if (event.key !== '/' || typing || event.ctrlKey || event.altKey || event.metaKey) return;
      event.preventDefault();
      search.current?.select();
      search.current?.focus();
    };
    addEventListener('keydown', onKey);
    return () => {
      removeEventListener('keydown', onKey);
      clearTimeout(timer.current);
    };
  }, []);

  const count = formatNumber(list.count);
  return (
    <main id="content" class="page fill">
      <div class="bar">
        <h1>{t('nav.devices')}</h1>
        <div class="field grow">
          <label for="device-search">{t('devices.search')}</label>
          <input
            id="device-search"
            ref={search}
            type="search"
            spellcheck={false}
            autocomplete="off"
            aria-describedby="device-hint"
            value={choice.value.text}
            onInput={(event) => set({ text: event.currentTarget.value })}
            onKeyDown={(event) => {
              if (event.key === 'ArrowDown' || event.key === 'Enter') {
                event.preventDefault();
                document.querySelector<HTMLElement>('[data-row][tabindex="0"]')?.focus();
              }
            }}
          />
        </div>
        <DeviceFilters chosen={choice.value} set={set} known={tagsOf(list.rows.slice(0, SUGGESTING_ROWS))} />
      </div>
      <p class="hint keys" id="device-hint">
        {t('devices.searchHint')}
      </p>
      <p class="status" role="status">
        <span class={stale === undefined ? 'dot online' : 'dot offline'} aria-hidden="true" />
        {stale === undefined ? t('devices.live') : t('devices.stale', { reason: stale })}
        {list.hasBegun &&
          ` · ${t(list.countIsExact ? 'devices.count' : 'devices.countPartly', { count })}`}
      </p>
      {loader.error !== undefined && <Failure error={loader.error} onRetry={() => void loader.retry()} />}
      {list.hasBegun ? (
        <DeviceGrid key={filter.value} list={list} filter={filter.value} reach={(index) => loader.reach(index)} />
      ) : (
        loader.error === undefined && <p role="status">{t('common.loading')}</p>
      )}
    </main>
  );
}
