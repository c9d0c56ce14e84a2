// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// How a session ends: closed by the person, lost, frozen, as the server records it; and what is told of
// a path that is silent.
import { describe, expect, it } from 'vitest';
import { MAX_UNACKNOWLEDGED_INPUT } from './console_end';
import { NO_WISH, harness, settle } from './session_harness';

async function opened(...options: Parameters<typeof harness>) {
  const given = harness(...options);
  await given.session.open(NO_WISH);
  const tunnel = given.tunnels[0]!;
  tunnel.handlers.onOpen();
  return { ...given, tunnel };
}

describe('closing', () => {
  it('hangs up, once', async () => {
    const { session, tunnel, terminated, isFollowed } = await opened();
    session.close();
    session.close();
    expect(tunnel.texts.filter((text) => text === '{"close":{}}').length).toBe(1);
    expect(tunnel.closed).toBe(1000);
    tunnel.handlers.onClose(1000, '', true);
    await settle();
    expect(session.ending.value).toMatchObject({ expected: true, sentence: 'ending.closedByYou' });
    expect(terminated).toEqual([]);
    expect(isFollowed()).toBe(false);
  });

  it('ends a session that is still being opened', async () => {
    const { session, tunnels, terminated } = harness();
    const opening = session.open(NO_WISH);
    session.close();
    expect(terminated).toEqual([]);
    await opening;
    expect(tunnels).toEqual([]);
    expect(terminated).toEqual(['sessions/1']);
    expect(session.isOver).toBe(true);
  });

  it('ends a session whose tunnel is still being opened', async () => {
    const { session, tunnels, terminated } = harness();
    await session.open(NO_WISH);
    session.close();
    expect(terminated).toEqual(['sessions/1']);
    expect(tunnels[0]!.closed).toBe(1000);
    expect(tunnels[0]!.texts).toEqual([]);
  });
});

describe('loss', () => {
  it('is told by the cause that the server records', async () => {
    const { session, tunnel, record, isFollowed } = await opened();
    tunnel.handlers.onClose(4502, 'gone', true);
    await settle();
    expect(session.isOver).toBe(false);
    record({ cause: 'EDGE_LOST', message: 'the link was lost' });
    expect(session.ending.value).toEqual({
      expected: false,
      sentence: 'ending.edgeLost',
      values: { icg: 'a' },
      detail: 'The link was lost.',
    });
    expect(isFollowed()).toBe(false);
  });

  it('is told by that cause too if it came first', async () => {
    const { session, tunnel, record } = await opened();
    record({ cause: 'TERMINATED', message: 'Maintenance.' });
    expect(session.isOver).toBe(false);
    tunnel.handlers.onClose(4410, '', true);
    await settle();
    expect(session.ending.value).toMatchObject({ sentence: 'close.terminated', detail: 'Maintenance.' });
  });

  it('is told by the close code if the server says nothing', async () => {
    const { session, tunnel, pass } = await opened();
    tunnel.handlers.onClose(4502, 'no answer', true);
    await settle();
    pass(2);
    expect(session.ending.value).toMatchObject({ sentence: 'close.deviceLost', detail: 'No answer.' });
  });

  it('is told at once by a code that says all', async () => {
    const { session, tunnel } = await opened();
    tunnel.handlers.onClose(4409, '', true);
    await settle();
    expect(session.ending.value).toMatchObject({ sentence: 'close.alreadyAttached' });
  });

  it('is seen over a path that froze, whose tunnel never closes', async () => {
    const { session, tunnel, bytes, record, pass } = await opened();
    record({ cause: 'EDGE_LOST' });
    pass(2);
    // What was still on its way is waited for.
    void tunnel.handlers.onBytes(bytes('late'));
    pass(2);
    expect(session.isOver).toBe(false);
    pass(1);
    expect(session.ending.value).toMatchObject({ expected: false, sentence: 'ending.edgeLost' });
    expect(tunnel.closed).toBe(1000);
    tunnel.handlers.onClose(1006, '', true);
    await settle();
    expect(session.ending.value).toMatchObject({ sentence: 'ending.edgeLost' });
  });

  it('is none where the program ended', async () => {
    const { session, record, pass } = await opened();
    record({ cause: 'PROGRAM_ENDED', exitCode: 3 });
    pass(3);
    expect(session.ending.value).toMatchObject({ expected: true, sentence: 'ending.exitCode', values: { code: 3 } });
  });
});

describe('silence', () => {
  for (const stream of ['PTY', 'TELNET'] as const) {
    it(`is told once something was typed (${stream})`, async () => {
      const { session, tunnel, bytes, pass } = await opened(stream);
      void tunnel.handlers.onBytes(bytes('$ '));
      pass(60);
      expect(session.silent.value).toBe(0);
      session.type(bytes('a'));
      pass(4);
      expect(session.silent.value).toBe(0);
      pass(3);
      expect(session.silent.value).toBe(7);
      void tunnel.handlers.onBytes(bytes('a'));
      expect(session.silent.value).toBe(0);
      pass(60);
      expect(session.silent.value).toBe(0);
    });
  }
});

describe('a device that acknowledges nothing', () => {
  const paste = 'x'.repeat(3 * MAX_UNACKNOWLEDGED_INPUT);

  it('is given 256 KiB, and all of it only after a while', async () => {
    const { session, tunnel, pass } = await opened();
    session.pasteText(paste);
    expect(tunnel.bytes.length).toBe(MAX_UNACKNOWLEDGED_INPUT);
    expect(session.paste.value).toEqual({ sent: MAX_UNACKNOWLEDGED_INPUT, total: paste.length });
    pass(4);
    expect(tunnel.bytes.length).toBe(MAX_UNACKNOWLEDGED_INPUT);
    pass(2);
    expect(tunnel.bytes.length).toBe(paste.length);
  });

  it('is not mistaken for one whose first acknowledgement is late', async () => {
    const { session, tunnel, pass } = await opened();
    session.pasteText(paste);
    pass(3);
    tunnel.handlers.onText('{"ack":{"receivedBytes":"10"}}');
    pass(60);
    expect(tunnel.bytes.length).toBe(MAX_UNACKNOWLEDGED_INPUT + 10);
  });

  it('shows the progress of a paste by Telnet', async () => {
    const { session, tunnel } = await opened('TELNET');
    tunnel.buffered = MAX_UNACKNOWLEDGED_INPUT;
    session.pasteText(paste);
    expect(session.paste.value).toEqual({ sent: 0, total: paste.length });
    tunnel.buffered = 0;
    tunnel.handlers.onDrain();
    expect(tunnel.bytes.length).toBe(paste.length);
    expect(session.paste.value).toBeUndefined();
  });
});
