// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// What a terminal's session is given: a screen, the server, time. Tests give their own.
import type { CreateSessionRequest, Session } from '../api/generated';
import type { OpenTunnel } from './tunnel';

export interface Screen {
  write(bytes: Uint8Array, done: () => void): void;
  readonly columns: number;
  readonly rows: number;
  readonly bracketedPaste: boolean;
}

// What a person may say about a session that they open.
export type Wish = Pick<CreateSessionRequest, 'reason' | 'profile'>;

export interface SessionServices {
  createSession(request: Partial<CreateSessionRequest>): Promise<Session>;
  // Ends a session that has no tunnel.
  terminateSession(name: string): Promise<unknown>;
  // Tells the session at once and after each change, until the returned function is called.
  followSession(name: string, onSession: (session: Session) => void): () => void;
  // Repeats `action` until the returned function is called.
  every(milliseconds: number, action: () => void): () => void;
  openTunnel: OpenTunnel;
  // Milliseconds to the edge of a tunnel and back.
  timeEdge(tunnelUrl: string): Promise<number | undefined>;
  // The server as this browser reaches it.
  pageHost: string;
  // ICGs that this browser did not reach, though the server did.
  avoided: Set<string>;
  describeError(error: unknown): string;
  describeSkipped(bytes: number): string;
  now(): number;
}
