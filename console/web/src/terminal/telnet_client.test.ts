// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// The vectors that the C++ decoder is checked with, however the bytes are split, and fuzzing.
import fs from 'node:fs';
import { describe, expect, it } from 'vitest';
import { TelnetClient } from './telnet_client';

interface Step {
  receive?: string;
  output?: string;
  answers?: string;
  type?: string;
  send?: string;
  resize?: [number, number];
}

const file = new URL('../../../../terminal/testdata/telnet_vectors.json', import.meta.url);
const { vectors } = JSON.parse(fs.readFileSync(file, 'utf8')) as {
  vectors: { name: string; steps: Step[] }[];
};

const bytes = (hex: string) => Uint8Array.from(Buffer.from(hex, 'hex'));
const hex = (parts: Uint8Array[]) => Buffer.concat(parts).toString('hex');

function pieces(all: Uint8Array, size: number): Uint8Array[] {
  const list = [];
  for (let at = 0; at < all.length; at += size) list.push(all.slice(at, at + size));
  return list;
}

function play(client: TelnetClient, step: Step, size: number): void {
  if (step.receive !== undefined) {
    const received = pieces(bytes(step.receive), size).map((piece) => client.receive(piece));
    expect(hex(received.map((part) => part.output))).toBe(step.output);
    expect(hex(received.map((part) => part.answers))).toBe(step.answers);
  } else if (step.type !== undefined) {
    expect(hex(pieces(bytes(step.type), size).map((piece) => client.encode(piece)))).toBe(step.send);
  } else {
    expect(hex([client.resize(...step.resize!)])).toBe(step.send);
  }
}

describe('TelnetClient', () => {
  it('is given vectors', () => expect(vectors.length).toBeGreaterThanOrEqual(25));

  for (const { name, steps } of vectors) {
    for (const size of [1, 2, 7, 1 << 20]) {
      it(`${name}, in pieces of ${size}`, () => {
        const client = new TelnetClient('xterm-256color', 80, 24);
        for (const step of steps) play(client, step, size);
      });
    }
  }

  it('gives the same however random bytes are split', () => {
    let seed = 1;
    const random = () => (seed = (seed * 1103515245 + 12345) & 0x7fffffff) >> 8;
    const alphabet = [255, 255, 250, 240, 251, 252, 253, 254, 0, 1, 3, 24, 31, 13, 65];
    for (let round = 0; round < 300; ++round) {
      const input = Uint8Array.from({ length: 200 }, () => alphabet[random() % alphabet.length]!);
      const whole = new TelnetClient('xterm', 80, 24).receive(input);
      const split = new TelnetClient('xterm', 80, 24);
      const parts = [];
      for (let at = 0; at < input.length; ) {
        const end = at + 1 + (random() % 9);
        parts.push(split.receive(input.slice(at, end)));
        at = end;
      }
      expect(hex(parts.map((part) => part.output))).toBe(hex([whole.output]));
      expect(hex(parts.map((part) => part.answers))).toBe(hex([whole.answers]));
      expect(whole.answers.length).toBeLessThanOrEqual(8 * input.length);
    }
  });

  it('tells an unusable terminal type as xterm', () => {
    for (const type of ['', 'x'.repeat(41), 'a b', 'ä']) {
      const { answers } = new TelnetClient(type, 80, 24).receive(bytes('fffd18fffa1801fff0'));
      expect(hex([answers])).toBe('fffb18fffa1800787465726dfff0');
    }
  });
});
