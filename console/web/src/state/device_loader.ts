// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Loads a device list's pages as far as they are wanted, one at a time, and tries again after a
// failure. The stream of changes comes first, so that no change falls between it and the pages; when
// it begins again, what is there is loaded anew. Sans-I/O. Used by the device list.
import { ApiError, INVALID_ARGUMENT, PERMISSION_DENIED, UNAUTHENTICATED } from '../api/client';
import type { DeviceEvent, ListDevicesRequest, ListDevicesResponse } from '../api/generated';
import { pauseAfter } from '../api/watch';
import type { DeviceList } from './device_list';

// The first page is small, so that it is there soon.
const FIRST_PAGE = 100;
const NEXT_PAGE = 1000;
// Loaded before they are seen.
const ROWS_AHEAD = 50;
// How long rows wait for the stream, which on a long way takes several round trips to begin. Those that
// come without it are loaded anew when it begins.
const STREAM_PATIENCE_MILLISECONDS = 150;
// The same call would fail again.
const FINAL_CODES = new Set([INVALID_ARGUMENT, PERMISSION_DENIED, UNAUTHENTICATED]);

export interface DeviceLoaderServices {
  listDevices(request: Partial<ListDevicesRequest>, signal: AbortSignal): Promise<ListDevicesResponse>;
  // What is shown may have changed.
  onChange(): void;
  setTimer(milliseconds: number, action: () => void): unknown;
  clearTimer(timer: unknown): void;
  random(): number;
}

export class DeviceLoader {
  // Why the last call failed; absent after one that did not.
  error: unknown;
  private wanted = 0;
  private failures = 0;
  private loading = false;
  private stopped = false;
  // Until it is due nothing is loaded but by retry().
  private timer: unknown;
  // The call under way.
  private call = new AbortController();

  constructor(
    private readonly list: DeviceList,
    private readonly filter: string,
    private readonly services: DeviceLoaderServices,
  ) {}

  // Call this when the stream is asked for.
  start(): void {
    this.timer = this.services.setTimer(STREAM_PATIENCE_MILLISECONDS, () => void this.retry());
  }

  // Takes what the stream tells. Whether what is shown may have changed.
  onEvent(event: DeviceEvent): boolean {
    const changed = this.list.onEvent(event);
    if (event.type === 'SNAPSHOT_COMPLETE') void this.refresh();
    return changed;
  }

  // The stream is interrupted, or does not begin.
  onInterrupted(): void {
    if (this.error === undefined) void this.retry();
  }

  // Loads until row `index` is there, or has failed, and a few more.
  async reach(index: number): Promise<void> {
    this.wanted = Math.max(this.wanted, index);
    if (this.timer === undefined) await this.load();
  }

  // Tries again now.
  async retry(): Promise<void> {
    this.services.clearTimer(this.timer);
    this.timer = undefined;
    await this.load();
  }

  stop(): void {
    this.stopped = true;
    this.services.clearTimer(this.timer);
    this.call.abort();
  }

  private get isEnough(): boolean {
    const { list } = this;
    return list.isFresh && (list.isComplete || this.wanted < list.rows.length - ROWS_AHEAD);
  }

  private get pageSize(): number {
    const { list } = this;
    if (!list.isAtFirstPage) return NEXT_PAGE;
    // Anew: at once what is there, if that is not too much.
    return Math.max(FIRST_PAGE, Math.min(NEXT_PAGE, list.rows.length));
  }

  // An answer to what was asked before the stream began may lack changes.
  private async refresh(): Promise<void> {
    this.call.abort();
    this.list.restart();
    await this.retry();
  }

  private async load(): Promise<void> {
    if (this.loading || this.stopped) return;
    this.loading = true;
    try {
      while (!this.stopped && !this.isEnough) await this.loadPage();
    } catch (error) {
      this.onFailure(error);
    } finally {
      this.loading = false;
    }
  }

  private async loadPage(): Promise<void> {
    const { list, filter, pageSize } = this;
    const { signal } = (this.call = new AbortController());
    try {
      const request = { pageSize, filter, pageToken: list.askPage() };
      const page = await this.services.listDevices(request, signal);
      if (signal.aborted) return;
      list.addPage(page.devices, page.nextPageToken);
    } catch (error) {
      if (signal.aborted) return;
      list.failPage();
      throw error;
    }
    this.error = undefined;
    this.failures = 0;
    this.services.onChange();
  }

  private onFailure(error: unknown): void {
    this.error = error;
    this.services.onChange();
    if (error instanceof ApiError && FINAL_CODES.has(error.code)) return;
    this.timer = this.services.setTimer(pauseAfter(this.failures++, this.services.random()), () => void this.retry());
  }
}
