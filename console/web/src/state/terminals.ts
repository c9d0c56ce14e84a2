// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// The open terminals. Each lives until its tab is closed, whatever page is shown.
import { computed, signal } from '@preact/signals';
import { go } from '../router';

export interface TerminalTab {
  id: string;
  // "devices/X".
  device: string;
  label: string;
}

// What the tab strip needs to know of a terminal.
export interface TerminalState {
  // A session is open, or about to be.
  running: boolean;
  // It ended and nobody wanted it to.
  alarm: boolean;
  // What the program calls itself, if the person allows that.
  title: string;
  close(): void;
  focus(): void;
}

export const terminals = signal<readonly TerminalTab[]>([]);
export const active = signal<string | undefined>(undefined);
export const tiled = signal(false);
export const states = signal<ReadonlyMap<string, TerminalState>>(new Map());

export const runningCount = computed(
  () => [...states.value.values()].filter((state) => state.running).length,
);

let next = 1;

export function openTerminal(device: string, label: string): void {
  const id = `t${next++}`;
  terminals.value = [...terminals.value, { id, device, label }];
  active.value = id;
  go('#/terminals');
}

export function setState(id: string, state: TerminalState | undefined): void {
  const changed = new Map(states.value);
  if (state) changed.set(id, state);
  else changed.delete(id);
  states.value = changed;
}

export function closeTerminal(id: string): void {
  states.value.get(id)?.close();
  const index = terminals.value.findIndex((tab) => tab.id === id);
  terminals.value = terminals.value.filter((tab) => tab.id !== id);
  setState(id, undefined);
  if (active.value === id) {
    active.value = terminals.value[Math.min(index, terminals.value.length - 1)]?.id;
  }
}

export function closeAllTerminals(): void {
  for (const tab of terminals.value) closeTerminal(tab.id);
}
