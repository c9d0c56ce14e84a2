// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// The device list: search and filters on the server, live changes, only visible rows in the document,
// usable by keyboard alone.
import { batch, signal, useSignal } from '@preact/signals';
import { useEffect, useMemo, useRef } from 'preact/hooks';
import { methods, type Device } from '../api/generated';
import { formatNumber, formatTime, t } from '../i18n';
import { devicePath, go } from '../router';
import { api, follow, tellError } from '../state/app';
import { DeviceList, deviceFilter, tagsOf, type DeviceChoice } from '../state/device_list';
import { openTerminal } from '../state/terminals';
import { TagList } from '../ui/tags';
import { scrollToRow, visibleRows } from '../ui/virtual_rows';
import { DeviceFilters } from './device_filters';

const ROW_HEIGHT = 44;
// The first page is small, so that it is there soon.
const FIRST_PAGE = 100;
const NEXT_PAGE = 1000;
const SEARCH_PAUSE_MILLISECONDS = 200;
const REDRAW_MILLISECONDS = 100;
// Whose tags are suggested.
const SUGGESTING_ROWS = 1000;

// Outlives the page, so that coming back finds the same search.
const choice = signal<DeviceChoice>({ text: '', state: '', os: '', via: '', tags: '' });

// Display names need not be unique.
export function fullName(device: Device): string {
  return device.displayName ? `${device.displayName} (${device.unitId})` : device.unitId;
}

// Loads pages and follows changes of what `filter` selects.
function useDevices(filter: string) {
  const list = useMemo(() => new DeviceList(), [filter]);
  const version = useSignal(0);
  const stale = useSignal<string | undefined>('');
  const loading = useRef(false);

  useEffect(() => {
    const abort = new AbortController();
    loading.current = false;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const redraw = () => {
      timer ??= setTimeout(() => {
        timer = undefined;
        version.value++;
      }, REDRAW_MILLISECONDS);
    };
    load(list, filter, loading, abort.signal).then(() => version.value++, tellError);
    const stop = follow(methods.watchDevices, { filter }, {
      onStart() {
        list.onStreamStart();
        stale.value = undefined;
      },
      onMessage(event) {
        if (list.onEvent(event)) redraw();
      },
      onInterrupted: (reason) => (stale.value = reason || t('close.connectionLost')),
    });
    return () => {
      abort.abort();
      clearTimeout(timer);
      stop();
    };
  }, [list]);

  // Loads on until row `index` is there.
  const reach = async (index: number) => {
    try {
      while (!loading.current && !list.isComplete && list.hasBegun && index >= list.rows.length - 50) {
        await load(list, filter, loading);
        version.value++;
      }
    } catch (error) {
      tellError(error);
    }
  };
  void version.value;
  return { list, reach, stale: stale.value };
}

async function load(
  list: DeviceList,
  filter: string,
  loading: { current: boolean },
  signal?: AbortSignal,
): Promise<void> {
  loading.current = true;
  try {
    const pageSize = list.hasBegun ? NEXT_PAGE : FIRST_PAGE;
    const page = await api.call(methods.listDevices, { pageSize, filter, pageToken: list.pageToken }, signal);
    list.addPage(page.devices, page.nextPageToken);
  } catch (error) {
    if (!signal?.aborted) throw error;
  } finally {
    loading.current = false;
  }
}

export function DevicesPage() {
  const filter = useSignal(deviceFilter(choice.value));
  const { list, reach, stale } = useDevices(filter.value);
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
    search.current?.focus();
    const onKey = (event: KeyboardEvent) => {
      const typing = event.target instanceof HTMLElement && event.target.matches('input, select, textarea');
      if (event.key !== '/' || typing || event.ctrlKey || event.altKey || event.metaKey) return;
      event.preventDefault();
      search.current?.select();
      search.current?.focus();
    };
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
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
      <p class="hint" id="device-hint">
        {t('devices.searchHint')}
      </p>
      <p class="status" role="status">
        <span class={stale === undefined ? 'dot online' : 'dot offline'} aria-hidden="true" />
        {stale === undefined ? t('devices.live') : t('devices.stale', { reason: stale })}
        {list.hasBegun &&
          ` · ${t(list.countIsExact ? 'devices.count' : 'devices.countPartly', { count })}`}
      </p>
      <DeviceGrid key={filter.value} list={list} reach={reach} filtered={filter.value !== ''} />
    </main>
  );
}

interface GridProps {
  list: DeviceList;
  filtered: boolean;
  reach(index: number): Promise<void>;
}

