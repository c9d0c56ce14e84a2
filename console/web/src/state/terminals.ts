// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// The open terminals. Each lives until its tab is closed, whatever page is shown.
import { computed, signal } from '@preact/signals';
import { go } from '../router';
import type { Wish } from '../terminal/session_services';

export interface TerminalTab {
  id: string;
  // "devices/X".
  device: string;
  // Tells several on one device apart.
  label: string;
  wish: Wish;
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
// Who opened them.
const owner = signal<string | undefined>(undefined);

// "till 8", then "till 8 · 2": the first number that no open terminal has.
export function labelFor(label: string, taken: readonly string[]): string {
  const numbered = (number: number) => (number === 1 ? label : `${label} · ${number}`);
  let number = 1;
  while (taken.includes(numbered(number))) ++number;
  return numbered(number);
}

export function openTerminal(device: string, name: string, wish: Wish = { reason: '', profile: '' }): void {
  const id = `t${next++}`;
  const label = labelFor(name, terminals.value.map((tab) => tab.label));
  terminals.value = [...terminals.value, { id, device, label, wish }];
  active.value = id;
  go('#/terminals');
}

// Nobody but who opened a terminal goes on with it.
export function handOver(user: string): void {
  if (!belongTo(user)) closeAllTerminals();
  owner.value = user;
}

export function belongTo(user: string | undefined): boolean {
  return owner.value === undefined || owner.value === user;
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
