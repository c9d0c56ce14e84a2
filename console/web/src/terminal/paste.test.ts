// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// What a paste may hold, and when a person is asked.
import { describe, expect, it } from 'vitest';
import { cleanPaste, LARGE_PASTE_CHARACTERS, needsConfirmation, preparePaste, summarizePaste } from './paste';

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

describe('paste', () => {
  it('sends line breaks as the Enter key does', () => {
    expect(cleanPaste('a\nb\r\nc\rd\te')).toBe('a\rb\rc\rd\te');
  });

  it('cannot leave its bracket', () => {
    const { head, body, tail } = preparePaste('a\x1b[201~rm -rf\u009b201~\x03', true);
    expect(text(head)).toBe('\x1b[200~');
    expect(text(body)).toBe('a[201~rm -rf201~');
    expect(text(tail)).toBe('\x1b[201~');
  });

  it('keeps every letter of every language', () => {
    const all = 'äß€ 日本語 👩‍👩‍👧 ﷽ \u00a0';
    expect(text(preparePaste(all, false).body)).toBe(all);
  });

  it('asks about several lines and about much', () => {
    expect(needsConfirmation('ls -l')).toBe(false);
    expect(needsConfirmation('ls\n')).toBe(true);
    expect(needsConfirmation('a\rb')).toBe(true);
    expect(needsConfirmation('x'.repeat(LARGE_PASTE_CHARACTERS + 1))).toBe(true);
  });

  it('counts lines', () => {
    expect(summarizePaste('a').lines).toBe(1);
    expect(summarizePaste('a\n').lines).toBe(1);
    expect(summarizePaste('a\nb').lines).toBe(2);
    expect(summarizePaste('a\n\x1b[31mb\n').preview).toBe('a\n[31mb\n');
  });
});
