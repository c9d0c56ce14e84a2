// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// How long the way from the browser to an edge and back takes: a request that the edge answers at
// once, over a connection that is already there. The answer itself may not be read, and need not be.

const TIMEOUT_MILLISECONDS = 5_000;

// Milliseconds; nothing if the edge did not answer.
export async function timeEdge(tunnelUrl: string): Promise<number | undefined> {
  const url = `https://${new URL(tunnelUrl).host}/healthz`;
  const ask = () =>
    fetch(url, {
      mode: 'no-cors',
      cache: 'no-store',
      credentials: 'omit',
      signal: AbortSignal.timeout(TIMEOUT_MILLISECONDS),
    });
  try {
    // The first one may have to connect.
    await ask();
    const begin = performance.now();
    await ask();
    return performance.now() - begin;
  } catch {
    return undefined;
  }
}
