// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Lists that are loaded a page at a time, and kept up to date, for pages.
import { useSignal } from '@preact/signals';
import { useEffect, useMemo, useRef } from 'preact/hooks';
import { PagedList, type LoadPage } from '../state/paged_list';

export interface Pages<Item> {
  // Absent until the first page is there.
  items: readonly Item[] | undefined;
  // Why the last call failed, if it did.
  error: unknown;
  hasMore: boolean;
  busy: boolean;
  loadMore(): Promise<void>;
  // Brings what is loaded up to date.
  refresh(): Promise<void>;
}

// `load` gives the page that belongs to a token. Starts again whenever `key` changes.
export function usePages<Item extends { name: string }>(
  key: string,
  pageSize: number,
  load: LoadPage<Item>,
): Pages<Item> {
  const version = useSignal(0);
  const list = useMemo(() => new PagedList<Item>(pageSize, () => version.value++), []);
  const latest = useRef(load);
  latest.current = load;
  useEffect(() => {
    void list.start(latest.current);
    return () => list.stop();
  }, [key]);
  void version.value;
  const { items, error, hasMore, busy } = list;
  return {
    items,
    error,
    hasMore,
    busy,
    loadMore: () => list.loadMore(latest.current),
    refresh: () => list.refresh(latest.current),
  };
}

const REFRESH_MILLISECONDS = 5_000;

// Looks again and again while the page is seen, unless `paused`: for what the server has no stream of.
export function useRefresh<Item>(pages: Pages<Item>, paused = false): void {
  const look = () => {
    if (!document.hidden && !pages.busy && !paused) void pages.refresh();
  };
  const latest = useRef(look);
  latest.current = look;
  useEffect(() => {
    const timer = setInterval(() => latest.current(), REFRESH_MILLISECONDS);
    return () => clearInterval(timer);
  }, []);
}
