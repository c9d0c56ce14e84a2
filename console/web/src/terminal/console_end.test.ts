// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// The Console's end of a terminal: acknowledgements, the limit of input, the program's end.
import { describe, expect, it } from 'vitest';
import { ACK_EVERY_BYTES, ConsoleEnd, MAX_UNACKNOWLEDGED_INPUT, ProtocolError, resizeFrame } from './console_end';

const ack = (bytes: number | string) => JSON.stringify({ ack: { receivedBytes: String(bytes) } });

describe('ConsoleEnd', () => {
  it('acknowledges at least every 64 KiB, and at once when idle', () => {
    const end = new ConsoleEnd();
    end.onOutputHandled(ACK_EVERY_BYTES - 1);
    expect(end.takeAck(false)).toBeUndefined();
    end.onOutputHandled(1);
    expect(end.takeAck(false)).toBe('{"ack":{"receivedBytes":"65536"}}');
    expect(end.takeAck(true)).toBeUndefined();
    end.onOutputHandled(1);
    expect(end.takeAck(true)).toBe('{"ack":{"receivedBytes":"65537"}}');
  });

  it('limits input from the first byte on', () => {
    const end = new ConsoleEnd();
    expect(end.inputAllowance()).toBe(MAX_UNACKNOWLEDGED_INPUT);
    end.onInputSent(MAX_UNACKNOWLEDGED_INPUT);
    expect(end.inputAllowance()).toBe(0);
    end.onText(ack(MAX_UNACKNOWLEDGED_INPUT - 5));
    expect(end.inputAllowance()).toBe(MAX_UNACKNOWLEDGED_INPUT - 5);
  });

  it('goes on without acknowledgements for a device that gives none, until it does', () => {
    const end = new ConsoleEnd();
    expect(end.awaitsFirstAck).toBe(false);
    end.onInputSent(MAX_UNACKNOWLEDGED_INPUT);
    expect(end.awaitsFirstAck).toBe(true);
    end.goOnWithoutAcks();
    expect(end.awaitsFirstAck).toBe(false);
    expect(end.inputAllowance()).toBe(Infinity);
    end.onInputSent(MAX_UNACKNOWLEDGED_INPUT);
    end.onText(ack(1));
    expect(end.inputAllowance()).toBe(0);
    end.goOnWithoutAcks();
    expect(end.inputAllowance()).toBe(0);
    expect(end.awaitsFirstAck).toBe(false);
  });

  it('tells how the program ended, and never takes a default of 0', () => {
    const told = (result: object) => {
      const end = new ConsoleEnd();
      expect(end.onText(JSON.stringify({ end: { ...result, totalBytes: '0' } }))).toEqual({ kind: 'ended' });
      expect(end.takeAck(false)).toBe('{"ack":{"receivedBytes":"0"}}');
      expect(end.inputAllowance()).toBe(0);
      return end.result;
    };
    expect(told({ exitCode: 7 })).toEqual({ exitCode: 7 });
    expect(told({ exitCode: 0 })).toEqual({ exitCode: 0 });
    expect(told({ signal: 'SIGKILL' })).toEqual({ signal: 'SIGKILL' });
    expect(told({ unknown: {} })).toEqual({});
  });

  it('tells complete from truncated from lost', () => {
    const end = new ConsoleEnd();
    expect(end.outcome()).toEqual({ kind: 'no-end' });
    end.onOutputHandled(3);
    end.onText('{"end":{"exitCode":0,"totalBytes":"5"}}');
    expect(end.outcome()).toEqual({ kind: 'truncated', missingBytes: 2 });
    expect(end.takeAck(false)).toBeUndefined();
    end.onOutputHandled(2);
    expect(end.outcome()).toEqual({ kind: 'complete' });
    expect(end.takeAck(false)).toBe('{"ack":{"receivedBytes":"5"}}');
  });

  it('refuses what breaks the protocol', () => {
    for (const text of ['', '[]', '1', 'null', '{', ack(1), ack('-1'), ack('x'), '{"end":{"totalBytes":"1e3"}}']) {
      expect(() => new ConsoleEnd().onText(text), text).toThrow(ProtocolError);
    }
    const end = new ConsoleEnd();
    end.onText('{"end":{"exitCode":1,"totalBytes":"0"}}');
    expect(() => end.onText('{"end":{"exitCode":2,"totalBytes":"0"}}')).toThrow(ProtocolError);
    expect(end.result).toEqual({ exitCode: 1 });
  });

  it('ignores what newer peers may say', () => {
    expect(new ConsoleEnd().onText('{"sealed":{"key":"x"}}')).toEqual({ kind: 'none' });
    expect(new ConsoleEnd().onText('{"peer":{"state":"ASLEEP"}}')).toEqual({ kind: 'none' });
  });

  it('shows notices without control characters', () => {
    const event = new ConsoleEnd().onText(JSON.stringify({ notice: { text: 'a\u001b[2Jb\u009bc' } }));
    expect(event).toEqual({ kind: 'notice', text: 'a [2Jb c' });
  });

  it('clamps sizes', () => {
    expect(resizeFrame(0, 5000)).toBe('{"resize":{"columns":1,"rows":1000}}');
    expect(resizeFrame(80.7, NaN)).toBe('{"resize":{"columns":80,"rows":1}}');
  });
});
