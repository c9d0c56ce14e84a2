// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// The device list's pages: after the stream has begun, as far as wanted, again after failures and
// interruptions, none after the end; and that no change is lost, whenever it comes.
import { describe, expect, it } from 'vitest';
import { ApiError, INVALID_ARGUMENT, UNAVAILABLE } from '../api/client';
import type { Device, DeviceEvent, ListDevicesRequest, ListDevicesResponse } from '../api/generated';
import { DeviceList } from './device_list';
import { DeviceLoader } from './device_loader';

const nameOf = (number: number) => `devices/${String(number).padStart(6, '0')}`;
const device = (number: number): Device => ({ name: nameOf(number) }) as Device;
const complete = (deviceCount: number): DeviceEvent => ({ type: 'SNAPSHOT_COMPLETE', deviceCount });

// A server with `count` devices; `failing` takes the error of the next call, and while `holding` is set,
// answers wait in `held`.
function harness(count: number) {
  const list = new DeviceList();
  const calls: Partial<ListDevicesRequest>[] = [];
  const timers = new Map<number, () => void>();
  const failing: unknown[] = [];
  const held: (() => void)[] = [];
  const state = { changes: 0, count, holding: false };
  let nextTimer = 1;
  const loader = new DeviceLoader(list, 'tag=a', {
    async listDevices(request, signal) {
      calls.push(request);
      const error = failing.shift();
      if (error) throw error;
      const first = Number(request.pageToken || 0);
      const end = Math.min(state.count, first + request.pageSize!);
      const devices = Array.from({ length: end - first }, (_none, at) => device(first + at));
      const page = { devices, nextPageToken: end < state.count ? String(end) : '' };
      if (state.holding) {
        await new Promise<void>((resolve, reject) => {
          held.push(resolve);
          signal.addEventListener('abort', () => reject(signal.reason));
        });
      }
      return page;
    },
    onChange: () => ++state.changes,
    setTimer(_milliseconds, action) {
      timers.set(nextTimer, action);
      return nextTimer++;
    },
    clearTimer: (timer) => timers.delete(timer as number),
    random: () => 0,
  });
  // The only timer that is set.
  const passTime = () => {
    expect(timers.size).toBe(1);
    const [[timer, action]] = [...timers] as [[number, () => void]];
    timers.delete(timer);
    action();
  };
  return { list, loader, calls, timers, passTime, failing, held, state };
}
const settled = () => new Promise((done) => setImmediate(done));

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
    const { list, loader, passTime, failing, state } = harness(3);
    failing.push(new ApiError(UNAVAILABLE, 'down'));
    await loader.reach(10);
    expect(list.hasBegun).toBe(false);
    expect(loader.error).toBeInstanceOf(ApiError);
    expect(state.changes).toBe(1);
    passTime();
    await settled();
    expect(list.rows.length).toBe(3);
    expect(loader.error).toBeUndefined();
  });

  it('tries again at once when the person asks for it', async () => {
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
    expect(timers.size).toBe(0);
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

  it('asks for nothing until the stream has begun', async () => {
    const { list, loader, calls, timers } = harness(3);
    loader.start();
    await loader.reach(0);
    expect(calls).toEqual([]);
    expect(loader.onEvent(complete(3))).toBe(true);
    await settled();
    expect(list.rows.length).toBe(3);
    expect(calls.length).toBe(1);
    expect(timers.size).toBe(0);
  });

  it('shows rows without a stream that is slow, and loads them anew when it begins', async () => {
    const { list, loader, calls, passTime, state } = harness(3);
    loader.start();
    passTime();
    await settled();
    expect(list.rows.length).toBe(3);
    state.count = 2;
    loader.onEvent(complete(2));
    await settled();
    expect(list.rows.length).toBe(2);
    expect(calls.length).toBe(2);
  });

  it('shows rows without a stream that fails', async () => {
    const { list, loader, calls, timers } = harness(3);
    loader.start();
    loader.onInterrupted();
    await settled();
    expect(list.rows.length).toBe(3);
    expect(timers.size).toBe(0);
    loader.onInterrupted();
    await settled();
    expect(calls.length).toBe(1);
  });

  it('does not call more often because the stream fails too', async () => {
    const { loader, calls, passTime, failing } = harness(3);
    failing.push(new ApiError(UNAVAILABLE, 'down'), new ApiError(UNAVAILABLE, 'down'));
    loader.start();
    loader.onInterrupted();
    await settled();
    loader.onInterrupted();
    await settled();
    expect(calls.length).toBe(1);
    passTime();
    await settled();
    expect(calls.length).toBe(2);
    loader.onEvent(complete(3));
    await settled();
    expect([calls.length, loader.error]).toEqual([3, undefined]);
  });

  it('keeps rows while it loads them anew after an interruption, no more than there were', async () => {
    const { list, loader, calls, held, state } = harness(5000);
    loader.onEvent(complete(5000));
    await loader.reach(2000);
    await settled();
    expect(list.rows.length).toBe(2100);
    calls.length = 0;
    state.count = 2050;
    state.holding = true;
    loader.onEvent(complete(2050));
    await settled();
    expect([list.rows.length, held.length]).toEqual([2100, 1]);
    held.pop()!();
    await settled();
    expect([list.rows.length, held.length]).toEqual([2100, 1]);
    held.pop()!();
    await settled();
    held.pop()!();
    await settled();
    expect([list.rows.length, list.isComplete]).toEqual([2050, true]);
    expect(calls.map(({ pageSize, pageToken }) => [pageSize, pageToken])).toEqual([[1000, ''], [1000, '1000'], [1000, '2000']]);
  });

  it('loads a short list anew in one small page', async () => {
    const { loader, calls } = harness(5000);
    loader.onEvent(complete(5000));
    await settled();
    loader.onEvent(complete(5000));
    await settled();
    expect(calls.map(({ pageSize }) => pageSize)).toEqual([100, 100]);
  });

  it('takes no answer to what was asked before the stream began', async () => {
    const { list, loader, calls, held, state } = harness(3);
    state.holding = true;
    void loader.reach(0);
    expect(held.length).toBe(1);
    state.count = 2;
    state.holding = false;
    loader.onEvent(complete(2));
    await settled();
    held[0]!();
    await settled();
    expect([list.rows.length, calls.length, loader.error]).toEqual([2, 2, undefined]);
  });
});

