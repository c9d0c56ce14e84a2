// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// REST by the generated table, and streams that come back.
import { describe, expect, it, vi } from 'vitest';
import { ApiClient, ApiError, toHttp } from './client';
import { methods, type Device, type DeviceEvent } from './generated';
import { pauseAfter, watch, type Socket } from './watch';

describe('toHttp', () => {
  it('puts what a list takes into the query, without defaults', () => {
    const http = toHttp(methods.listDevices, { pageSize: 100, filter: 'state=ONLINE a&b', pageToken: '' });
    expect(http).toEqual({ verb: 'GET', url: '/api/v1/devices?pageSize=100&filter=state%3DONLINE+a%26b' });
  });

  it('takes the name into the path and the rest into the body', () => {
    const http = toHttp(methods.createSession, { device: 'devices/A B', columns: 80 });
    expect(http).toEqual({ verb: 'POST', url: '/api/v1/devices/A%20B/sessions', body: '{"columns":80}' });
  });

  it('takes nested names and named bodies', () => {
    const device = { name: 'devices/X', displayName: 'x' } as Device;
    expect(toHttp(methods.updateDevice, { device })).toEqual({
      verb: 'PATCH',
      url: '/api/v1/devices/X',
      body: '{"displayName":"x"}',
    });
    expect(device.name).toBe('devices/X');
    const settings = { name: 'devices/X', terminalSettings: { enabled: false } };
    expect(toHttp(methods.updateTerminalSettings, settings)).toEqual({
      verb: 'PATCH',
      url: '/api/v1/devices/X/terminalSettings',
      body: '{"enabled":false}',
    });
  });

  it('refuses a name that would lead elsewhere', () => {
    expect(() => toHttp(methods.getDevice, { name: 'sessions/1' })).toThrow();
    expect(() => toHttp(methods.getDevice, {})).toThrow();
    expect(toHttp(methods.getDevice, { name: 'devices/../x' }).url).toBe('/api/v1/devices/..%2Fx');
  });
});

describe('ApiClient', () => {
  const answering = (status: number, body: string) =>
    vi.fn(async (_url: unknown, _init?: RequestInit) => new Response(body, { status }));

  it('sends the token and gives the message', async () => {
    const fetched = answering(200, '{"user":"users/admin"}');
    const client = new ApiClient(() => 'TOKEN', undefined, fetched as typeof fetch);
    expect(await client.call(methods.getCaller, {})).toEqual({ user: 'users/admin' });
    expect((fetched.mock.calls[0]![1]!.headers as Record<string, string>).authorization).toBe('Bearer TOKEN');
  });

  it('gives the sentence of the server, and asks for a log-in', async () => {
    const expired = vi.fn();
    const body = '{"code":16,"message":"The token has expired.","details":[]}';
    const client = new ApiClient(() => 'TOKEN', expired, answering(401, body) as typeof fetch);
    await expect(client.call(methods.getCaller, {})).rejects.toThrow('The token has expired.');
    expect(expired).toHaveBeenCalledExactlyOnceWith('TOKEN');
  });

  it('gives the reason for programs', async () => {
    const body =
      '{"code":16,"message":"Wrong.","details":[{"@type":"type.googleapis.com/fairlead.v1.ErrorInfo","reason":"LOGIN_REFUSED"}]}';
    const client = new ApiClient(() => '', undefined, answering(401, body) as typeof fetch);
    await expect(client.call(methods.login, {})).rejects.toMatchObject({ reason: 'LOGIN_REFUSED' });
  });

  it('does not take a wrong password for an expired log-in', async () => {
    const expired = vi.fn();
    const client = new ApiClient(() => '', expired, answering(401, '{"code":16,"message":"Wrong."}') as typeof fetch);
    await expect(client.call(methods.login, { username: 'a', password: 'b' })).rejects.toThrow('Wrong.');
    expect(expired).not.toHaveBeenCalled();
  });

  it('keeps neither a timer nor a listener of a call that was answered', async () => {
    vi.useFakeTimers();
    try {
      const { signal } = new AbortController();
      const add = vi.spyOn(signal, 'addEventListener');
      const remove = vi.spyOn(signal, 'removeEventListener');
      const client = new ApiClient(() => '', undefined, answering(200, '{}') as typeof fetch);
      await client.call(methods.getCaller, {}, signal);
      expect(remove.mock.calls).toEqual(add.mock.calls);
      expect(vi.getTimerCount()).toBe(0);
    } finally {
      vi.useRealTimers();
    }
  });

  it('has a sentence for proxies and dead networks', async () => {
    const proxy = new ApiClient(() => '', undefined, answering(502, '<html>') as typeof fetch);
    await expect(proxy.call(methods.getCaller, {})).rejects.toMatchObject({ code: 14 });
    const dead = new ApiClient(() => '', undefined, (() => Promise.reject(new TypeError())) as typeof fetch);
    await expect(dead.call(methods.getCaller, {})).rejects.toBeInstanceOf(ApiError);
  });
});

