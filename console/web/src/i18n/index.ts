// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// The texts in the language that is set. t() is reactive: what calls it while drawing is drawn again
// when the language changes.
import { settings } from '../state/settings';
import { de } from './de';
import { en, type TextKey } from './en';

export type { TextKey };

const dictionaries = { en, de } as const;

export function fill(text: string, values: Record<string, string | number> = {}): string {
  return text.replace(/\{(\w+)\}/g, (all, name: string) => String(values[name] ?? all));
}

export function t(key: TextKey, values?: Record<string, string | number>): string {
  return fill(dictionaries[settings.value.language][key], values);
}

export function isTextKey(key: string): key is TextKey {
  return key in en;
}

// The sentence for an enum's value, or the value itself if it is newer than this page.
export function tEnum(prefix: string, value: string): string {
  const key = `${prefix}.${value}`;
  return isTextKey(key) ? t(key) : value;
}

// The browser's own way of writing dates and numbers, if it is of the language that is set.
function locale(): string {
  const { language } = settings.value;
  const own = globalThis.navigator?.language ?? language;
  return own.startsWith(language) ? own : language;
}

// A dash where there is none.
export function formatTime(time: string | undefined): string {
  if (!time) return '–';
  const format = new Intl.DateTimeFormat(locale(), {
    dateStyle: 'short',
    timeStyle: 'medium',
  });
  return format.format(new Date(time));
}

const UNITS = [
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
] as const;

// "5 minutes ago", "in 3 days"; of what is longer ago or further off than a month, the day.
export function formatRelative(time: string, now: number): string {
  const seconds = (Date.parse(time) - now) / 1000;
  if (Math.abs(seconds) > 30 * 86_400) {
    return new Intl.DateTimeFormat(locale(), { dateStyle: 'medium' }).format(new Date(time));
  }
  const format = new Intl.RelativeTimeFormat(locale(), { numeric: 'auto' });
  const [unit, size] = UNITS.find(([, length]) => Math.abs(seconds) >= length) ?? ['second', 60];
  // What ends in 7 days does not end in 6 the moment after.
  const whole = seconds > 0 ? Math.round(seconds / size) : Math.ceil(seconds / size);
  return unit === 'second' ? t('common.justNow') : format.format(whole, unit);
}

export function formatNumber(value: number): string {
  return new Intl.NumberFormat(locale()).format(value);
}

export function formatBytes(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    ++unit;
  }
  const digits = unit === 0 || value >= 100 ? 0 : 1;
  const format = new Intl.NumberFormat(locale(), { maximumFractionDigits: digits });
  return `${format.format(value)} ${units[unit]}`;
}
