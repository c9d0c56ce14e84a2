// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// The device list's filter, settings, texts, routes, visible rows.
import { describe, expect, it } from 'vitest';
import { de } from '../i18n/de';
import { en } from '../i18n/en';
import { formatRelative } from '../i18n';
import { devicePath, parseRoute } from '../router';
import { scrollToRow, visibleRows } from '../ui/virtual_rows';
import { choiceIn, deviceFilter, devicesPath, NO_CHOICE } from './device_choice';
import { readSettings } from './settings';

describe('deviceFilter', () => {
  it('is what the server takes', () => {
    const none = { text: '', state: '', os: '', via: '', tags: '' } as const;
    expect(deviceFilter({ text: ' hall ', state: 'ONLINE', os: 'OS_11', via: 'icgs/berlin', tags: 'till, vip' })).toBe(
      'state=ONLINE os=OS_11 icg=icgs/berlin tag=till tag=vip hall',
    );
    expect(deviceFilter({ ...none, via: 'DIRECT' })).toBe('via=DIRECT');
    expect(deviceFilter({ ...none, tags: ' , ' })).toBe('');
    expect(deviceFilter({ ...none, text: 'x'.repeat(999) }).length).toBe(256);
    expect(deviceFilter({ ...none, text: 'x'.repeat(999), tags: 'till' })).toMatch(/^tag=till x+$/);
  });
});

describe('visibleRows', () => {
  it('are few, whatever the length', () => {
    const { first, end } = visibleRows(2_000_000, 800, 44, 100_000);
    expect(end - first).toBeLessThan(40);
    expect(first).toBeLessThanOrEqual(45_454);
    expect(end).toBeGreaterThan(45_472);
    expect(visibleRows(0, 800, 44, 3)).toEqual({ first: 0, end: 3 });
    expect(visibleRows(5000, 800, 44, 0)).toEqual({ first: 0, end: 0 });
  });
  it('are scrolled to when they are not in view', () => {
    expect(scrollToRow(0, 100, 400, 40)).toBe(0);
    expect(scrollToRow(5, 100, 400, 40)).toBe(100);
    expect(scrollToRow(20, 100, 400, 40)).toBe(440);
  });
});

describe('settings', () => {
  it('are harmless at first, and what was kept is checked', () => {
    expect(readSettings(null)).toMatchObject({ allowClipboard: false, allowTitle: false, confirmPaste: true });
    expect(readSettings('nonsense')).toMatchObject({ theme: 'system' });
    expect(readSettings('null')).toMatchObject({ theme: 'system' });
    const kept = '{"theme":"dark","fontSize":500,"allowTitle":1,"language":"fr","screenReader":true}';
    expect(readSettings(kept)).toMatchObject({ theme: 'dark', fontSize: 40, allowTitle: false, screenReader: true });
  });
});

describe('texts', () => {
  it('name the same values in both languages', () => {
    const values = (text: string) => (text.match(/\{\w+\}/g) ?? []).sort().join();
    for (const [key, text] of Object.entries(en)) {
      expect(values(de[key as keyof typeof en]), key).toBe(values(text));
      expect(de[key as keyof typeof en] === '', key).toBe(String(text) === '');
    }
  });
});

describe('formatRelative', () => {
  it('is as people speak, and a date when that is long ago', () => {
    const now = Date.parse('2026-06-10T12:00:00Z');
    const relative = (seconds: number) => formatRelative(new Date(now + seconds * 1000).toISOString(), now);
    expect(relative(-20)).toBe('just now');
    expect(relative(-119)).toBe('1 minute ago');
    expect(relative(-7200)).toBe('2 hours ago');
    expect(relative(7 * 86_400 - 5)).toBe('in 7 days');
    expect(relative(-400 * 86_400)).toMatch(/2025/);
  });
});

describe('routes', () => {
  it('are read and written', () => {
    expect(parseRoute('')).toEqual({ page: 'devices' });
    expect(parseRoute('#/audit')).toEqual({ page: 'audit' });
    expect(parseRoute('#/nonsense')).toEqual({ page: 'devices' });
    expect(parseRoute(devicePath('devices/A.b-1'))).toEqual({ page: 'device', name: 'devices/A.b-1' });
    expect(parseRoute('#/devices/%E0%A4%A')).toEqual({ page: 'devices' });
    expect(parseRoute('#/devices?q=till')).toEqual({ page: 'devices' });
  });
  it('keep what the device list is filtered by', () => {
    const chosen = { text: 'a b&c', state: 'ONLINE', os: 'OS_11', via: 'icgs/berlin', tags: 'till, Köln' } as const;
    expect(choiceIn(devicesPath(chosen))).toEqual(chosen);
    expect(devicesPath(NO_CHOICE)).toBe('#/devices');
    expect(choiceIn('#/devices')).toBeUndefined();
    expect(choiceIn('#/devices/X?q=a')).toBeUndefined();
    expect(choiceIn('#/devices?state=ODD&os=1&via=a+tag%3Db&q=till')).toEqual({ ...NO_CHOICE, text: 'till' });
  });
});
