// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// The Console's side of a Telnet stream, as OS 11 devices serve it. Agrees byte for byte with
// terminal/telnet_client of the repository: both are checked with terminal/testdata/telnet_vectors.json.
// Sans-I/O.
//
// Agrees to ECHO and SGA of the peer, to SGA, TTYPE and NAWS of its own, to BINARY both ways, and
// refuses all else; never opens a negotiation, and never answers what changes nothing (RFC 1143).
import { clampCells } from './console_end';

const IAC = 255;
const DONT = 254;
const DO = 253;
const WONT = 252;
const WILL = 251;
const SB = 250;
const SE = 240;

const BINARY = 0;
const ECHO = 1;
const SGA = 3;
const TTYPE = 24;
const NAWS = 31;

const CR = 13;
const TTYPE_IS = 0;
const TTYPE_SEND = 1;

const OURS = new Set([BINARY, SGA, TTYPE, NAWS]);
const THEIRS = new Set([BINARY, ECHO, SGA]);

// The longest subnegotiation that is heard, in bytes of payload.
const MAX_SUBNEGOTIATION_BYTES = 256;
const MAX_TERMINAL_TYPE_BYTES = 40;

type State = 'data' | 'iac' | 'option' | 'sub-option' | 'sub' | 'sub-iac';

// Bytes that grow by doubling.
class ByteBuffer {
  private bytes: Uint8Array<ArrayBuffer>;
  private size = 0;
  constructor(capacity: number) {
    this.bytes = new Uint8Array(Math.max(16, capacity));
  }
  push(byte: number): void {
    this.reserve(1);
    this.bytes[this.size++] = byte;
  }
  append(bytes: Uint8Array): void {
    this.reserve(bytes.length);
    this.bytes.set(bytes, this.size);
    this.size += bytes.length;
  }
  view(): Uint8Array<ArrayBuffer> {
    return this.bytes.subarray(0, this.size);
  }
  private reserve(more: number): void {
    if (this.size + more <= this.bytes.length) return;
    const grown = new Uint8Array(Math.max(2 * this.bytes.length, this.size + more));
    grown.set(this.bytes);
    this.bytes = grown;
  }
}

export interface Received {
  // For the terminal.
  output: Uint8Array<ArrayBuffer>;
  // For the network, before anything that encode gives later.
  answers: Uint8Array<ArrayBuffer>;
}

export class TelnetClient {
  private state: State = 'data';
  private command = 0;
  private subOption = 0;
  private subPayload: number[] = [];
  private readonly on = { ours: new Set<number>(), theirs: new Set<number>() };
  private afterCr = false;
  private readonly terminalType: Uint8Array;
  private output = new ByteBuffer(0);
  private answers = new ByteBuffer(0);

  // `terminalType` is told when asked for: at most 40 printable characters without spaces, else
  // "xterm". The size is told once NAWS is agreed.
  constructor(
    terminalType: string,
    private columns: number,
    private rows: number,
  ) {
    const usable = /^[\x21-\x7e]+$/.test(terminalType) && terminalType.length <= MAX_TERMINAL_TYPE_BYTES;
    this.terminalType = new TextEncoder().encode(usable ? terminalType : 'xterm');
  }

  // What bytes from the network mean.
  receive(bytes: Uint8Array): Received {
    this.output = new ByteBuffer(bytes.length);
    this.answers = new ByteBuffer(0);
    for (let at = 0; at < bytes.length; ++at) {
      if (this.state === 'data') {
        const next = bytes.indexOf(IAC, at);
        const end = next < 0 ? bytes.length : next;
        this.data(bytes.subarray(at, end));
        at = end;
        if (next >= 0) this.state = 'iac';
      } else {
        this.step(bytes[at]!);
      }
    }
    return { output: this.output.view(), answers: this.answers.view() };
  }

