// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import type { Device, TerminalSettings } from '../api/generated';
import { changesOf, differing, valuesOf } from './terminal_form';

const device = (terminal: TerminalSettings, displayName?: string) => ({ terminal, displayName }) as Device;

describe('the form of a device’s settings', () => {
  it('shows what is in force', () => {
    expect(valuesOf(device({}))).toEqual({
      enabled: true,
      displayName: '',
      defaultProfile: '',
      maxSessions: '16',
      idleMinutes: undefined,
      lifetimeMinutes: undefined,
    });
    const set = { enabled: false, maxSessions: 3, idleTimeout: '90s', maxLifetime: '86400s' };
    expect(valuesOf(device(set, 'Till'))).toMatchObject({
      enabled: false,
      displayName: 'Till',
      maxSessions: '3',
      idleMinutes: '1.5',
      lifetimeMinutes: '1440',
    });
  });

  it('sends only what was changed', () => {
    expect(changesOf({ displayName: 'Till' })).toEqual({ displayName: 'Till' });
    expect(changesOf({ enabled: false })).toEqual({ terminalSettings: { enabled: false } });
    expect(changesOf({ idleMinutes: '1.5', lifetimeMinutes: undefined })).toEqual({
      terminalSettings: { idleTimeout: '90s', maxLifetime: '0s' },
    });
    expect(changesOf({})).toEqual({});
  });

  it('takes for a change only what differs from what is in force by now', () => {
    const values = valuesOf(device({ enabled: false, idleTimeout: '90s' }));
    expect(differing({ enabled: false, maxSessions: '4', idleMinutes: '1.5' }, values)).toEqual({ maxSessions: '4' });
    expect(differing({ idleMinutes: undefined }, values)).toEqual({ idleMinutes: undefined });
    expect(differing({ idleMinutes: undefined }, {})).toEqual({ idleMinutes: undefined });
  });
});
