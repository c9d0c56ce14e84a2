// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Pages: more of them, refreshing, answers out of order, failures.
import { describe, expect, it } from 'vitest';
import { PagedList, type LoadPage } from './paged_list';

interface Row {
  name: string;
}
const rows = (...names: (string | number)[]): Row[] => names.map((name) => ({ name: String(name) }));
const range = (from: number, to: number) =>
  rows(...Array.from({ length: Math.abs(to - from) + 1 }, (_none, at) => from + Math.sign(to - from) * at));

// A server whose rows are newest first: the token is the last name that was given.
function server(all: { rows: Row[] }): LoadPage<Row> {
  return async ({ pageToken, pageSize }) => {
    const first = pageToken ? all.rows.findIndex(({ name }) => Number(name) < Number(pageToken)) : 0;
    const items = first < 0 ? [] : all.rows.slice(first, first + pageSize);
    const more = first >= 0 && first + pageSize < all.rows.length;
    return { items, nextPageToken: more ? items[items.length - 1]!.name : '' };
  };
}
const names = (list: PagedList<Row>) => list.items?.map(({ name }) => name).join(' ');

describe('PagedList', () => {
  it('keeps what was loaded, and the place in it, when it is refreshed', async () => {
    const all = { rows: range(9, 1) };
    const load = server(all);
    const list = new PagedList<Row>(3, () => {});
    await list.start(load);
    await list.loadMore(load);
    expect(names(list)).toBe('9 8 7 6 5 4');
    all.rows = rows(11, 10, 9, 8, 6, 5, 4, 3, 2, 1);
    await list.refresh(load);
    expect(names(list)).toBe('11 10 9 8 6 5 4');
    expect(list.hasMore).toBe(true);
    await list.loadMore(load);
    expect(names(list)).toBe('11 10 9 8 6 5 4 3 2 1');
    expect(list.hasMore).toBe(false);
  });

  it('drops what is gone when all is loaded', async () => {
    const all = { rows: range(4, 1) };
    const list = new PagedList<Row>(3, () => {});
    await list.start(server(all));
    await list.loadMore(server(all));
    all.rows = rows(5, 1);
    await list.refresh(server(all));
    expect(names(list)).toBe('5 1');
    expect(list.hasMore).toBe(false);
  });

  it('asks for more rows than the server gives at once in several calls', async () => {
    const load = server({ rows: range(2500, 1) });
    const sizes: number[] = [];
    const list = new PagedList<Row>(1000, () => {});
    await list.start(load);
    await list.loadMore(load);
    await list.refresh((request, signal) => {
      sizes.push(request.pageSize);
      return load(request, signal);
    });
    expect(sizes).toEqual([1000, 1000]);
    expect(list.items!.length).toBe(2000);
  });

  it('takes no answer to an earlier question', async () => {
    let answer: (() => void) | undefined;
    let aborted: AbortSignal | undefined;
    const slow: LoadPage<Row> = (_request, signal) => {
      aborted = signal;
      return new Promise((resolve) => (answer = () => resolve({ items: rows('unfiltered'), nextPageToken: '' })));
    };
    const list = new PagedList<Row>(3, () => {});
    const first = list.start(slow);
    await list.start(async () => ({ items: rows('filtered'), nextPageToken: '' }));
    expect(aborted!.aborted).toBe(true);
    answer!();
    await first;
    expect(names(list)).toBe('filtered');
    expect(list.busy).toBe(false);
  });

  it('tells a failure from an empty list, and keeps what it has', async () => {
    const failing: LoadPage<Row> = () => Promise.reject(new Error('down'));
    const list = new PagedList<Row>(3, () => {});
    await list.start(failing);
    expect(list.items).toBeUndefined();
    expect(list.error).toEqual(new Error('down'));
    const load = server({ rows: range(3, 1) });
    await list.refresh(load);
    expect(list.error).toBeUndefined();
    await list.refresh(failing);
    expect(names(list)).toBe('3 2 1');
    expect(list.error).toEqual(new Error('down'));
  });
});
