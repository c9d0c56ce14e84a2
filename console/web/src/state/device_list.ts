// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// The device list as far as it was scrolled to: pages by name from the server, kept current by a
// stream that tells changes alone. Sans-I/O, so that it is tested with 100,000 devices.
import type { Device, DeviceEvent } from '../api/generated';

// Comes behind every name.
const BEHIND_ALL = '\uffff';

export class DeviceList {
  private devices: Device[] = [];
  // All devices up to this name are kept, and none behind it.
  private keptTo = '';
  // As far as pages go that were asked for since the stream began; what is kept behind it is from
  // before, and may be out of date. Absent without such a page.
  private freshTo: string | undefined;
  private nextPageToken = '';
  private begun = false;
  // How many devices there are, as the stream last told.
  private told: number | undefined;
  // The latest changes by name since a page was asked for, which may show what was before them.
  private meanwhile: Map<string, DeviceEvent> | undefined;

  get rows(): readonly Device[] {
    return this.devices;
  }
  // Whether all that the server has is kept.
  get isComplete(): boolean {
    return this.keptTo === BEHIND_ALL;
  }
  // Whether all that is kept is as the server has it.
  get isFresh(): boolean {
    return this.freshTo !== undefined && this.freshTo >= this.keptTo;
  }
  // Whether the page that is asked for next is the first.
  get isAtFirstPage(): boolean {
    return this.freshTo === undefined;
  }
  get hasBegun(): boolean {
    return this.begun;
  }
  // How many devices there are, as far as is known.
  get count(): number {
    return this.isComplete ? this.devices.length : Math.max(this.told ?? 0, this.devices.length);
  }
  get countIsExact(): boolean {
    return this.isComplete || this.told !== undefined;
  }

  // A page is asked for with the token that this returns.
  askPage(): string {
    this.meanwhile = new Map();
    return this.nextPageToken;
  }

  // The page that was asked for has come: in place of what is kept of its part of the list.
  addPage(devices: readonly Device[], nextPageToken: string): void {
    const from = this.freshTo;
    const last = devices[devices.length - 1]?.name ?? from ?? '';
    const to = nextPageToken === '' ? BEHIND_ALL : last;
    const start = from === undefined ? 0 : this.indexAfter(from);
    this.devices = [...this.devices.slice(0, start), ...devices, ...this.devices.slice(this.indexAfter(to))];
    this.begun = true;
    this.freshTo = to;
    this.nextPageToken = nextPageToken;
    // Nothing from before is left.
    if (to >= (this.devices[this.devices.length - 1]?.name ?? '')) this.keptTo = to;
    for (const event of this.meanwhile?.values() ?? []) this.apply(event);
    this.meanwhile = undefined;
  }

  // The page that was asked for will not come.
  failPage(): void {
    this.meanwhile = undefined;
  }

  // A stream has begun (again): what was asked for before may lack changes. It is kept until pages
  // asked for from now on replace it.
  restart(): void {
    this.freshTo = undefined;
    this.nextPageToken = '';
    this.meanwhile = undefined;
  }

  // Whether what is shown may have changed.
  onEvent(event: DeviceEvent): boolean {
    const before = this.count;
    this.told = event.deviceCount ?? this.told;
    if (event.device) this.meanwhile?.set(event.device.name, event);
    return this.apply(event) || this.count !== before;
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

  // Where what comes behind `name` begins.
  private indexAfter(name: string): number {
    const at = this.indexOf(name);
    return this.devices[at]?.name === name ? at + 1 : at;
  }

  // Whether a row has changed.
  private apply({ type, device }: DeviceEvent): boolean {
    if (!device) return false;
    if (type === 'DELETED') return this.remove(device.name);
    if (device.name > this.keptTo) return false;
    this.put(device);
    return true;
  }

  private put(device: Device): void {
    const at = this.indexOf(device.name);
    if (this.devices[at]?.name === device.name) this.devices[at] = device;
    else this.devices.splice(at, 0, device);
  }

  private remove(name: string): boolean {
    const at = this.indexOf(name);
    if (this.devices[at]?.name !== name) return false;
    this.devices.splice(at, 1);
    return true;
  }
}

// What of `devices` have for tags, each once, for suggestions.
export function tagsOf(devices: readonly Device[]): string[] {
  return [...new Set(devices.flatMap((device) => device.tags))].sort((one, other) => one.localeCompare(other));
}
