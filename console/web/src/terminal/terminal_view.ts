// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// xterm.js with its add-ons, keys, clipboard and the policy on escape sequences, around one session
// after the other of one device. Loaded when the first terminal is opened.
import { effect, signal } from '@preact/signals';
import { ClipboardAddon } from '@xterm/addon-clipboard';
import { FitAddon } from '@xterm/addon-fit';
import { SearchAddon } from '@xterm/addon-search';
import { UnicodeGraphemesAddon } from '@xterm/addon-unicode-graphemes';
import { WebLinksAddon } from '@xterm/addon-web-links';
import { WebglAddon } from '@xterm/addon-webgl';
import { Terminal } from '@xterm/xterm';
import '@xterm/xterm/css/xterm.css';
import { change, clampFontSize, resolvedTheme, settings } from '../state/settings';
import { installEscapePolicy, safeLink, type Refused } from './escape_policy';
import { needsConfirmation } from './paste';
import { hasHardwareWebgl } from './renderer';
import type { Screen, SessionServices, Wish } from './session_services';
import { TerminalSession } from './terminal_session';
import { MINIMUM_CONTRAST, TERMINAL_THEMES } from './themes';

const SCROLLBACK_LINES = 10_000;
// Of text().
const TEXT_LINES = 200;
// Ends what a program that went away may have left on: other screen, mouse, bracketed paste, styles.
const RESET_MODES = '\x1b[?1049l\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[!p\x1b[?2004l\x1b[0m';

export interface ViewEvents {
  // Ask the person; pasteNow if they agree.
  onPasteQuestion(text: string): void;
  onLink(url: string): void;
  onRefused(what: Refused): void;
  onFind(): void;
  // The person wants out of the terminal.
  onLeave(): void;
  onCopy(text: string): void;
}

export class TerminalView {
  readonly session = signal<TerminalSession | undefined>(undefined);
  readonly size = signal({ columns: 80, rows: 24 });
  readonly title = signal('');
  readonly found = signal<{ index: number; count: number } | undefined>(undefined);

  private readonly terminal: Terminal;
  private readonly fit = new FitAddon();
  private readonly search = new SearchAddon();
  private readonly disposals: (() => void)[] = [];
  private readonly encoder = new TextEncoder();

  constructor(
    private readonly element: HTMLElement,
    private readonly device: string,
    private readonly wish: Wish,
    label: string,
    private readonly services: SessionServices,
    private readonly events: ViewEvents,
  ) {
    const theme = resolvedTheme();
    this.terminal = new Terminal({
      allowProposedApi: true,
      cursorBlink: !matchMedia('(prefers-reduced-motion: reduce)').matches,
      fontFamily: '"DejaVu Sans Mono", "Cascadia Mono", Menlo, Consolas, monospace',
      fontSize: settings.value.fontSize,
      scrollback: SCROLLBACK_LINES,
      screenReaderMode: settings.value.screenReader,
      theme: TERMINAL_THEMES[theme],
      minimumContrastRatio: MINIMUM_CONTRAST[theme],
      linkHandler: { activate: (_event, text) => this.follow(text) },
      // No window operation and no report of it.
      windowOptions: {},
    });
    this.loadAddons();
    this.terminal.open(element);
    this.terminal.textarea?.setAttribute('aria-label', label);
    this.loadWebgl();
    this.listen();
    this.fit.fit();
    this.noteSize();
  }

  // The first session, and each further one.
  async start(): Promise<void> {
    const before = this.session.value;
    if (before) {
      if (!before.isOver) return;
      await new Promise<void>((done) => this.terminal.write(`${RESET_MODES}\r\n`, done));
    }
    // Measured before the session is asked for, so that the program's first look at it is right.
    this.fit.fit();
    const session = new TerminalSession(this.device, this.screen(), this.services);
    this.session.value = session;
    this.terminal.focus();
    await session.open(this.wish);
  }

  pasteNow(text: string): void {
    this.session.value?.pasteText(text);
    this.terminal.focus();
  }

  // Asks first where the settings say so.
  paste(text: string): void {
    if (!text || this.session.value?.isOver !== false) return;
    // Also where the program takes bracketed pastes: what that does with lines is not known here.
    if (settings.value.confirmPaste && needsConfirmation(text)) this.events.onPasteQuestion(text);
    else this.pasteNow(text);
  }

  copySelection(): boolean {
    const text = this.terminal.getSelection();
    if (text) this.events.onCopy(text);
    return text !== '';
  }

  find(text: string, backwards: boolean): void {
    const decorations = {
      matchBackground: '#8a6d00',
      matchOverviewRuler: '#8a6d00',
      activeMatchBackground: '#c25700',
      activeMatchColorOverviewRuler: '#c25700',
    };
    if (text === '') {
      this.search.clearDecorations();
      // Output that came before this has the add-on search again within 200 ms, now for nothing,
      // which would take away what was selected meanwhile; its hook on output calls that off.
      this.terminal.write('');
      this.found.value = undefined;
    } else if (backwards) {
      this.search.findPrevious(text, { decorations });
    } else {
      this.search.findNext(text, { decorations });
    }
  }

  focus(): void {
    this.terminal.focus();
  }

  // For tests: the last lines of the screen and of what scrolled out of it.
  text(): string {
    const { buffer } = this.terminal;
    const lines = [];
    for (let at = Math.max(0, buffer.active.length - TEXT_LINES); at < buffer.active.length; ++at) {
      lines.push(buffer.active.getLine(at)?.translateToString(true) ?? '');
    }
    return lines.join('\n');
  }

