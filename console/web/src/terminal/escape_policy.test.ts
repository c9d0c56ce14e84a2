// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Hostile escape sequences against a real xterm.js without a page: nothing is written to the
// clipboard, no title set and nothing typed unless it is allowed.
import { Terminal } from '@xterm/headless';
import { describe, expect, it } from 'vitest';
import { cleanTitle, installEscapePolicy, safeLink, type EscapeSettings } from './escape_policy';

interface Seen {
  typed: string;
  titles: string[];
  xtermTitles: string[];
  refused: string[];
  toAddon: string[];
}

async function play(sequence: string, settings: Partial<EscapeSettings> = {}): Promise<Seen> {
  const terminal = new Terminal({ allowProposedApi: true });
  const seen: Seen = { typed: '', titles: [], xtermTitles: [], refused: [], toAddon: [] };
  terminal.onData((data) => (seen.typed += data));
  terminal.onTitleChange((title) => seen.xtermTitles.push(title));
  // Where the clipboard add-on stands.
  terminal.parser.registerOscHandler(52, (data) => {
    seen.toAddon.push(data);
    return true;
  });
  installEscapePolicy(terminal.parser, () => ({ clipboardWrite: false, title: false, ...settings }), {
    onTitle: (title) => seen.titles.push(title),
    onRefused: (what) => seen.refused.push(what),
  });
  await new Promise<void>((done) => terminal.write(sequence, done));
  return seen;
}

describe('escape policy', () => {
  it('refuses to write the clipboard', async () => {
    const seen = await play('\x1b]52;c;aGk=\x07\x1b]52;p;aGk=\x1b\\');
    expect(seen.refused).toEqual(['clipboard-write', 'clipboard-write']);
    expect(seen.toAddon).toEqual([]);
  });

  it('lets the clipboard be written when that is allowed, up to a length', async () => {
    expect((await play('\x1b]52;c;aGk=\x07', { clipboardWrite: true })).toAddon).toEqual(['c;aGk=']);
    const much = await play(`\x1b]52;c;${'A'.repeat(1024 * 1024 + 1)}\x07`, { clipboardWrite: true });
    expect(much.toAddon).toEqual([]);
  });

  it('never lets the clipboard be read', async () => {
    const seen = await play('\x1b]52;c;?\x07', { clipboardWrite: true });
    expect(seen.refused).toEqual(['clipboard-read']);
    expect(seen.toAddon).toEqual([]);
    expect(seen.typed).toBe('');
  });

  it('sets no title unless that is allowed, and then a harmless one', async () => {
    const refused = await play('\x1b]0;a\x07\x1b]2;b\x07\x1b]1;c\x07');
    expect(refused.titles).toEqual([]);
    expect(refused.xtermTitles).toEqual([]);
    const allowed = await play('\x1b]0;vim \u202etxt.exe\x07', { title: true });
    expect(allowed.titles).toEqual(['vim txt.exe']);
    expect(cleanTitle('x'.repeat(1000)).length).toBe(128);
  });

  it('does no window operation and reports none', async () => {
    for (const operation of ['1', '2', '3;0;0', '4;100;100', '8;1;1', '9;1', '11', '13', '14', '18', '19', '20', '21', '22;0', '23;0']) {
      const seen = await play(`\x1b[${operation}t`);
      expect(seen.typed, operation).toBe('');
    }
  });

  it('types nothing that the program chose', async () => {
    const hostile = [
      '\x1b]0;rm -rf /\r\x07\x1b[21t',
      '\x1b]50;?\x07',
      '\x1bP$qrm -rf /\r\x1b\\',
      '\x1bP+q726d\x1b\\',
      '\x1b]1337;ReportVariable=cm0=\x07',
      '\x1b]7;file://rm\x07',
      '\x1b]9;rm\r\x07',
      '\x1b]777;notify;rm;rm\x07',
      '\x05',
    ];
    for (const sequence of hostile) {
      const { typed } = await play(sequence, { title: true, clipboardWrite: true });
      expect(typed, JSON.stringify(sequence)).not.toMatch(/rm|\r|\n/);
    }
  });

  it('opens web addresses alone', () => {
    expect(safeLink('https://example.org/a?b')).toBe('https://example.org/a?b');
    for (const bad of ['javascript:alert(1)', 'file:///etc/passwd', 'data:text/html,x', 'x', 'https://bank.example@evil.example/', 'ssh://x']) {
      expect(safeLink(bad), bad).toBeUndefined();
    }
  });
});