  // What is typed, as the network wants it: 0xFF doubled and, unless BINARY is agreed, CR followed
  // by NUL (RFC 854).
  encode(typed: Uint8Array): Uint8Array<ArrayBuffer> {
    const sent = new ByteBuffer(typed.length);
    const padsCr = !this.on.ours.has(BINARY);
    for (const byte of typed) {
      sent.push(byte);
      if (byte === IAC) sent.push(IAC);
      if (byte === CR && padsCr) sent.push(0);
    }
    return sent.view();
  }

  // The window has another size: what to tell the peer now; empty until NAWS is agreed.
  resize(columns: number, rows: number): Uint8Array<ArrayBuffer> {
    this.columns = clampCells(columns);
    this.rows = clampCells(rows);
    this.answers = new ByteBuffer(0);
    if (this.on.ours.has(NAWS)) this.tellSize();
    return this.answers.view();
  }

  private data(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    let begin = 0;
    // The NUL after a CR is padding, unless what the peer sends is BINARY.
    const isPadding = (at: number) =>
      bytes[at] === 0 && (at === 0 ? this.afterCr : bytes[at - 1] === CR) && !this.on.theirs.has(BINARY);
    if (isPadding(0)) begin = 1;
    for (let at = bytes.indexOf(0, Math.max(1, begin)); at >= 0; at = bytes.indexOf(0, at + 1)) {
      if (!isPadding(at)) continue;
      this.output.append(bytes.subarray(begin, at));
      begin = at + 1;
    }
    this.output.append(bytes.subarray(begin));
    this.afterCr = bytes[bytes.length - 1] === CR;
  }

  private step(byte: number): void {
    switch (this.state) {
      case 'iac':
        this.afterIac(byte);
        return;
      case 'option':
        this.state = 'data';
        this.negotiate(byte);
        return;
      case 'sub-option':
        this.subOption = byte;
        this.subPayload = [];
        this.state = 'sub';
        return;
      case 'sub':
        if (byte === IAC) this.state = 'sub-iac';
        else this.keep(byte);
        return;
      case 'sub-iac':
        this.state = 'sub';
        if (byte === IAC) {
          this.keep(byte);
        } else {
          this.subnegotiated();
          // Ended by another command, which counts.
          this.state = 'data';
          if (byte !== SE) this.afterIac(byte);
        }
        return;
      case 'data':
        this.data(Uint8Array.of(byte));
    }
  }

  private afterIac(byte: number): void {
    this.state = 'data';
    if (byte === IAC) {
      this.data(Uint8Array.of(IAC));
    } else if (byte === SB) {
      this.state = 'sub-option';
    } else if (byte >= WILL && byte <= DONT) {
      this.command = byte;
      this.state = 'option';
    }
  }

  private keep(byte: number): void {
    if (this.subPayload.length < MAX_SUBNEGOTIATION_BYTES) this.subPayload.push(byte);
  }

  private negotiate(option: number): void {
    const isOurs = this.command === DO || this.command === DONT;
    const wanted = this.command === DO || this.command === WILL;
    const set = isOurs ? this.on.ours : this.on.theirs;
    if (wanted === set.has(option)) return;
    const agrees = wanted && (isOurs ? OURS : THEIRS).has(option);
    const answer = isOurs ? (agrees ? WILL : WONT) : agrees ? DO : DONT;
    this.answer([IAC, answer, option]);
    if (agrees) set.add(option);
    else set.delete(option);
    if (isOurs && agrees && option === NAWS) this.tellSize();
  }

  private subnegotiated(): void {
    const asks = this.subPayload.length === 1 && this.subPayload[0] === TTYPE_SEND;
    if (this.subOption !== TTYPE || !asks || !this.on.ours.has(TTYPE)) return;
    this.answer([IAC, SB, TTYPE, TTYPE_IS, ...this.terminalType, IAC, SE]);
  }

  private tellSize(): void {
    const cells = [this.columns >> 8, this.columns & 255, this.rows >> 8, this.rows & 255];
    const doubled = cells.flatMap((byte) => (byte === IAC ? [IAC, IAC] : [byte]));
    this.answer([IAC, SB, NAWS, ...doubled, IAC, SE]);
  }

  private answer(bytes: number[]): void {
    for (const byte of bytes) this.answers.push(byte);
  }
}
