// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// What a program on the device may do to the page by escape sequences. Refused unless the person
// allows it: writing the clipboard (OSC 52) and setting the title (OSC 0, 1, 2). Refused always:
// reading the clipboard, whose answer would be typed into the terminal. Window operations and
// reports (CSI t) are refused by xterm.js itself, which asks no handler before. docs/security.md
// lists it all.
import { plainText } from './console_end';

export interface EscapeSettings {
  clipboardWrite: boolean;
  title: boolean;
}

export type Refused = 'clipboard-write' | 'clipboard-read' | 'title';

export interface EscapeEvents {
  onTitle(text: string): void;
  onRefused(what: Refused): void;
}

// The part of xterm's parser that is used; a handler that returns true ends the sequence.
export interface EscapeParser {
  registerOscHandler(id: number, handler: (data: string) => boolean): unknown;
}

export const MAX_TITLE_CHARACTERS = 128;
// Of base64; more is refused.
export const MAX_CLIPBOARD_CHARACTERS = 1024 * 1024;

// Characters that change the direction of text could make a title read as something else.
const DIRECTION = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

export function cleanTitle(text: string): string {
  return plainText(text).replace(DIRECTION, '').trim().slice(0, MAX_TITLE_CHARACTERS);
}

// Call it after the add-ons are loaded: the handler that is registered last is asked first.
export function installEscapePolicy(
  parser: EscapeParser,
  settings: () => EscapeSettings,
  events: EscapeEvents,
): void {
  for (const id of [0, 1, 2]) {
    parser.registerOscHandler(id, (data) => {
      if (settings().title) events.onTitle(cleanTitle(data));
      else events.onRefused('title');
      return true;
    });
  }
  parser.registerOscHandler(52, (data) => {
    const payload = data.slice(data.indexOf(';') + 1);
    if (payload.includes('?')) {
      events.onRefused('clipboard-read');
      return true;
    }
    if (!settings().clipboardWrite || payload.length > MAX_CLIPBOARD_CHARACTERS) {
      events.onRefused('clipboard-write');
      return true;
    }
    // On to the clipboard add-on.
    return false;
  });
}

// Only the web's own addresses are opened.
export function safeLink(text: string): string | undefined {
  try {
    const url = new URL(text);
    const isWeb = url.protocol === 'https:' || url.protocol === 'http:';
    // A name before '@' is made to look like the host.
    return isWeb && url.username === '' && url.password === '' ? url.href : undefined;
  } catch {
    return undefined;
  }
}
