// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// The rows of the device list: only visible ones are in the document; usable by keyboard alone.
import { batch, useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import type { Device } from '../api/generated';
import { t } from '../i18n';
import { devicePath, go } from '../router';
import type { DeviceList } from '../state/device_list';
import { openTerminal } from '../state/terminals';
import { TagList } from '../ui/tags';
import { Time } from '../ui/time';
import { useMedia } from '../ui/use_media';
import { scrollToRow, visibleRows } from '../ui/virtual_rows';

// As in the style sheet.
const NARROW = '(max-width: 700px)';
const ROW_HEIGHT = 44;
const NARROW_ROW_HEIGHT = 64;

// A row to which the keyboard goes, loaded or not. Known by its name if it has been seen.
interface Goal {
  index: number;
  name?: string;
}

// Where the person was when the list was left.
let place: (Goal & { filter: string }) | undefined;

export function isPlaceKept(filter: string): boolean {
  return place?.filter === filter;
}

// Display names need not be unique.
export function fullName(device: Device): string {
  return device.displayName ? `${device.displayName} (${device.unitId})` : device.unitId;
}

export function via(device: Device): string {
  const { connection } = device;
  if (connection?.state !== 'ONLINE') return '–';
  return connection.via === 'ICG' ? connection.icg.replace('icgs/', 'ICG ') : t('devices.direct');
}

export function osOf(device: Device): string {
  return device.osGeneration.replace('OS_GENERATION_UNSPECIFIED', '–').replace('_', ' ');
}

interface GridProps {
  list: DeviceList;
  filter: string;
  reach(index: number): Promise<void>;
}

export function DeviceGrid({ list, filter, reach }: GridProps) {
  const { rows } = list;
  const kept = isPlaceKept(filter) ? place : undefined;
  const rowHeight = useMedia(NARROW) ? NARROW_ROW_HEIGHT : ROW_HEIGHT;
  const headHeight = rowHeight === ROW_HEIGHT ? ROW_HEIGHT : 0;
  const scroller = useRef<HTMLDivElement>(null);
  const scrollTop = useSignal(0);
  const height = useSignal(600);
  // The row of the keyboard, by name, so that it stays with its device.
  const current = useSignal<string | undefined>(undefined);
  const goal = useSignal<Goal | undefined>(kept);
  // Whether the focus belongs to that row: drawing takes it away where it replaces or moves the row.
  const holdsFocus = useRef(kept !== undefined);

  useEffect(() => {
    const element = scroller.current;
    if (!element) return;
    const observer = new ResizeObserver(() => (height.value = element.clientHeight));
    observer.observe(element);
    const onPointer = (event: Event) => {
      if (!element.contains(event.target as Node)) holdsFocus.current = false;
    };
    addEventListener('pointerdown', onPointer);
    return () => {
      observer.disconnect();
      removeEventListener('pointerdown', onPointer);
    };
  }, [rows.length === 0]);

  const seen = visibleRows(scrollTop.value, height.value, rowHeight, list.count);
  useEffect(() => void reach(Math.max(seen.end, goal.value?.index ?? 0)), [seen.end, rows.length, goal.value]);

  const rowOf = (name: string) => {
    const index = list.indexOf(name);
    return list.rows[index]?.name === name ? index : undefined;
  };
  // Asked for anew wherever it matters: keys may come before what the one before them did is drawn.
  const position = () =>
    goal.value?.index ??
    Math.max(0, Math.min(current.value === undefined ? 0 : list.indexOf(current.value), list.rows.length - 1));
  const at = position();

  const scrollTo = (index: number) => {
    const element = scroller.current!;
    element.scrollTop = scrollToRow(index, element.scrollTop, element.clientHeight - headHeight, rowHeight);
    scrollTop.value = element.scrollTop;
  };
  const arriveAt = (index: number) => {
    batch(() => {
      goal.value = undefined;
      current.value = list.rows[index]?.name;
      scrollTo(index);
    });
  };
  const moveTo = (index: number) => {
    const target = Math.max(0, Math.min(list.count - 1, index));
    holdsFocus.current = true;
    if (list.rows[target]) {
      arriveAt(target);
      return;
    }
    batch(() => {
      goal.value = { index: target };
      scrollTo(target);
    });
  };

  useEffect(() => {
    const wanted = goal.value;
    if (!wanted || !scroller.current) return;
    const known = wanted.name === undefined ? undefined : rowOf(wanted.name);
    if (known !== undefined) arriveAt(known);
    else if (wanted.index < list.rows.length || list.isComplete) {
      arriveAt(Math.min(wanted.index, list.rows.length - 1));
    }
  });
  useEffect(() => {
    if (!holdsFocus.current || !scroller.current) return;
    const focused = document.activeElement ?? document.body;
    if (focused !== document.body && !scroller.current.contains(focused)) {
      holdsFocus.current = false;
      return;
    }
    const row = scroller.current.querySelector<HTMLElement>(`[data-row="${position()}"]`);
    if (!row?.contains(focused)) row?.focus({ preventScroll: true });
  });

  const onKeyDown = (event: KeyboardEvent) => {
    const now = position();
    const device = list.rows[now];
    const pageRows = Math.max(1, Math.floor(height.value / rowHeight) - 2);
    const moves: Record<string, number> = {
      ArrowDown: now + 1,
      ArrowUp: now - 1,
      PageDown: now + pageRows,
      PageUp: now - pageRows,
      Home: 0,
      End: list.count - 1,
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

  if (list.countIsExact && list.count === 0) return <NoDevice filtered={filter !== ''} />;
  const columns = ['state', 'name', 'unitId', 'os', 'via', 'tags', 'since'] as const;
  const drawn = Array.from({ length: Math.max(0, seen.end - seen.first) }, (_none, offset) => seen.first + offset);
  // The row of the keyboard keeps the focus when it is out of sight.
  if (at < seen.first) drawn.unshift(at);
  else if (at >= seen.end && at < list.count) drawn.push(at);
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
          <span role="columnheader" key={name} class={`cell-${name}`}>
            {t(`devices.${name}`)}
          </span>
        ))}
        <span role="columnheader" class="cell-actions">
          {t('common.actions')}
        </span>
      </div>
      <div role="rowgroup" style={{ height: `${list.count * rowHeight}px`, position: 'relative' }}>
        {drawn.map((index) => {
          const device = rows[index];
          const top = index * rowHeight;
          return device ? (
            <Row
              key={device.name}
              device={device}
              index={index}
              top={top}
              isCurrent={index === at}
              onFocus={() => {
                holdsFocus.current = true;
                // The person has gone elsewhere than where the keyboard was about to.
                if (goal.value?.index !== index) goal.value = undefined;
                current.value = device.name;
                place = { filter, index, name: device.name };
              }}
            />
          ) : (
            <Placeholder key={index} index={index} top={top} />
          );
        })}
      </div>
    </div>
  );
}

