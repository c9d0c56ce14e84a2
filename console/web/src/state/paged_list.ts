// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// A list that is loaded a page at a time, and brought up to date without losing what was loaded.
// Sans-I/O. Used by ui/use_pages.ts.

export interface Page<Item> {
  items: readonly Item[];
  nextPageToken: string;
}

export interface PageRequest {
  pageToken: string;
  pageSize: number;
}

export type LoadPage<Item> = (request: PageRequest, signal: AbortSignal) => Promise<Page<Item>>;

// The server gives no more at once.
const MAX_PAGE_SIZE = 1000;

export class PagedList<Item extends { name: string }> {
  // Absent until the first page is there.
  items: readonly Item[] | undefined;
  // Why the last call failed; absent after one that did not.
  error: unknown;
  busy = false;
  private nextPageToken = '';
  // What is under way; an answer to an earlier question counts no more.
  private current: AbortController | undefined;

  // `onChange` is told of every change of what is above.
  constructor(
    private readonly pageSize: number,
    private readonly onChange: () => void,
  ) {}

  get hasMore(): boolean {
    return this.nextPageToken !== '';
  }

  // Forgets what is there, for another question.
  async start(load: LoadPage<Item>): Promise<void> {
    this.items = undefined;
    this.nextPageToken = '';
    await this.run(async (signal) => {
      const page = await load({ pageToken: '', pageSize: this.pageSize }, signal);
      return () => this.take(page.items, page.nextPageToken);
    });
  }

  async loadMore(load: LoadPage<Item>): Promise<void> {
    const before = this.items ?? [];
    await this.run(async (signal) => {
      const page = await load({ pageToken: this.nextPageToken, pageSize: this.pageSize }, signal);
      return () => this.take([...before, ...page.items], page.nextPageToken);
    });
  }

  // Asks again for all that is loaded, and replaces it at once.
  async refresh(load: LoadPage<Item>): Promise<void> {
    const before = this.items ?? [];
    const wanted = Math.max(this.pageSize, before.length);
    await this.run(async (signal) => {
      const fresh: Item[] = [];
      let pageToken = '';
      do {
        const pageSize = Math.min(MAX_PAGE_SIZE, wanted - fresh.length);
        const page = await load({ pageToken, pageSize }, signal);
        fresh.push(...page.items);
        pageToken = page.nextPageToken;
        if (page.items.length === 0) break;
      } while (pageToken && fresh.length < wanted);
      return () => {
        const rest = pageToken ? beyond(before, fresh) : [];
        this.take([...fresh, ...rest], rest.length > 0 ? this.nextPageToken : pageToken);
      };
    });
  }

  // What is under way is of no interest any more.
  stop(): void {
    this.current?.abort();
    this.current = undefined;
    this.busy = false;
  }

  private take(items: readonly Item[], nextPageToken: string): void {
    this.items = items;
    this.nextPageToken = nextPageToken;
  }

  private async run(work: (signal: AbortSignal) => Promise<() => void>): Promise<void> {
    this.current?.abort();
    const mine = new AbortController();
    this.current = mine;
    this.busy = true;
    this.onChange();
    try {
      const apply = await work(mine.signal);
      if (this.current !== mine) return;
      apply();
      this.error = undefined;
    } catch (error) {
      if (this.current !== mine) return;
      this.error = error;
    }
    this.current = undefined;
    this.busy = false;
    this.onChange();
  }
}

// What of `before` comes after all that `fresh` has of it: new rows at the top pushed it out.
function beyond<Item extends { name: string }>(before: readonly Item[], fresh: readonly Item[]): readonly Item[] {
  const names = new Set(fresh.map(({ name }) => name));
  for (let at = before.length - 1; at >= 0; --at) {
    if (names.has(before[at]!.name)) return before.slice(at + 1);
  }
  return [];
}
