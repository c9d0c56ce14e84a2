// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Where a session's tunnel may be opened, in the order in which to try. Pure.
import type { Session } from '../api/generated';

export interface Route {
  url: string;
  // To an ICG, by the server that the page came from.
  throughServer: boolean;
}

// `pageHost` is the server as this browser reaches it, whatever the server calls itself; `avoided`
// are ICGs that were not reached before.
export function routesOf(session: Session, pageHost: string, avoided: ReadonlySet<string>): Route[] {
  const atPage = (url: string) => `wss://${pageHost}${new URL(url).pathname}`;
  const given = { url: session.consoleUrl, throughServer: false };
  if (!session.icg) {
    const here = atPage(session.consoleUrl);
    return here === given.url ? [given] : [{ url: here, throughServer: false }, given];
  }
  if (!session.consoleFallbackUrl) return [given];
  const fallback = { url: atPage(session.consoleFallbackUrl), throughServer: true };
  return avoided.has(session.icg) ? [fallback, given] : [given, fallback];
}