describe('watch', () => {
  function harness() {
    const sockets: (Socket & { url: string; protocols: string[]; closed: boolean })[] = [];
    const timers: { milliseconds: number; action: () => void }[] = [];
    const events: unknown[] = [];
    const expired: string[] = [];
    const stop = watch(
      {
        origin: 'https://ums.example:8443',
        token: () => 'TOKEN',
        onUnauthenticated: (token) => expired.push(token),
        connect(url, protocols) {
          const socket = {
            url,
            protocols,
            closed: false,
            onopen: null,
            onmessage: null,
            onclose: null,
            close() {
              this.closed = true;
            },
          };
          sockets.push(socket);
          return socket;
        },
        setTimer: (milliseconds, action) => timers.push({ milliseconds, action }),
        clearTimer: () => {},
        random: () => 0,
      },
      methods.watchDevices,
      { filter: 'a', changesOnly: true },
      {
        onMessage: (message: DeviceEvent) => events.push(message.type),
        onInterrupted: (reason, final) => events.push([reason, final]),
        onEnd: () => events.push('end'),
      },
    );
    return { sockets, timers, events, expired, stop };
  }

  it('offers the token as a subprotocol and gives messages', () => {
    const { sockets, events } = harness();
    expect(sockets[0]!.url).toBe('wss://ums.example:8443/api/v1/devices:watch?filter=a&changesOnly=true');
    expect(sockets[0]!.protocols).toEqual(['fairlead.watch.v1', 'fairlead.bearer.TOKEN']);
    sockets[0]!.onmessage!({ data: '{"type":"SNAPSHOT_COMPLETE"}' });
    expect(events).toEqual(['SNAPSHOT_COMPLETE']);
  });

  it('comes back with growing pauses, and at once after it has worked', () => {
    const { sockets, timers } = harness();
    for (let round = 0; round < 3; ++round) {
      sockets[round]!.onclose!({ code: 1006, reason: '' });
      timers[round]!.action();
    }
    expect(timers.map(({ milliseconds }) => milliseconds)).toEqual([250, 500, 1000]);
    sockets[3]!.onmessage!({ data: '{}' });
    sockets[3]!.onclose!({ code: 4503, reason: 'later' });
    expect(timers[3]!.milliseconds).toBe(250);
    expect(pauseAfter(100, 1)).toBe(30_000);
  });

  it('asks for a log-in when the token is no longer good', () => {
    const { sockets, timers, expired } = harness();
    sockets[0]!.onclose!({ code: 4401, reason: 'the token has expired' });
    expect(expired).toEqual(['TOKEN']);
    expect(timers).toEqual([]);
  });

  it('does not come back where that is in vain, or after it was stopped', () => {
    const { sockets, timers, events } = harness();
    sockets[0]!.onclose!({ code: 4403, reason: 'No.' });
    expect(events).toEqual([['No.', true]]);
    expect(timers).toEqual([]);
    const stopped = harness();
    stopped.stop();
    expect(stopped.sockets[0]!.closed).toBe(false);
    stopped.sockets[0]!.onopen!({});
    expect(stopped.sockets[0]!.closed).toBe(true);
    stopped.sockets[0]!.onclose!({ code: 1006, reason: '' });
    expect(stopped.timers).toEqual([]);
  });
});
