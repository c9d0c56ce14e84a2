// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Why the tunnel to an ICG could not be opened, as far as a browser lets a page see: it is told
// neither an address that is not found, nor a port that does not answer, nor a certificate that is
// not trusted; only that and how fast it failed. An edge that is reached and trusted answers a
// tunnel without a ticket with a close code of ours.
import type { OpenTunnel } from './tunnel';

export type EdgeFinding =
  // Reached and trusted: the failure has passed.
  | 'reachable'
  // Failed at once: the name is unknown, the port is closed, or the certificate is not trusted.
  | 'refused'
  // Nothing answered: a firewall, or a host that is off.
  | 'silent';

// What takes longer was not refused by anybody.
export const SILENT_AFTER_MILLISECONDS = 5_000;

export function probeEdge(
  open: OpenTunnel,
  url: string,
  now: () => number = () => performance.now(),
): Promise<EdgeFinding> {
  const begin = now();
  return new Promise((resolve) => {
    open(
      { url, ticket: '', holdBack: false },
      {
        onOpen() {},
        onBytes() {},
        onText() {},
        onDrain() {},
        onClose(code, _reason, opened) {
          if (opened || code >= 4000) resolve('reachable');
          else resolve(now() - begin > SILENT_AFTER_MILLISECONDS ? 'silent' : 'refused');
        },
      },
    );
  });
}

// The page that a person opens to see what is wrong, and to trust the certificate.
export function edgePage(tunnelUrl: string): string {
  const url = new URL(tunnelUrl);
  return `https://${url.host}/usg/check-status`;
}
