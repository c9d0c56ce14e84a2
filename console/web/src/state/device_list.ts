// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// The device list as far as it was scrolled to: pages by name from the server, kept current by the
// stream of changes. Sans-I/O, so that it is tested with 100,000 devices.
import type { Device, DeviceEvent } from '../api/generated';

export class DeviceList {
  private devices: Device[] = [];
  // Every name that the stream has told, loaded or not.
  private readonly names = new Set<string>();
  private nextPageToken = '';
  private begun = false;
  private snapshotComplete = false;
  private snapshotNames: Set<string> | undefined;

  get rows(): readonly Device[] {
    return this.devices;
  }
  // Whether all that the server has is loaded.
  get isComplete(): boolean {
    return this.begun && this.nextPageToken === '';
  }
  get pageToken(): string {
    return this.nextPageToken;
  }
  get hasBegun(): boolean {
    return this.begun;
  }
  // How many devices there are, as far as is known.
  get count(): number {
    return this.isComplete ? this.devices.length : Math.max(this.names.size, this.devices.length);
  }
  get countIsExact(): boolean {
    return this.isComplete || this.snapshotComplete;
  }

  addPage(devices: readonly Device[], nextPageToken: string): void {
    this.begun = true;
    this.nextPageToken = nextPageToken;
    for (const device of devices) this.put(device);
  }

  // A stream begins (again): what it does not tell any more is gone.
  onStreamStart(): void {
    this.snapshotNames = new Set();
    this.snapshotComplete = false;
  }

  // Whether what is shown may have changed.
  onEvent(event: DeviceEvent): boolean {
    if (event.type === 'SNAPSHOT_COMPLETE') {
      this.endSnapshot();
      return true;
    }
    const device = event.device;
    if (!device) return false;
    if (event.type === 'DELETED') return this.remove(device.name);
    this.snapshotNames?.add(device.name);
    const isNew = !this.names.has(device.name);
    this.names.add(device.name);
    if (!this.covers(device.name)) return isNew;
    this.put(device);
    return true;
  }

  // Where `name` is or belongs.
  indexOf(name: string): number {
    let low = 0;
    let high = this.devices.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.devices[middle]!.name < name) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  // Beyond the pages that are loaded nothing is kept.
  private covers(name: string): boolean {
    if (!this.begun) return false;
    const last = this.devices[this.devices.length - 1];
    return this.isComplete || (last !== undefined && name <= last.name);
  }

  private put(device: Device): void {
    const at = this.indexOf(device.name);
    if (this.devices[at]?.name === device.name) this.devices[at] = device;
    else this.devices.splice(at, 0, device);
  }

  private remove(name: string): boolean {
    const known = this.names.delete(name);
    const at = this.indexOf(name);
    if (this.devices[at]?.name !== name) return known;
    this.devices.splice(at, 1);
    return true;
  }

  private endSnapshot(): void {
    this.snapshotComplete = true;
    const told = this.snapshotNames;
    this.snapshotNames = undefined;
    if (!told) return;
    for (const name of [...this.names]) if (!told.has(name)) this.names.delete(name);
    this.devices = this.devices.filter((device) => told.has(device.name));
  }
}

// What of `devices` have for tags, each once, for suggestions.
export function tagsOf(devices: readonly Device[]): string[] {
  return [...new Set(devices.flatMap((device) => device.tags))].sort((one, other) => one.localeCompare(other));
}
