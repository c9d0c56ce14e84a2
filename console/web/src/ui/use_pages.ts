// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Lists that are loaded a page at a time.
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { tellError } from '../state/app';

export interface Page<Item> {
  items: readonly Item[];
  nextPageToken: string;
}

export interface Pages<Item> {
  // Absent until the first page is there.
  items: readonly Item[] | undefined;
  hasMore: boolean;
  busy: boolean;
  loadMore(): Promise<void>;
  reload(): Promise<void>;
}

// `load` gives the page that belongs to a token. Starts again whenever `key` changes.
export function usePages<Item>(key: string, load: (pageToken: string) => Promise<Page<Item>>): Pages<Item> {
  const items = useSignal<readonly Item[] | undefined>(undefined);
  const token = useSignal('');
  const busy = useSignal(false);

  const get = async (pageToken: string, before: readonly Item[]) => {
    busy.value = true;
    try {
      const page = await load(pageToken);
      items.value = [...before, ...page.items];
      token.value = page.nextPageToken;
    } catch (error) {
      items.value ??= [];
      tellError(error);
    } finally {
      busy.value = false;
    }
  };
  useEffect(() => void get('', []), [key]);
  return {
    items: items.value,
    hasMore: token.value !== '',
    busy: busy.value,
    loadMore: () => get(token.value, items.value ?? []),
    reload: () => get('', []),
  };
}
