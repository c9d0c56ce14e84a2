// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Sentences that stand alone, and a log-in that lasts while the person is active.
import { describe, expect, it, vi } from 'vitest';
import { activityNoter } from './activity';
import { sentence } from './sentence';

describe('sentence', () => {
  it('begins with a capital and ends with a stop', () => {
    expect(sentence('the token has expired; log in again')).toBe('The token has expired; log in again.');
    expect(sentence('Wait!')).toBe('Wait!');
    expect(sentence('über, mehr')).toBe('Über, mehr.');
    expect(sentence('')).toBe('');
  });
  it('leaves names as they are', () => {
    expect(sentence('devices/x is offline')).toBe('devices/x is offline.');
    expect(sentence('max_sessions must be 1 to 100.')).toBe('max_sessions must be 1 to 100.');
  });
});

describe('activityNoter', () => {
  it('makes a call every few minutes while something is done', async () => {
    let now = 0;
    const call = vi.fn(async () => {});
    const note = activityNoter(call, () => now);
    for (; now < 30 * 60_000; now += 1000) note();
    expect(call.mock.calls.length).toBeGreaterThanOrEqual(5);
    expect(call.mock.calls.length).toBeLessThan(10);
    now += 60 * 60_000;
    expect(call.mock.calls.length).toBeLessThan(10);
  });
  it('tries again soon after a failure', async () => {
    let now = 0;
    const call = vi.fn(() => Promise.reject(new Error('no network')));
    const note = activityNoter(call, () => now);
    now = 5 * 60_000;
    note();
    await Promise.resolve();
    await Promise.resolve();
    note();
    expect(call).toHaveBeenCalledTimes(1);
    now += 30_000;
    note();
    expect(call).toHaveBeenCalledTimes(2);
  });
});
