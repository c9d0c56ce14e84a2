// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// What a person has chosen, kept in this browser.
import { effect, signal } from '@preact/signals';

export type Language = 'en' | 'de';
export type Theme = 'system' | 'light' | 'dark' | 'contrast';

export interface Settings {
  language: Language;
  theme: Theme;
  fontSize: number;
  screenReader: boolean;
  confirmPaste: boolean;
  allowTitle: boolean;
  allowClipboard: boolean;
}

const KEY = 'fairlead.settings';
export const MIN_FONT_SIZE = 8;
export const MAX_FONT_SIZE = 40;

function defaults(): Settings {
  const language = globalThis.navigator?.language ?? 'en';
  return {
    language: language.startsWith('de') ? 'de' : 'en',
    theme: 'system',
    fontSize: 14,
    screenReader: false,
    confirmPaste: true,
    allowTitle: false,
    allowClipboard: false,
  };
}

// What was kept, as far as it is of the right kind; it may be of another version.
export function readSettings(text: string | null): Settings {
  const settings = defaults();
  let kept: Partial<Record<keyof Settings, unknown>>;
  try {
    kept = JSON.parse(text ?? '{}') as typeof kept;
  } catch {
    return settings;
  }
  if (kept === null || typeof kept !== 'object') return settings;
  if (kept.language === 'en' || kept.language === 'de') settings.language = kept.language;
  const theme = kept.theme;
  if (theme === 'light' || theme === 'dark' || theme === 'contrast') settings.theme = theme;
  if (typeof kept.fontSize === 'number') settings.fontSize = clampFontSize(kept.fontSize);
  for (const name of ['screenReader', 'confirmPaste', 'allowTitle', 'allowClipboard'] as const) {
    if (typeof kept[name] === 'boolean') settings[name] = kept[name];
  }
  return settings;
}

export function clampFontSize(size: number): number {
  return Math.min(MAX_FONT_SIZE, Math.max(MIN_FONT_SIZE, Math.round(size) || 14));
}

const storage = (): Storage | undefined => {
  try {
    return globalThis.localStorage;
  } catch {
    // Storage may be forbidden; then nothing is kept.
    return undefined;
  }
};

export const settings = signal<Settings>(readSettings(storage()?.getItem(KEY) ?? null));

export function change(changes: Partial<Settings>): void {
  settings.value = { ...settings.value, ...changes };
}

export type ResolvedTheme = 'light' | 'dark' | 'contrast';

const prefersDark = signal(false);
const prefersContrast = signal(false);

export function resolvedTheme(): ResolvedTheme {
  const { theme } = settings.value;
  if (theme !== 'system') return theme;
  if (prefersContrast.value) return 'contrast';
  return prefersDark.value ? 'dark' : 'light';
}

// Follows the system's preferences and writes choices down. Called once by the page.
export function startSettings(): void {
  const follow = (query: string, into: typeof prefersDark) => {
    const media = matchMedia(query);
    into.value = media.matches;
    media.addEventListener('change', () => (into.value = media.matches));
  };
  follow('(prefers-color-scheme: dark)', prefersDark);
  follow('(prefers-contrast: more)', prefersContrast);
  // Another tab of this browser has changed them.
  addEventListener('storage', (event) => {
    if (event.key === KEY) settings.value = readSettings(event.newValue);
  });
  effect(() => {
    storage()?.setItem(KEY, JSON.stringify(settings.value));
    document.documentElement.dataset.theme = resolvedTheme();
    document.documentElement.lang = settings.value.language;
  });
}
