// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// What is pasted, made fit for a terminal. Pure.

// Larger pastes are asked about even if they are one line.
export const LARGE_PASTE_CHARACTERS = 64 * 1024;

const BRACKET_BEGIN = '\x1b[200~';
const BRACKET_END = '\x1b[201~';

export interface PreparedPaste {
  // The opening bracket, or nothing.
  head: Uint8Array;
  body: Uint8Array;
  // The closing bracket, or nothing.
  tail: Uint8Array;
}

// Line breaks become CR, as the Enter key sends. Other control characters are left out: an ESC could
// close the bracket, and make the rest look typed.
export function cleanPaste(text: string): string {
  return (
    text
      .replace(/\r?\n/g, '\r')
      // eslint-disable-next-line no-control-regex
      .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]/g, '')
  );
}

export function preparePaste(text: string, bracketed: boolean): PreparedPaste {
  const encoder = new TextEncoder();
  return {
    head: encoder.encode(bracketed ? BRACKET_BEGIN : ''),
    body: encoder.encode(cleanPaste(text)),
    tail: encoder.encode(bracketed ? BRACKET_END : ''),
  };
}

export interface PasteSummary {
  lines: number;
  characters: number;
  // The beginning, for a person to look at.
  preview: string;
}

export function summarizePaste(text: string): PasteSummary {
  const clean = cleanPaste(text);
  let breaks = 0;
  for (let at = clean.indexOf('\r'); at >= 0; at = clean.indexOf('\r', at + 1)) ++breaks;
  const lines = breaks + (clean.endsWith('\r') || clean === '' ? 0 : 1);
  const preview = clean.slice(0, 2000).split('\r').slice(0, 12).join('\n');
  return { lines, characters: clean.length, preview };
}

// A line break runs what stands before it, so the person is asked first.
export function needsConfirmation(text: string): boolean {
  return /[\r\n]/.test(text) || text.length > LARGE_PASTE_CHARACTERS;
}
