// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// A whole session against a tunnel that the test plays.
import { describe, expect, it } from 'vitest';
import { ApiError } from '../api/client';
import { ACK_EVERY_BYTES, ackFrame } from './console_end';
import { NO_WISH, harness, settle } from './session_harness';

describe('TerminalSession', () => {
  it('asks with the measured size and tells a change of it', async () => {
    const { session, screen, tunnels, requests } = harness();
    await session.open({ reason: 'why', profile: 'root' });
    expect(requests[0]).toMatchObject({ device: 'devices/X', columns: 120, rows: 40, reason: 'why', profile: 'root' });
    expect(tunnels[0]!.target).toMatchObject({ ticket: 'T', holdBack: false });
    screen.columns = 100;
    tunnels[0]!.handlers.onOpen();
    expect(tunnels[0]!.texts).toEqual(['{"resize":{"columns":100,"rows":40}}']);
  });

  it('keeps what is typed early', async () => {
    const { session, tunnels, bytes } = harness();
    session.type(bytes('a'));
    await session.open(NO_WISH);
    session.type(bytes('b'));
    expect(tunnels[0]!.bytes).toBe('');
    tunnels[0]!.handlers.onOpen();
    expect(tunnels[0]!.bytes).toBe('ab');
  });

  it('acknowledges what is drawn, not what arrived', async () => {
    const { session, screen, tunnels, bytes } = harness();
    await session.open(NO_WISH);
    const tunnel = tunnels[0]!;
    tunnel.handlers.onOpen();
    tunnel.texts = [];
    screen.hold = true;
    void tunnel.handlers.onBytes(bytes('hello'));
    expect(tunnel.texts).toEqual([]);
    screen.undone.shift()!();
    expect(tunnel.texts).toEqual(['{"ack":{"receivedBytes":"5"}}']);
  });

  it('measures the round trip by the acknowledgement of a key', async () => {
    const { session, tunnels, bytes, later } = harness();
    await session.open(NO_WISH);
    tunnels[0]!.handlers.onOpen();
    session.type(bytes('a'));
    later(5);
    tunnels[0]!.handlers.onText('{"ack":{"receivedBytes":"1"}}');
    expect(session.counters.value.roundTrip).toBe(5);
  });

  it('tells the exit code, expected', async () => {
    const { session, tunnels, bytes } = harness();
    await session.open(NO_WISH);
    const { handlers } = tunnels[0]!;
    handlers.onOpen();
    void handlers.onBytes(bytes('bye'));
    handlers.onText('{"end":{"exitCode":7,"totalBytes":"3"}}');
    handlers.onClose(1000, '', true);
    await settle();
    expect(session.ending.value).toMatchObject({ expected: true, sentence: 'ending.exitCode' });
    expect(session.ending.value!.values!.code).toBe(7);
  });

  it('warns of output that is missing', async () => {
    const { session, tunnels } = harness();
    await session.open(NO_WISH);
    const { handlers } = tunnels[0]!;
    handlers.onOpen();
    handlers.onText('{"end":{"exitCode":0,"totalBytes":"9"}}');
    handlers.onClose(1000, '', true);
    await settle();
    expect(session.ending.value).toMatchObject({ expected: false, sentence: 'ending.truncated' });
  });

  it('tells why the server refused', async () => {
    const { session, tunnels } = harness('PTY', new ApiError(9, 'The device is offline.'));
    await session.open(NO_WISH);
    expect(tunnels).toEqual([]);
    expect(session.ending.value).toMatchObject({ sentence: 'ending.refused', detail: 'The device is offline.' });
  });

  it('asks the edge why the tunnel could not be opened', async () => {
    const { session, tunnels } = harness();
    await session.open(NO_WISH);
    tunnels[0]!.handlers.onClose(1006, '', false);
    await settle();
    expect(tunnels[1]!.target).toMatchObject({ ticket: '', url: tunnels[0]!.target.url });
    tunnels[1]!.handlers.onClose(1006, '', false);
    await settle();
    expect(session.ending.value).toMatchObject({
      sentence: 'edge.refused',
      values: { host: 'icg.example:8443' },
      edge: { finding: 'refused', icg: 'icgs/a' },
    });
  });

  it('speaks Telnet to OS 11: answers, size, doubled bytes', async () => {
    const { session, screen, tunnels, bytes } = harness('TELNET');
    await session.open(NO_WISH);
    const tunnel = tunnels[0]!;
    expect(tunnel.target.holdBack).toBe(true);
    tunnel.handlers.onOpen();
    await tunnel.handlers.onBytes(bytes('\xff\xfb\x01\xff\xfd\x1f$ '));
    expect(screen.text).toBe('$ ');
    expect(tunnel.bytes).toBe('\xff\xfd\x01\xff\xfb\x1f\xff\xfa\x1f\x00\x78\x00\x28\xff\xf0');
    tunnel.bytes = '';
    session.type(bytes('l\xff\r'));
    expect(tunnel.bytes).toBe('l\xff\xff\r\0');
    tunnel.bytes = '';
    session.resize(80, 24);
    expect(tunnel.bytes).toBe('\xff\xfa\x1f\x00\x50\x00\x18\xff\xf0');
    // The edge, which holds the device back, is to go by acknowledgements; there is no other text.
    expect(tunnel.texts).toEqual([ackFrame(0)]);
    tunnel.handlers.onClose(1000, '', true);
    await settle();
    expect(session.ending.value).toMatchObject({ expected: true, sentence: 'ending.deviceClosed' });
  });

  it('acknowledges what Telnet sent as it is drawn, counted as it was sent', async () => {
    const { session, screen, tunnels, bytes } = harness('TELNET');
    await session.open(NO_WISH);
    const tunnel = tunnels[0]!;
    tunnel.handlers.onOpen();
    screen.hold = true;
    // A negotiation and a doubled byte, of which the screen gets one byte.
    void tunnel.handlers.onBytes(bytes('\xff\xfb\x01\xff\xff' + 'x'.repeat(ACK_EVERY_BYTES - 5)));
    expect(tunnel.texts).toEqual([ackFrame(0)]);
    for (const done of screen.undone.splice(0)) done();
    expect(screen.text.length).toBe(ACK_EVERY_BYTES - 4);
    expect(tunnel.texts).toEqual([ackFrame(0), ackFrame(ACK_EVERY_BYTES)]);

    // Little is not worth a frame.
    screen.hold = false;
    void tunnel.handlers.onBytes(bytes('$ '));
    expect(tunnel.texts.length).toBe(2);
  });

  it('lets Ctrl-C overtake a paste', async () => {
    const { session, tunnels, bytes } = harness();
    await session.open(NO_WISH);
    const tunnel = tunnels[0]!;
    tunnel.handlers.onOpen();
    tunnel.buffered = 1 << 20;
    session.pasteText('x'.repeat(100_000));
    expect(session.paste.value).toEqual({ sent: 0, total: 100_000 });
    session.type(bytes('\x03'));
    tunnel.buffered = 0;
    tunnel.handlers.onDrain();
    expect(tunnel.bytes).toBe('\x03');
    expect(session.paste.value).toBeUndefined();
  });

  it('goes through the server where that is allowed, and asks whether the ICG is reached again', async () => {
    const fallback = { consoleFallbackUrl: 'wss://localhost:8443/console-connector/terminal' };
    const { session, tunnels, avoided } = harness('PTY', undefined, fallback);
    await session.open(NO_WISH);
    expect(tunnels[0]!.target).toMatchObject({
      url: 'wss://icg.example:8443/console-connector/terminal',
      timeoutMilliseconds: 5000,
    });
    tunnels[0]!.handlers.onClose(1006, '', false);
    expect(tunnels[1]!.target).toMatchObject({
      url: 'wss://ums.example/console-connector/terminal',
      ticket: 'T',
      timeoutMilliseconds: undefined,
    });
    tunnels[1]!.handlers.onOpen();
    expect(session.phase.value).toBe('open');
    expect(session.route.value!.throughServer).toBe(true);
    expect([...avoided]).toEqual(['icgs/a']);
    // The ICG is tried without a ticket, and answers.
    expect(tunnels[2]!.target).toMatchObject({ url: 'wss://icg.example:8443/console-connector/terminal', ticket: '' });
    tunnels[2]!.handlers.onClose(4401, '', true);
    await settle();
    expect(avoided.size).toBe(0);
  });

  it('opens a direct tunnel where the page came from, else where the server says', async () => {
    const direct = { icg: '', consoleUrl: 'wss://localhost:8443/console-connector/terminal' };
    const { session, tunnels } = harness('PTY', undefined, direct);
    await session.open(NO_WISH);
    expect(tunnels[0]!.target.url).toBe('wss://ums.example/console-connector/terminal');
    tunnels[0]!.handlers.onClose(1006, '', false);
    expect(tunnels[1]!.target.url).toBe('wss://localhost:8443/console-connector/terminal');
    tunnels[1]!.handlers.onClose(1006, '', false);
    expect(session.ending.value).toMatchObject({ sentence: 'edge.server', values: { host: 'localhost:8443' } });
  });
});
