// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// The names of tabs, and whose terminals they are.
import { describe, expect, it } from 'vitest';
import { belongTo, handOver, labelFor, setState, terminals } from './terminals';

describe('open terminals', () => {
  it('are numbered where a device has several', () => {
    expect(labelFor('till 8', [])).toBe('till 8');
    expect(labelFor('till 8', ['till 8', 'till 9'])).toBe('till 8 · 2');
    expect(labelFor('till 8', ['till 8', 'till 8 · 2'])).toBe('till 8 · 3');
    expect(labelFor('till 8', ['till 8 · 2'])).toBe('till 8');
  });

  it('are closed, and not shown, when another person logs in', () => {
    let closed = 0;
    const open = () => {
      terminals.value = [{ id: 'a', device: 'devices/X', label: 'X', wish: { reason: '', profile: '' } }];
      setState('a', { running: true, alarm: false, title: '', close: () => ++closed, focus() {} });
    };
    handOver('users/one');
    open();
    handOver('users/one');
    expect(terminals.value.length).toBe(1);
    // Nobody is logged in, or it is not known who.
    expect(belongTo(undefined)).toBe(false);
    expect(belongTo('users/two')).toBe(false);
    handOver('users/two');
    expect(terminals.value).toEqual([]);
    expect(closed).toBe(1);
    expect(belongTo('users/two')).toBe(true);
  });
});
