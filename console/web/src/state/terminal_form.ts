// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// What a person changes of a device's settings, apart from what is in force: two people who change
// different settings do not undo each other's work. Pure. Used by the device's page.
import type { Device, TerminalSettings } from '../api/generated';

// As the form shows it. Times are minutes; `undefined` means never.
export interface FormValues {
  enabled: boolean;
  displayName: string;
  defaultProfile: string;
  maxSessions: string;
  idleMinutes: string | undefined;
  lifetimeMinutes: string | undefined;
}

// Only what the person has touched.
export type FormDraft = Partial<FormValues>;

export interface FormChanges {
  terminalSettings?: TerminalSettings;
  displayName?: string;
}

// "90s" is "1.5".
function minutes(duration: string | undefined): string | undefined {
  const seconds = parseFloat(duration ?? '0');
  return seconds > 0 ? String(Math.round((seconds / 60) * 1000) / 1000) : undefined;
}

// "1.5" is "90s".
function duration(minutesTyped: string | undefined): string {
  return minutesTyped === undefined ? '0s' : `${Math.round(Number(minutesTyped) * 60)}s`;
}

export function valuesOf(device: Device): FormValues {
  const terminal = device.terminal ?? {};
  return {
    enabled: terminal.enabled ?? true,
    displayName: device.displayName ?? '',
    defaultProfile: terminal.defaultProfile ?? '',
    maxSessions: String(terminal.maxSessions ?? 16),
    idleMinutes: minutes(terminal.idleTimeout),
    lifetimeMinutes: minutes(terminal.maxLifetime),
  };
}

// What of `draft` differs from `values`, or is not in them.
export function differing(draft: FormDraft, values: FormDraft): FormDraft {
  const entries = Object.entries(draft) as [keyof FormValues, unknown][];
  return Object.fromEntries(entries.filter(([name, value]) => !(name in values) || value !== values[name]));
}

// What is to be sent; nothing of what the person left alone.
export function changesOf(draft: FormDraft): FormChanges {
  const terminal: TerminalSettings = {};
  if (draft.enabled !== undefined) terminal.enabled = draft.enabled;
  if (draft.maxSessions !== undefined) terminal.maxSessions = Number(draft.maxSessions);
  if (draft.defaultProfile !== undefined) terminal.defaultProfile = draft.defaultProfile;
  if ('idleMinutes' in draft) terminal.idleTimeout = duration(draft.idleMinutes);
  if ('lifetimeMinutes' in draft) terminal.maxLifetime = duration(draft.lifetimeMinutes);
  const changes: FormChanges = {};
  if (Object.keys(terminal).length > 0) changes.terminalSettings = terminal;
  if (draft.displayName !== undefined) changes.displayName = draft.displayName;
  return changes;
}
