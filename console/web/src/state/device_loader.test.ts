// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// The device list's pages: as far as wanted, again after failures, none after the end.
import { describe, expect, it } from 'vitest';
import { ApiError, INVALID_ARGUMENT, UNAVAILABLE } from '../api/client';
import type { Device, ListDevicesRequest } from '../api/generated';
import { DeviceList } from './device_list';
import { DeviceLoader } from './device_loader';

const device = (number: number): Device => ({ name: `devices/${String(number).padStart(6, '0')}` }) as Device;

// A server with `count` devices; `failing` takes the error of the next call.
function harness(count: number) {
  const list = new DeviceList();
  const calls: Partial<ListDevicesRequest>[] = [];
  const timers: (() => void)[] = [];
  const failing: unknown[] = [];
  const state = { changes: 0 };
  const loader = new DeviceLoader(list, 'tag=a', {
    async listDevices(request) {
      calls.push(request);
      const error = failing.shift();
      if (error) throw error;
      const first = Number(request.pageToken || 0);
      const end = Math.min(count, first + request.pageSize!);
      const devices = Array.from({ length: end - first }, (_none, at) => device(first + at));
      return { devices, nextPageToken: end < count ? String(end) : '' };
    },
    onChange: () => ++state.changes,
    setTimer: (_milliseconds, action) => timers.push(action),
    clearTimer: () => {},
    random: () => 0,
  });
  return { list, loader, calls, timers, failing, state };
}
const settled = () => new Promise((done) => setTimeout(done));

describe('DeviceLoader', () => {
  it('loads no further than is wanted, then on', async () => {
    const { list, loader, calls } = harness(5000);
    await loader.reach(20);
    expect(calls).toEqual([{ filter: 'tag=a', pageSize: 100, pageToken: '' }]);
    await loader.reach(49);
    expect(calls.length).toBe(1);
    await loader.reach(4999);
    expect(list.isComplete).toBe(true);
    expect(calls.length).toBe(6);
  });

  it('tries again by itself after the first call failed', async () => {
    const { list, loader, timers, failing, state } = harness(3);
    failing.push(new ApiError(UNAVAILABLE, 'down'));
    await loader.reach(10);
    expect(list.hasBegun).toBe(false);
    expect(loader.error).toBeInstanceOf(ApiError);
    expect(state.changes).toBe(1);
    timers[0]!();
    await settled();
    expect(list.rows.length).toBe(3);
    expect(loader.error).toBeUndefined();
  });

  it('tries again at once when the person asks for it, or the stream begins', async () => {
    const { list, loader, failing } = harness(3);
    failing.push(new ApiError(UNAVAILABLE, 'down'));
    await loader.reach(10);
    await loader.retry();
    expect(list.rows.length).toBe(3);
  });

  it('does not repeat what would fail again', async () => {
    const { loader, timers, failing } = harness(3);
    failing.push(new ApiError(INVALID_ARGUMENT, 'bad filter'));
    await loader.reach(10);
    expect(timers).toEqual([]);
    expect(loader.error).toBeInstanceOf(ApiError);
  });

  it('is not kept from loading by another list that is loading', async () => {
    const slow = harness(3);
    const quick = harness(3);
    void slow.loader.reach(0);
    slow.loader.stop();
    await quick.loader.reach(0);
    await settled();
    expect(quick.list.rows.length).toBe(3);
    expect(slow.list.hasBegun).toBe(false);
  });
});