// A server whose devices change all the time, whose events and pages take their time, each in its own
// way, and whose stream breaks off; all by chance, from `seed`.
class RandomServer {
  readonly list = new DeviceList();
  readonly loader: DeviceLoader;
  private readonly devices = new Map<string, Device>();
  private readonly calls: { answer: () => void }[] = [];
  private readonly timers = new Map<object, () => void>();
  // What is on its way; absent while there is no stream.
  private events: DeviceEvent[] | undefined;
  private versions = 0;

  constructor(private seed: number) {
    for (let number = 0; number < 1500; ++number) this.change(number);
    this.loader = new DeviceLoader(this.list, '', {
      listDevices: (request, signal) => this.listDevices(request, signal),
      onChange() {},
      setTimer: (_milliseconds, action) => {
        const timer = {};
        this.timers.set(timer, action);
        return timer;
      },
      clearTimer: (timer) => this.timers.delete(timer as object),
      random: () => 0,
    });
    this.loader.start();
  }

  async step(): Promise<void> {
    const what = this.below(100);
    if (what < 40) this.change(this.below(3000));
    else if (what < 65) this.remove(this.below(3000));
    else if (what < 80) this.deliver(1 + this.below(20));
    else if (what < 93) this.calls.shift()?.answer();
    else if (what < 95) void this.loader.reach(this.below(2000));
    else if (what < 97) this.passTime();
    else if (this.events) this.breakOff();
    else this.begin();
    await settled();
  }

  // Until nothing is on its way any more.
  async settle(): Promise<void> {
    if (!this.events) this.begin();
    for (let round = 0; round < 100; ++round) {
      this.deliver(Infinity);
      this.passTime();
      this.calls.shift()?.answer();
      await settled();
    }
  }

  // What the list ought to show of its part.
  expected(): Device[] {
    const all = this.sorted();
    return this.list.isComplete ? all : all.slice(0, this.list.rows.length);
  }
  get count(): number {
    return this.devices.size;
  }

  private below(limit: number): number {
    this.seed = (Math.imul(this.seed, 1664525) + 1013904223) >>> 0;
    return Math.floor((this.seed / 2 ** 32) * limit);
  }
  private sorted(): Device[] {
    return [...this.devices.values()].sort((one, other) => (one.name < other.name ? -1 : 1));
  }
  private change(number: number): void {
    const changed = { name: nameOf(number), displayName: String(++this.versions) } as Device;
    this.devices.set(changed.name, changed);
    this.events?.push({ type: 'UPDATED', device: changed, deviceCount: this.devices.size });
  }
  private remove(number: number): void {
    if (!this.devices.delete(nameOf(number))) return;
    this.events?.push({ type: 'DELETED', device: device(number), deviceCount: this.devices.size });
  }
  private begin(): void {
    this.events = [complete(this.devices.size)];
  }
  private breakOff(): void {
    this.events = undefined;
    this.loader.onInterrupted();
  }
  private deliver(most: number): void {
    for (const event of this.events?.splice(0, most) ?? []) this.loader.onEvent(event);
  }
  private passTime(): void {
    for (const [timer, action] of [...this.timers]) {
      this.timers.delete(timer);
      action();
    }
  }
  private listDevices(request: Partial<ListDevicesRequest>, signal: AbortSignal): Promise<ListDevicesResponse> {
    const fails = this.below(10) === 0;
    return new Promise((resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason));
      // The call takes its time to the server, and the answer back.
      const answer = () => {
        if (fails) return reject(new ApiError(UNAVAILABLE, 'down'));
        const rest = this.sorted().filter(({ name }) => name > request.pageToken!);
        const devices = rest.slice(0, request.pageSize);
        const nextPageToken = rest.length > devices.length ? devices[devices.length - 1]!.name : '';
        this.calls.push({ answer: () => resolve({ devices, nextPageToken }) });
      };
      this.calls.push({ answer });
    });
  }
}

describe('a device list beside its stream', () => {
  it('is right in the end, whatever comes in which order', async () => {
    for (let seed = 1; seed <= 50; ++seed) {
      const server = new RandomServer(seed);
      for (let step = 0; step < 400; ++step) await server.step();
      await server.settle();
      expect(server.list.isFresh, `seed ${seed}`).toBe(true);
      expect(server.list.rows, `seed ${seed}`).toEqual(server.expected());
      expect(server.list.count, `seed ${seed}`).toBe(server.count);
      server.loader.stop();
    }
  });
});
