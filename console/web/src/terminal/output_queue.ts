// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Output on its way to the screen: cut into pieces so that the page stays responsive, counted so that
// at most 1 MiB waits. A source that can be held back waits for room(), which lets much less wait, since
// a key's echo comes behind it. From one that cannot, what is too much is left out, and said to be.
// Sans-I/O.

export const MAX_WAITING_BYTES = 1024 * 1024;
// From here on a source is held back.
export const HOLD_BACK_BYTES = 128 * 1024;
// Drawn between two looks at the keyboard.
export const PIECE_BYTES = 32 * 1024;

export interface OutputQueueOptions {
  // Draws `bytes`, then calls `done`.
  write(bytes: Uint8Array, done: () => void): void;
  // `bytes` were drawn or left out; nothing else waits if `idle`.
  onHandled(bytes: number, idle: boolean): void;
  // The text that stands for `bytes` that were left out.
  describeSkipped(bytes: number): string;
}

export class OutputQueue {
  private waitingBytes = 0;
  private skipped = 0;
  private waiters: (() => void)[] = [];

  constructor(private readonly options: OutputQueueOptions) {}

  // Not yet drawn.
  get waiting(): number {
    return this.waitingBytes;
  }

  push(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
      this.pushPiece(bytes.subarray(at, at + PIECE_BYTES));
    }
  }

  // Resolves once more may be pushed.
  room(): Promise<void> {
    if (this.waitingBytes < HOLD_BACK_BYTES) return Promise.resolve();
    return new Promise((resolve) => this.waiters.push(resolve));
  }

  private pushPiece(piece: Uint8Array): void {
    if (this.waitingBytes + piece.length > MAX_WAITING_BYTES) {
      this.skipped += piece.length;
      this.options.onHandled(piece.length, false);
      return;
    }
    this.waitingBytes += piece.length;
    this.options.write(piece, () => this.onDrawn(piece.length));
  }

  private onDrawn(bytes: number): void {
    this.waitingBytes -= bytes;
    if (this.skipped > 0 && this.waitingBytes < MAX_WAITING_BYTES / 2) {
      const text = this.options.describeSkipped(this.skipped);
      this.skipped = 0;
      this.options.write(new TextEncoder().encode(`\x1b[0m\r\n${text}\r\n`), () => {});
    }
    this.options.onHandled(bytes, this.waitingBytes === 0);
    if (this.waitingBytes >= HOLD_BACK_BYTES) return;
    const waiters = this.waiters;
    this.waiters = [];
    for (const resolve of waiters) resolve();
  }
}
