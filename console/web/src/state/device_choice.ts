// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// What a person filters the device list by: kept in the page's address, so that reloading, going back
// and a bookmark find it again. Used by the device list and what leads to it.
import { signal } from '@preact/signals';

export interface DeviceChoice {
  text: string;
  state: '' | 'ONLINE' | 'OFFLINE';
  os: '' | 'OS_12' | 'OS_11';
  via: string;
  // As typed: separated by blanks or commas. A device has them all.
  tags: string;
}

export const NO_CHOICE: DeviceChoice = { text: '', state: '', os: '', via: '', tags: '' };
// What a choice is called in the address.
const NAMES = { text: 'q', state: 'state', os: 'os', via: 'via', tags: 'tags' } as const;
export const MAX_FILTER_CHARACTERS = 256;

// Outlives the device list, so that coming back finds the same search.
export const choice = signal<DeviceChoice>(NO_CHOICE);

// The server's filter for what the person chose.
export function deviceFilter({ text, state, os, via, tags }: DeviceChoice): string {
  const terms = [];
  if (state) terms.push(`state=${state}`);
  if (os) terms.push(`os=${os}`);
  if (via === 'DIRECT') terms.push('via=DIRECT');
  else if (via) terms.push(`icg=${via}`);
  terms.push(...splitTags(tags).map((tag) => `tag=${tag}`));
  // Last, since half a word finds more, and half of another term something else.
  terms.push(text.trim());
  return terms.filter(Boolean).join(' ').slice(0, MAX_FILTER_CHARACTERS);
}

// The tags in what a person typed.
export function splitTags(text: string): string[] {
  return text.split(/[\s,]+/).filter(Boolean);
}

// The address of the device list with `chosen`.
export function devicesPath(chosen: DeviceChoice): string {
  const query = new URLSearchParams();
  for (const [name, short] of Object.entries(NAMES)) {
    const value = chosen[name as keyof DeviceChoice];
    if (value) query.set(short, value);
  }
  const text = query.toString();
  return text ? `#/devices?${text}` : '#/devices';
}

// What an address chooses, as far as it makes sense; absent if it chooses nothing.
export function choiceIn(hash: string): DeviceChoice | undefined {
  const [path, text] = hash.split('?', 2);
  if (!text || !/^#?\/?devices$/.test(path!)) return undefined;
  const query = new URLSearchParams(text);
  const of = (name: keyof DeviceChoice) => (query.get(NAMES[name]) ?? '').slice(0, MAX_FILTER_CHARACTERS);
  const state = of('state');
  const os = of('os');
  const via = of('via');
  return {
    text: of('text'),
    state: state === 'ONLINE' || state === 'OFFLINE' ? state : '',
    os: os === 'OS_12' || os === 'OS_11' ? os : '',
    via: /^(DIRECT|icgs\/[a-z0-9-]+)$/.test(via) ? via : '',
    tags: of('tags'),
  };
}
