// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// The Console's end of a terminal stream: acknowledges output, limits its own unacknowledged input,
// tells how the terminal ended. Mirrors terminal/console_end of the repository, but for the limit before
// the first acknowledgement: a browser takes any amount at once, so that a large paste would be gone
// before a person could see or stop it. Sans-I/O.
import type { TerminalControl } from '../api/generated';

export const ACK_EVERY_BYTES = 64 * 1024;
// The most input that a Console keeps unacknowledged.
export const MAX_UNACKNOWLEDGED_INPUT = 256 * 1024;
export const MAX_CELLS = 1000;
const MAX_CONTROL_FRAME_CHARACTERS = 64 * 1024;

// How the program on the device ended; both absent if the device does not know.
export interface ProgramResult {
  exitCode?: number;
  signal?: string;
}

export type ConsoleEvent =
  | { kind: 'none' | 'attached' | 'peer-attached' | 'peer-detached' | 'acknowledged' | 'ended' }
  // Show `text`, which holds no control characters.
  | { kind: 'notice'; text: string };

export type Outcome =
  | { kind: 'complete' }
  | { kind: 'truncated'; missingBytes: number }
  | { kind: 'no-end' };

// The peer broke the protocol.
export class ProtocolError extends Error {}

export function ackFrame(receivedBytes: number): string {
  return `{"ack":{"receivedBytes":"${receivedBytes}"}}`;
}

export function resizeFrame(columns: number, rows: number): string {
  return JSON.stringify({ resize: { columns: clampCells(columns), rows: clampCells(rows) } });
}

export const CLOSE_FRAME = '{"close":{}}';

export function clampCells(cells: number): number {
  return Math.min(MAX_CELLS, Math.max(1, Math.floor(cells) || 1));
}

// A device must not drive the page or the terminal with a notice.
export function plainText(text: string): string {
  // eslint-disable-next-line no-control-regex
  return text.replace(/[\u0000-\u001f\u007f-\u009f]/g, ' ');
}

// A 64-bit count in JSON: a string, or a number. Counts stay below 2^53.
function count(value: unknown): number {
  const number = typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value ?? 0;
  if (typeof number !== 'number' || !Number.isSafeInteger(number) || number < 0) {
    throw new ProtocolError('a control frame holds a bad count');
  }
  return number;
}

function parse(text: string): Partial<TerminalControl> {
  if (text.length > MAX_CONTROL_FRAME_CHARACTERS) throw new ProtocolError('a control frame is too long');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new ProtocolError('a control frame is not JSON');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new ProtocolError('a control frame is no object');
  }
  return value as Partial<TerminalControl>;
}

// Offsets count payload bytes since the start of the stream.
export class ConsoleEnd {
  private received = 0;
  private ackSent = 0;
  private sent = 0;
  private limited = true;
  private peerAcknowledges = false;
  private acknowledged = 0;
  private programResult: ProgramResult | undefined;
  private totalBytes = 0;
  private endAcknowledged = false;

  // `bytes` of output were received and handled.
  onOutputHandled(bytes: number): void {
    this.received += bytes;
  }

  // The acknowledgement to send now, if one is due. When no more output is waiting, it goes out at
  // once.
  takeAck(idle: boolean): string | undefined {
    const unacknowledged = this.received - this.ackSent;
    const endDue =
      this.programResult !== undefined && !this.endAcknowledged && this.received >= this.totalBytes;
    if (!(unacknowledged >= ACK_EVERY_BYTES || idle || endDue)) return undefined;
    if (unacknowledged === 0 && !endDue) return undefined;
    this.ackSent = this.received;
    if (endDue) this.endAcknowledged = true;
    return ackFrame(this.received);
  }

  get receivedBytes(): number {
    return this.received;
  }

  // How many bytes of input may be sent now.
  inputAllowance(): number {
    if (this.programResult) return 0;
    if (!this.limited) return Number.POSITIVE_INFINITY;
    return Math.max(0, MAX_UNACKNOWLEDGED_INPUT - (this.sent - this.acknowledged));
  }

  // As much as is allowed was sent, and nothing was ever acknowledged.
  get awaitsFirstAck(): boolean {
    return !this.peerAcknowledges && this.inputAllowance() === 0 && !this.programResult;
  }

  // Takes the device for one that never acknowledges: until it does, TCP alone limits the input.
  goOnWithoutAcks(): void {
    if (!this.peerAcknowledges) this.limited = false;
  }

  onInputSent(bytes: number): void {
    this.sent += bytes;
  }

  get sentBytes(): number {
    return this.sent;
  }
  get acknowledgedBytes(): number {
    return this.acknowledged;
  }
  // How the program ended; absent before the `end` frame.
  get result(): ProgramResult | undefined {
    return this.programResult;
  }

  // Errors: ProtocolError malformed, acknowledges more than was sent, or a second `end`.
  onText(text: string): ConsoleEvent {
    const control = parse(text);
    if (control.attached) return { kind: 'attached' };
    if (control.peer) {
      if (control.peer.state === 'ATTACHED') return { kind: 'peer-attached' };
      return { kind: control.peer.state === 'DETACHED' ? 'peer-detached' : 'none' };
    }
    if (control.ack) return this.onAck(count(control.ack.receivedBytes));
    if (control.end) return this.onEnd(control.end);
    if (control.notice) return { kind: 'notice', text: plainText(String(control.notice.text ?? '')) };
    return { kind: 'none' };
  }

  // What is known once the tunnel is closed.
  outcome(): Outcome {
    if (!this.programResult) return { kind: 'no-end' };
    if (this.received >= this.totalBytes) return { kind: 'complete' };
    return { kind: 'truncated', missingBytes: this.totalBytes - this.received };
  }

  private onAck(receivedBytes: number): ConsoleEvent {
    if (receivedBytes > this.sent) {
      throw new ProtocolError(
        `the device acknowledges ${receivedBytes} bytes but only ${this.sent} were sent`,
      );
    }
    this.peerAcknowledges = true;
    this.limited = true;
    this.acknowledged = Math.max(this.acknowledged, receivedBytes);
    return { kind: 'acknowledged' };
  }

  private onEnd(end: NonNullable<Partial<TerminalControl>['end']>): ConsoleEvent {
    if (this.programResult) throw new ProtocolError("the device told the program's end a second time");
    const result: ProgramResult = {};
    if (typeof end.exitCode === 'number') result.exitCode = end.exitCode;
    if (typeof end.signal === 'string') result.signal = plainText(end.signal);
    this.totalBytes = count(end.totalBytes);
    this.programResult = result;
    return { kind: 'ended' };
  }
}
