// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import type { FirstAuthenticationKey } from '../api/generated';
import { keyState } from './key_state';

const key = (changes: Partial<FirstAuthenticationKey>) =>
  ({ type: 'ONE_TIME', useCount: 0, unitIds: [], ...changes }) as unknown as FirstAuthenticationKey;
const state = (changes: Partial<FirstAuthenticationKey>) => keyState(key(changes), Date.parse('2026-06-01T00:00:00Z'));

describe('keyState', () => {
  it('is valid until used up, expired or disabled', () => {
    expect(state({})).toBe('valid');
    expect(state({ useCount: 1 })).toBe('used');
    expect(state({ useCount: 5, type: 'MASS_DEPLOYMENT' })).toBe('valid');
    const bound = { type: 'ONE_TIME_BOUND' } as const;
    expect(state({ ...bound, unitIds: ['A', 'B'], useCount: 1 })).toBe('valid');
    expect(state({ ...bound, unitIds: ['A', 'B'], useCount: 2 })).toBe('used');
    expect(state({ expireTime: '2026-05-31T23:59:59Z' })).toBe('expired');
    expect(state({ expireTime: '2026-06-01T00:00:01Z' })).toBe('valid');
    expect(state({ disabled: true, useCount: 1 })).toBe('disabled');
  });
});
