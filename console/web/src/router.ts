// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// The page's address: what stands after '#'. "#/devices/X" is the device page of X.
import { signal } from '@preact/signals';

export type Route =
  | { page: 'devices' | 'terminals' | 'sessions' | 'audit' | 'keys' | 'icgs' }
  | { page: 'device'; name: string };

const PAGES = ['devices', 'terminals', 'sessions', 'audit', 'keys', 'icgs'] as const;

export function parseRoute(hash: string): Route {
  const [page = '', ...rest] = hash.replace(/^#?\/?/, '').replace(/\?.*$/, '').split('/');
  if (page === 'devices' && rest[0]) {
    try {
      return { page: 'device', name: `devices/${decodeURIComponent(rest[0])}` };
    } catch {
      return { page: 'devices' };
    }
  }
  const found = PAGES.find((name) => name === page);
  return { page: found ?? 'devices' };
}

export function devicePath(name: string): string {
  return `#/devices/${encodeURIComponent(name.replace(/^devices\//, ''))}`;
}

export const route = signal<Route>({ page: 'devices' });

export function go(hash: string): void {
  location.hash = hash;
}

// Called once by the page.
export function startRouter(): void {
  const read = () => (route.value = parseRoute(location.hash));
  addEventListener('hashchange', read);
  read();
}
