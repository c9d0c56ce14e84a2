// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// A log-in ends when no call is made with it for half an hour. Sans-I/O. Used by app.ts.

const PAUSE_MILLISECONDS = 4 * 60_000;
const RETRY_MILLISECONDS = 20_000;

// Gives what is to be called whenever the person does something; it makes `call` at most every few
// minutes.
export function activityNoter(
  call: () => Promise<unknown>,
  now: () => number = () => performance.now(),
): () => void {
  let last = now();
  return () => {
    if (now() - last < PAUSE_MILLISECONDS) return;
    last = now();
    // What matters is told by the API's client.
    call().catch(() => (last = now() - PAUSE_MILLISECONDS + RETRY_MILLISECONDS));
  };
}