function DeviceGrid({ list, reach, filtered }: GridProps) {
  const scroller = useRef<HTMLDivElement>(null);
  const scrollTop = useSignal(0);
  const height = useSignal(600);
  // The row of the keyboard, by name, so that it stays with its device.
  const current = useSignal<string | undefined>(undefined);
  const takeFocus = useRef(false);

  useEffect(() => {
    const element = scroller.current!;
    const observer = new ResizeObserver(() => (height.value = element.clientHeight));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);

  const { rows } = list;
  const seen = visibleRows(scrollTop.value, height.value, ROW_HEIGHT, list.count);
  useEffect(() => void reach(seen.end), [seen.end, list.rows.length]);
  const at = current.value === undefined ? 0 : Math.min(list.indexOf(current.value), rows.length - 1);

  useEffect(() => {
    if (!takeFocus.current) return;
    takeFocus.current = false;
    scroller.current?.querySelector<HTMLElement>(`[data-row="${at}"]`)?.focus({ preventScroll: true });
  });

  const moveTo = (index: number) => {
    const target = Math.max(0, Math.min(rows.length - 1, index));
    const device = rows[target];
    if (!device) return;
    const element = scroller.current!;
    takeFocus.current = true;
    batch(() => {
      current.value = device.name;
      // The header covers the first row's height.
      element.scrollTop = scrollToRow(target, element.scrollTop, element.clientHeight - ROW_HEIGHT, ROW_HEIGHT);
      scrollTop.value = element.scrollTop;
    });
  };

  const onKeyDown = (event: KeyboardEvent) => {
    const device = rows[at];
    const pageRows = Math.max(1, Math.floor(height.value / ROW_HEIGHT) - 2);
    const moves: Record<string, number> = {
      ArrowDown: at + 1,
      ArrowUp: at - 1,
      PageDown: at + pageRows,
      PageUp: at - pageRows,
      Home: 0,
      End: rows.length - 1,
    };
    const target = moves[event.key];
    // Buttons and links in a row have keys of their own.
    const onRow = (event.target as HTMLElement).dataset.row !== undefined;
    if (target !== undefined) moveTo(target);
    else if (event.key === 'Enter' && device && onRow) openTerminal(device.name, fullName(device));
    else if (event.key === ' ' && device && onRow) go(devicePath(device.name));
    else return;
    event.preventDefault();
  };

  if (list.isComplete && rows.length === 0) {
    return (
      <div class="empty">
        <p>{filtered ? t('devices.none') : t('devices.noneYet')}</p>
        {!filtered && (
          <a class="button" href="#/keys">
            {t('devices.toKeys')}
          </a>
        )}
      </div>
    );
  }
  const columns = ['state', 'name', 'unitId', 'os', 'via', 'tags', 'since'] as const;
  return (
    <div
      class="grid"
      role="grid"
      aria-label={t('devices.list')}
      aria-rowcount={list.countIsExact ? list.count + 1 : -1}
      ref={scroller}
      onScroll={(event) => (scrollTop.value = event.currentTarget.scrollTop)}
      onKeyDown={onKeyDown}
    >
      <div class="grid-row head" role="row" aria-rowindex={1}>
        {columns.map((name) => (
          <span role="columnheader" key={name}>
            {t(`devices.${name}`)}
          </span>
        ))}
        <span role="columnheader">{t('common.actions')}</span>
      </div>
      <div role="rowgroup" style={{ height: `${list.count * ROW_HEIGHT}px`, position: 'relative' }}>
        {Array.from({ length: Math.max(0, seen.end - seen.first) }, (_none, offset) => {
          const index = seen.first + offset;
          const device = rows[index];
          return device ? (
            <Row
              key={device.name}
              device={device}
              index={index}
              isCurrent={index === at}
              onFocus={() => (current.value = device.name)}
            />
          ) : (
            <Placeholder key={index} index={index} />
          );
        })}
      </div>
    </div>
  );
}

function Placeholder({ index }: { index: number }) {
  return (
    <div class="grid-row" role="row" aria-rowindex={index + 2} style={{ top: `${index * ROW_HEIGHT}px` }}>
      <span role="gridcell">…</span>
    </div>
  );
}

interface RowProps {
  device: Device;
  index: number;
  isCurrent: boolean;
  onFocus(): void;
}

function Row({ device, index, isCurrent, onFocus }: RowProps) {
  const online = device.connection?.state === 'ONLINE';
  const possible = online && device.terminal?.enabled !== false;
  return (
    <div
      class="grid-row"
      role="row"
      aria-rowindex={index + 2}
      data-row={index}
      data-device={device.unitId}
      tabIndex={isCurrent ? 0 : -1}
      style={{ top: `${index * ROW_HEIGHT}px` }}
      onFocus={onFocus}
      onDblClick={() => openTerminal(device.name, fullName(device))}
    >
      <span role="gridcell">
        <span class={online ? 'dot online' : 'dot offline'} aria-hidden="true" />
        {online ? t('devices.online') : t('devices.offline')}
      </span>
      <span role="gridcell">
        <a
          href={devicePath(device.name)}
          tabIndex={-1}
          aria-label={t('devices.detailsOf', { device: fullName(device) })}
        >
          {device.displayName || device.unitId}
        </a>
      </span>
      <span role="gridcell" class="mono">
        {device.unitId}
      </span>
      <span role="gridcell">{device.osGeneration.replace('OS_GENERATION_UNSPECIFIED', '–').replace('_', ' ')}</span>
      <span role="gridcell">{via(device)}</span>
      <span role="gridcell" title={device.tags.join(', ')}>
        <TagList tags={device.tags} />
      </span>
      <span role="gridcell">{formatTime(device.connection?.sinceTime)}</span>
      <span role="gridcell">
        <button
          type="button"
          tabIndex={-1}
          disabled={!possible}
          aria-label={t('devices.openOn', { device: fullName(device) })}
          onClick={() => openTerminal(device.name, fullName(device))}
        >
          {t('devices.open')}
        </button>
      </span>
    </div>
  );
}

export function via(device: Device): string {
  const { connection } = device;
  if (connection?.state !== 'ONLINE') return '–';
  return connection.via === 'ICG' ? connection.icg.replace('icgs/', 'ICG ') : t('devices.direct');
}
