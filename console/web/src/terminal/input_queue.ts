// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Input on its way to the device: what is typed, and pastes of any size, sent in pieces as far as
// the device's acknowledgements and the socket allow. Sans-I/O.

import type { PreparedPaste } from './paste';

export const INPUT_PIECE_BYTES = 16 * 1024;
// The most that may wait in the socket.
export const MAX_BUFFERED_BYTES = 256 * 1024;

// A part of a paste stands between brackets or is one of them; what is typed is neither.
type Part = 'typed' | 'head' | 'body' | 'tail';

interface Item {
  bytes: Uint8Array;
  sent: number;
  part: Part;
}

export interface InputQueueOptions {
  // How many bytes may be sent now.
  allowance(): number;
  // How many bytes wait in the socket.
  buffered(): number;
  send(bytes: Uint8Array): void;
}

export interface PasteProgress {
  sent: number;
  total: number;
}

export class InputQueue {
  private items: Item[] = [];
  private pasteTotal = 0;
  private pasteSent = 0;

  constructor(private readonly options: InputQueueOptions) {}

  type(bytes: Uint8Array): void {
    this.add(bytes, 'typed');
    this.pump();
  }

  paste({ head, body, tail }: PreparedPaste): void {
    this.pasteTotal += body.length;
    this.add(head, 'head');
    this.add(body, 'body');
    this.add(tail, 'tail');
    this.pump();
  }

  private add(bytes: Uint8Array, part: Part): void {
    if (bytes.length > 0) this.items.push({ bytes, sent: 0, part });
  }

  // Absent when no paste is under way.
  get progress(): PasteProgress | undefined {
    if (this.pasteTotal === 0) return undefined;
    return { sent: this.pasteSent, total: this.pasteTotal };
  }

  // Gives up what is left of pastes, so that what is typed next is sent next. A bracket of which the
  // device has something is completed, and closed.
  cancelPaste(): void {
    // What stands first without its head has had that sent.
    let begun = true;
    this.items = this.items.filter((item) => {
      if (item.part === 'head') begun = item.sent > 0;
      return item.part === 'typed' || (item.part !== 'body' && begun);
    });
    this.pasteTotal = 0;
    this.pasteSent = 0;
    this.pump();
  }

  clear(): void {
    this.items = [];
    this.pasteTotal = 0;
    this.pasteSent = 0;
  }

  get isEmpty(): boolean {
    return this.items.length === 0;
  }

  // Sends what may be sent now. Call it when an acknowledgement comes or the socket has drained.
  pump(): void {
    while (this.items.length > 0 && this.options.buffered() < MAX_BUFFERED_BYTES) {
      const item = this.items[0]!;
      const size = Math.min(INPUT_PIECE_BYTES, item.bytes.length - item.sent, this.options.allowance());
      if (size <= 0 && item.bytes.length > item.sent) return;
      if (size > 0) this.options.send(item.bytes.subarray(item.sent, item.sent + size));
      item.sent += size;
      if (item.part === 'body') this.pasteSent += size;
      if (item.sent === item.bytes.length) this.items.shift();
      if (this.pasteSent === this.pasteTotal) {
        this.pasteSent = 0;
        this.pasteTotal = 0;
      }
    }
  }
}
