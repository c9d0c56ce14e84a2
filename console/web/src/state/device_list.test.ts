// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// The device list: what is loaded of 100,000 devices, changes of it and beyond it, pages that are
// older than changes, and pages that come anew.
import { describe, expect, it } from 'vitest';
import type { Device, DeviceEvent } from '../api/generated';
import { DeviceList, tagsOf } from './device_list';

const nameOf = (number: number) => `devices/${String(number).padStart(6, '0')}`;
const device = (number: number, displayName = ''): Device => ({ name: nameOf(number), displayName }) as Device;
const devices = (...numbers: number[]) => numbers.map((number) => device(number));
const updated = (changed: Device, deviceCount?: number): DeviceEvent => ({ type: 'UPDATED', device: changed, deviceCount });
const deleted = (number: number, deviceCount?: number): DeviceEvent => ({ type: 'DELETED', device: device(number), deviceCount });
const complete = (deviceCount?: number): DeviceEvent => ({ type: 'SNAPSHOT_COMPLETE', deviceCount });
const shown = (list: DeviceList) => list.rows.map((row) => `${Number(row.name.slice(-6))}${row.displayName ?? ''}`).join(' ');

// A list with these rows; `more` if there are others behind them.
function listOf(rows: Device[], more = false): DeviceList {
  const list = new DeviceList();
  list.askPage();
  list.addPage(rows, more ? 'more' : '');
  return list;
}

describe('DeviceList', () => {
  it('keeps only what was scrolled to of 100,000, but counts all', () => {
    const list = new DeviceList();
    expect(list.countIsExact).toBe(false);
    expect(list.onEvent(complete(100_000))).toBe(true);
    list.addPage(Array.from({ length: 100 }, (_none, at) => device(at)), 'more');
    for (let at = 0; at < 100_000; ++at) list.onEvent(updated(device(at, 'x'), 100_000));
    expect(list.count).toBe(100_000);
    expect(list.countIsExact).toBe(true);
    expect(list.rows.length).toBe(100);
    expect(list.rows.every((row) => row.displayName === 'x')).toBe(true);
  });

  it('takes changes of what is loaded, in order', () => {
    const list = listOf(devices(1, 5), true);
    expect(list.onEvent(updated(device(3, 'new')))).toBe(true);
    expect(list.onEvent(updated(device(1, 'changed')))).toBe(true);
    list.onEvent(updated(device(9)));
    expect(shown(list)).toBe('1changed 3new 5');
    expect(list.onEvent(deleted(3))).toBe(true);
    expect(shown(list)).toBe('1changed 5');
    list.askPage();
    list.addPage(devices(9), '');
    list.onEvent(updated(device(10)));
    expect(list.count).toBe(4);
  });

  it('counts what changes beyond what is loaded, and draws nothing anew where no count changes', () => {
    const list = listOf(devices(1, 5), true);
    list.onEvent(complete(7));
    expect(list.onEvent(updated(device(8), 7))).toBe(false);
    expect(list.onEvent(updated(device(9), 8))).toBe(true);
    expect(list.count).toBe(8);
    expect(list.onEvent(deleted(8, 7))).toBe(true);
    expect(list.count).toBe(7);
    expect(list.onEvent(deleted(99, 7))).toBe(false);
    expect(shown(list)).toBe('1 5');
  });

  it('counts itself what is loaded whole', () => {
    const list = listOf(devices(1, 5));
    list.onEvent(complete(7));
    expect(list.count).toBe(2);
    const empty = listOf([]);
    expect([empty.count, empty.countIsExact, empty.isComplete]).toEqual([0, true, true]);
  });

  it('takes a device that comes where the last loaded one was deleted', () => {
    const list = listOf(devices(1, 5), true);
    list.onEvent(deleted(5));
    list.onEvent(updated(device(4)));
    list.askPage();
    list.addPage(devices(8), '');
    expect(shown(list)).toBe('1 4 8');
  });

  it('prefers changes to a page that was on its way meanwhile', () => {
    const list = listOf(devices(1, 2), true);
    list.askPage();
    list.onEvent(updated(device(3, 'new')));
    list.onEvent(updated(device(4, 'old')));
    list.onEvent(updated(device(4, 'new')));
    list.onEvent(deleted(5));
    list.onEvent(updated(device(99)));
    list.addPage([device(3, 'old'), device(4), device(5), device(6)], 'more');
    expect(shown(list)).toBe('1 2 3new 4new 6');
    list.askPage();
    list.addPage([device(7), device(99, 'newest')], '');
    expect(shown(list)).toBe('1 2 3new 4new 6 7 99newest');
  });

  it('does not keep changes for a page that failed', () => {
    const list = listOf(devices(1), true);
    list.askPage();
    list.onEvent(updated(device(3, 'before')));
    list.failPage();
    list.askPage();
    list.addPage([device(3, 'after')], '');
    expect(shown(list)).toBe('1 3after');
  });

  it('keeps what is there until pages replace it, a part at a time', () => {
    const list = listOf(devices(1, 2, 3, 4, 5, 6), true);
    list.restart();
    expect(list.onEvent(complete(90))).toBe(true);
    expect([shown(list), list.isFresh, list.hasBegun, list.isAtFirstPage]).toEqual(['1 2 3 4 5 6', false, true, true]);
    list.askPage();
    // Gone: 1 and 3; new: 2.
    list.addPage([device(2, 'changed'), device(4)], 'more');
    expect([shown(list), list.isFresh, list.isAtFirstPage]).toEqual(['2changed 4 5 6', false, false]);
    // What is left from before is kept current too.
    list.onEvent(updated(device(6, 'changed'), 90));
    expect(shown(list)).toBe('2changed 4 5 6changed');
    list.askPage();
    list.addPage([device(5), device(6, 'changed'), device(7)], 'more');
    expect([shown(list), list.isFresh]).toEqual(['2changed 4 5 6changed 7', true]);
    // Behind the last page nothing is kept.
    list.onEvent(updated(device(8), 91));
    expect([list.rows.length, list.count]).toEqual([5, 91]);
  });

  it('lets devices vanish that were deleted while the stream was interrupted', () => {
    const all = listOf(devices(1, 2));
    all.restart();
    all.onEvent(complete(1));
    all.askPage();
    all.addPage(devices(2), '');
    expect([shown(all), all.isComplete, all.isFresh]).toEqual(['2', true, true]);

    const part = listOf(devices(1, 2, 3), true);
    part.restart();
    part.askPage();
    part.addPage(devices(1), '');
    expect([shown(part), part.isComplete]).toEqual(['1', true]);
  });

  it('says all the while that there is no device, where there is none', () => {
    const list = listOf([]);
    list.restart();
    expect([list.count, list.countIsExact]).toEqual([0, true]);
  });

  it('is whole no more when many devices have come meanwhile', () => {
    const list = listOf(devices(1, 2));
    list.restart();
    list.onEvent(complete(500));
    list.askPage();
    list.addPage(devices(1, 2, 3), 'more');
    expect([list.isComplete, list.isFresh, list.count]).toEqual([false, true, 500]);
    list.onEvent(updated(device(9), 500));
    expect(shown(list)).toBe('1 2 3');
  });
});

describe('tagsOf', () => {
  it('suggests the tags that devices have', () => {
    const tagged = (...tags: string[]) => ({ tags }) as Device;
    expect(tagsOf([tagged('till', 'berlin'), tagged(), tagged('till')])).toEqual(['berlin', 'till']);
  });
});