  dispose(): void {
    this.session.value?.close();
    for (const dispose of this.disposals) dispose();
    this.terminal.dispose();
  }

  private screen(): Screen {
    const { terminal } = this;
    return {
      write: (bytes, done) => terminal.write(bytes, done),
      get columns() {
        return terminal.cols;
      },
      get rows() {
        return terminal.rows;
      },
      get bracketedPaste() {
        return terminal.modes.bracketedPasteMode;
      },
    };
  }

  private loadAddons(): void {
    const { terminal } = this;
    terminal.loadAddon(this.fit);
    terminal.loadAddon(this.search);
    terminal.loadAddon(new UnicodeGraphemesAddon());
    terminal.loadAddon(new WebLinksAddon((_event, text) => this.follow(text)));
    const writeText = (_selection: string, text: string) => this.events.onCopy(text);
    terminal.loadAddon(new ClipboardAddon(undefined, { readText: () => '', writeText }));
    const allowed = () => ({
      clipboardWrite: settings.value.allowClipboard,
      title: settings.value.allowTitle,
    });
    installEscapePolicy(terminal.parser, allowed, {
      onTitle: (text) => (this.title.value = text),
      onRefused: (what) => this.events.onRefused(what),
    });
    this.search.onDidChangeResults(({ resultIndex, resultCount }) => {
      this.found.value = { index: resultIndex + 1, count: resultCount };
    });
  }

  // Drawing by the graphics card; without one xterm.js draws with the document.
  private loadWebgl(): void {
    if (!hasHardwareWebgl()) return;
    try {
      const webgl = new WebglAddon();
      webgl.onContextLoss(() => webgl.dispose());
      this.terminal.loadAddon(webgl);
    } catch {
      // No WebGL here.
    }
  }

  private follow(text: string): void {
    const url = safeLink(text);
    if (url) this.events.onLink(url);
  }

  private noteSize(): void {
    this.size.value = { columns: this.terminal.cols, rows: this.terminal.rows };
  }

  private listen(): void {
    const { terminal, element } = this;
    terminal.onData((data) => this.session.value?.type(this.encoder.encode(data)));
    terminal.onBinary((data) =>
      this.session.value?.type(Uint8Array.from(data, (character) => character.charCodeAt(0))),
    );
    terminal.onResize(({ cols, rows }) => {
      this.noteSize();
      this.session.value?.resize(cols, rows);
    });
    terminal.attachCustomKeyEventHandler((event) => this.onKey(event));

    let frame = 0;
    const observer = new ResizeObserver(() => {
      cancelAnimationFrame(frame);
      // A hidden tab has no size; its terminal keeps the one it had.
      frame = requestAnimationFrame(() => {
        if (element.clientWidth > 0 && element.clientHeight > 0) this.fit.fit();
      });
    });
    observer.observe(element);
    this.disposals.push(() => observer.disconnect());

    // Before xterm.js sees it.
    const onPaste = (event: ClipboardEvent) => {
      event.preventDefault();
      event.stopImmediatePropagation();
      this.paste(event.clipboardData?.getData('text/plain') ?? '');
    };
    element.addEventListener('paste', onPaste, { capture: true });
    this.disposals.push(
      effect(() => {
        const theme = resolvedTheme();
        terminal.options.theme = TERMINAL_THEMES[theme];
        terminal.options.minimumContrastRatio = MINIMUM_CONTRAST[theme];
        terminal.options.screenReaderMode = settings.value.screenReader;
        if (terminal.options.fontSize !== settings.value.fontSize) {
          terminal.options.fontSize = settings.value.fontSize;
          this.fit.fit();
        }
      }),
    );
  }

  // False for keys that are not the program's.
  private onKey(event: KeyboardEvent): boolean {
    const action = this.actionFor(event);
    if (!action) return true;
    if (event.type !== 'keydown') return false;
    if (action === 'browser') return false;
    event.preventDefault();
    action();
    return false;
  }

  private actionFor(event: KeyboardEvent): (() => void) | 'browser' | undefined {
    const { ctrlKey, shiftKey, altKey, metaKey, code, key } = event;
    const modified = ctrlKey || shiftKey || altKey || metaKey;
    // A key that is held down was meant for the program that has just ended.
    if (key === 'Enter' && !modified && this.session.value?.isOver && !event.repeat) return () => void this.start();
    if (key === 'F6' && ctrlKey && !altKey && !shiftKey) return () => this.events.onLeave();
    // The browser pastes, which gives the page a paste event with the text.
    if (key === 'Insert' && shiftKey && !ctrlKey) return 'browser';
    if (key === 'Insert' && ctrlKey && !shiftKey) return () => void this.copySelection();
    if (metaKey && !ctrlKey && code === 'KeyC') return () => void this.copySelection();
    if (metaKey && !ctrlKey && code === 'KeyV') return 'browser';
    if (!ctrlKey || !shiftKey || altKey) return undefined;
    const actions: Record<string, (() => void) | 'browser'> = {
      KeyC: () => void this.copySelection(),
      KeyV: 'browser',
      KeyF: () => this.events.onFind(),
      Equal: () => this.changeFontSize(1),
      NumpadAdd: () => this.changeFontSize(1),
      Minus: () => this.changeFontSize(-1),
      NumpadSubtract: () => this.changeFontSize(-1),
    };
    return actions[code];
  }

  private changeFontSize(step: number): void {
    change({ fontSize: clampFontSize(settings.value.fontSize + step) });
  }
}