function NoDevice({ filtered }: { filtered: boolean }) {
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

function Placeholder({ index, top }: { index: number; top: number }) {
  return (
    <div
      class="grid-row"
      role="row"
      aria-rowindex={index + 2}
      data-row={index}
      tabIndex={-1}
      style={{ top: `${top}px` }}
    >
      <span role="gridcell">…</span>
    </div>
  );
}

interface RowProps {
  device: Device;
  index: number;
  top: number;
  isCurrent: boolean;
  onFocus(): void;
}

function Row({ device, index, top, isCurrent, onFocus }: RowProps) {
  const online = device.connection?.state === 'ONLINE';
  const possible = online && device.terminal?.enabled !== false;
  const state = online ? t('devices.online') : t('devices.offline');
  return (
    <div
      class="grid-row"
      role="row"
      aria-rowindex={index + 2}
      data-row={index}
      data-device={device.unitId}
      tabIndex={isCurrent ? 0 : -1}
      style={{ top: `${top}px` }}
      onFocusCapture={onFocus}
      onDblClick={() => openTerminal(device.name, fullName(device))}
    >
      <span role="gridcell" class="cell-state" title={state}>
        <span class={online ? 'dot online' : 'dot offline'} aria-hidden="true" />
        <span class="state-text">{state}</span>
      </span>
      <span role="gridcell" class="cell-name">
        <a
          href={devicePath(device.name)}
          tabIndex={-1}
          aria-label={t('devices.detailsOf', { device: fullName(device) })}
        >
          {device.displayName || device.unitId}
        </a>
      </span>
      <span role="gridcell" class="cell-unitId mono">
        {device.unitId}
      </span>
      <span role="gridcell" class="cell-os">
        {osOf(device)}
      </span>
      <span role="gridcell" class="cell-via">
        {via(device)}
      </span>
      <span role="gridcell" class="cell-tags" title={device.tags.join(', ')}>
        <TagList tags={device.tags} />
      </span>
      <span role="gridcell" class="cell-since">
        <Time time={device.connection?.sinceTime} />
      </span>
      <span role="gridcell" class="cell-actions">
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
