// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Loads a device list's pages as far as they are wanted, one at a time, and tries again after a
// failure. Sans-I/O. Used by the device list.
import { ApiError, INVALID_ARGUMENT, PERMISSION_DENIED, UNAUTHENTICATED } from '../api/client';
import type { ListDevicesRequest, ListDevicesResponse } from '../api/generated';
import { pauseAfter } from '../api/watch';
import type { DeviceList } from './device_list';

// The first page is small, so that it is there soon.
const FIRST_PAGE = 100;
const NEXT_PAGE = 1000;
// Loaded before they are seen.
const ROWS_AHEAD = 50;
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
  private timer: unknown;
  private readonly abort = new AbortController();

  constructor(
    private readonly list: DeviceList,
    private readonly filter: string,
    private readonly services: DeviceLoaderServices,
  ) {}

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
    this.services.clearTimer(this.timer);
    this.abort.abort();
  }

  private get isEnough(): boolean {
    const { list } = this;
    return list.isComplete || (list.hasBegun && this.wanted < list.rows.length - ROWS_AHEAD);
  }

  private async load(): Promise<void> {
    if (this.loading || this.abort.signal.aborted) return;
    this.loading = true;
    try {
      while (!this.isEnough) await this.loadPage();
    } catch (error) {
      if (!this.abort.signal.aborted) this.onFailure(error);
    } finally {
      this.loading = false;
    }
  }

  private async loadPage(): Promise<void> {
    const { list, filter, abort } = this;
    const pageSize = list.hasBegun ? NEXT_PAGE : FIRST_PAGE;
    const request = { pageSize, filter, pageToken: list.pageToken };
    const page = await this.services.listDevices(request, abort.signal);
    abort.signal.throwIfAborted();
    list.addPage(page.devices, page.nextPageToken);
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
