// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// A tunnel's close code as the name of a sentence (see i18n). Pure.
import type { TextKey } from '../i18n/en';

const SENTENCES: Record<number, TextKey> = {
  1000: 'close.ended',
  1001: 'close.goingAway',
  1006: 'close.connectionLost',
  1009: 'close.tooBig',
  4400: 'close.malformed',
  4401: 'close.ticket',
  4403: 'close.denied',
  4404: 'close.noSession',
  4408: 'close.limit',
  4409: 'close.alreadyAttached',
  4410: 'close.terminated',
  4429: 'close.tooMany',
  4502: 'close.deviceLost',
  4503: 'close.draining',
};

export function closeSentence(code: number): TextKey {
  return SENTENCES[code] ?? 'close.other';
}
