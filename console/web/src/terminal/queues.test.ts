// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// The bounds on output that waits to be drawn and on input that waits to be sent.
import { describe, expect, it } from 'vitest';
import { InputQueue, MAX_BUFFERED_BYTES } from './input_queue';
import { HOLD_BACK_BYTES, MAX_WAITING_BYTES, OutputQueue, PIECE_BYTES } from './output_queue';

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
const bytesOf = (characters: string) => new TextEncoder().encode(characters);
const paste = (body: string, head = '', tail = '') => ({
  head: bytesOf(head),
  body: bytesOf(body),
  tail: bytesOf(tail),
});

describe('OutputQueue', () => {
  function queue() {
    const drawn: Uint8Array[] = [];
    const dones: (() => void)[] = [];
    const handled: [number, boolean][] = [];
    const output = new OutputQueue({
      write: (bytes, done) => {
        drawn.push(bytes);
        dones.push(done);
      },
      onHandled: (bytes, idle) => handled.push([bytes, idle]),
      describeSkipped: (bytes) => `[${bytes} left out]`,
    });
    return { output, drawn, dones, handled };
  }

  it('cuts output into pieces and tells when each is drawn', () => {
    const { output, drawn, dones, handled } = queue();
    output.push(new Uint8Array(PIECE_BYTES + 1));
    expect(drawn.map((piece) => piece.length)).toEqual([PIECE_BYTES, 1]);
    expect(output.waiting).toBe(PIECE_BYTES + 1);
    dones.forEach((done) => done());
    expect(handled).toEqual([
      [PIECE_BYTES, false],
      [1, true],
    ]);
    expect(output.waiting).toBe(0);
  });

  it('holds a source back until most is drawn', async () => {
    const { output, dones } = queue();
    output.push(new Uint8Array(HOLD_BACK_BYTES + 3 * PIECE_BYTES));
    let room = false;
    const waiting = output.room().then(() => (room = true));
    dones.splice(0, 3).forEach((done) => done());
    await Promise.resolve();
    expect(room).toBe(false);
    dones.shift()!();
    await waiting;
    expect(room).toBe(true);
  });

  it('never lets more than 1 MiB wait, and never leaves anything out in silence', () => {
    const { output, drawn, dones, handled } = queue();
    for (let round = 0; round < 100; ++round) output.push(new Uint8Array(PIECE_BYTES));
    expect(output.waiting).toBe(MAX_WAITING_BYTES);
    const skipped = 100 * PIECE_BYTES - MAX_WAITING_BYTES;
    while (dones.length > 0) dones.shift()!();
    expect(text(drawn[drawn.length - 1]!)).toContain(`[${skipped} left out]`);
    expect(handled.reduce((sum, [bytes]) => sum + bytes, 0)).toBe(100 * PIECE_BYTES);
  });
});

describe('InputQueue', () => {
  function queue() {
    const state = { allowance: Infinity, buffered: 0, sent: '' };
    const input = new InputQueue({
      allowance: () => state.allowance,
      buffered: () => state.buffered,
      send: (bytes) => {
        state.sent += text(bytes);
        state.allowance -= bytes.length;
      },
    });
    return { state, input };
  }

  it('keeps the order and waits for allowance', () => {
    const { state, input } = queue();
    state.allowance = 3;
    input.type(bytesOf('ab'));
    input.type(bytesOf('cd'));
    expect(state.sent).toBe('abc');
    state.allowance = 10;
    input.pump();
    expect(state.sent).toBe('abcd');
    expect(input.isEmpty).toBe(true);
  });

  it('sends nothing while the socket is full', () => {
    const { state, input } = queue();
    state.buffered = MAX_BUFFERED_BYTES;
    input.type(bytesOf('x'));
    expect(state.sent).toBe('');
    state.buffered = 0;
    input.pump();
    expect(state.sent).toBe('x');
  });

  it('tells the progress of a paste of 10 MiB, byte for byte', () => {
    const { state, input } = queue();
    const body = '0123456789'.repeat(1024 * 1024);
    state.allowance = 0;
    input.paste(paste(body));
    let rounds = 0;
    while (!input.isEmpty) {
      expect(input.progress).toEqual({ sent: state.sent.length, total: body.length });
      state.allowance = 256 * 1024;
      input.pump();
      ++rounds;
    }
    expect(rounds).toBe(40);
    expect(input.progress).toBeUndefined();
    expect(state.sent).toBe(body);
  });

  it('gives up a paste, but closes its bracket and sends what is typed', () => {
    const { state, input } = queue();
    state.allowance = 5;
    input.paste(paste('paste', '(', ')'));
    input.type(bytesOf('x'));
    input.cancelPaste();
    state.allowance = 10;
    input.pump();
    expect(state.sent).toBe('(past)x');
    expect(input.progress).toBeUndefined();
  });

  it('closes no bracket that was never opened, and none in the middle of the opening one', () => {
    const given = (allowance: number) => {
      const { state, input } = queue();
      state.allowance = allowance;
      input.type(bytesOf('a'));
      input.paste(paste('first', '<<', '>>'));
      input.paste(paste('second', '<<', '>>'));
      input.type(bytesOf('b'));
      input.cancelPaste();
      state.allowance = 100;
      input.pump();
      return state.sent;
    };
    expect(given(0)).toBe('ab');
    expect(given(1)).toBe('ab');
    expect(given(2)).toBe('a<<>>b');
    expect(given(3)).toBe('a<<>>b');
    expect(given(5)).toBe('a<<fi>>b');
    expect(given(9)).toBe('a<<first>>b');
    expect(given(10)).toBe('a<<first>>b');
    expect(given(11)).toBe('a<<first>><<>>b');
    expect(given(13)).toBe('a<<first>><<s>>b');
  });
});
