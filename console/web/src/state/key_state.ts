// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Whether a first-authentication key still lets a device in. Pure. Used by the page of keys.
import type { FirstAuthenticationKey } from '../api/generated';

export type KeyState = 'valid' | 'used' | 'expired' | 'disabled';

function isUsedUp({ type, useCount, unitIds }: FirstAuthenticationKey): boolean {
  if (type === 'ONE_TIME') return useCount > 0;
  // Each of its devices may use it once.
  return type === 'ONE_TIME_BOUND' && useCount >= unitIds.length;
}

export function keyState(key: FirstAuthenticationKey, now: number): KeyState {
  if (key.disabled) return 'disabled';
  if (isUsedUp(key)) return 'used';
  return key.expireTime !== undefined && Date.parse(key.expireTime) < now ? 'expired' : 'valid';
}
