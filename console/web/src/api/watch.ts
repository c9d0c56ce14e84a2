// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// A server-streaming call as a WebSocket: one JSON message a frame, the token as a subprotocol. Comes
// back by itself with growing pauses. Used by the device list and the session pages.
import { toHttp } from './client';
import type { Method } from './generated';

export const WATCH_SUBPROTOCOL = 'fairlead.watch.v1';

// The part of WebSocket that is used, so that tests can stand in for it.
export interface Socket {
  onopen: ((event: unknown) => void) | null;
  onmessage: ((event: { data: unknown }) => void) | null;
  onclose: ((event: { code: number; reason: string }) => void) | null;
  close(): void;
}

export interface WatchHandlers<Message> {
  onMessage(message: Message): void;
  // A (new) stream begins: what the one before told may be out of date.
  onStart?(): void;
  // The stream is interrupted; it is tried again unless `final`.
  onInterrupted?(reason: string, final: boolean): void;
  // The stream came to its end.
  onEnd?(): void;
}

export interface WatchEnvironment {
  origin: string;
  token(): string;
  // This token is no longer good: show the log-in.
  onUnauthenticated(token: string): void;
  connect(url: string, protocols: string[]): Socket;
  setTimer(milliseconds: number, action: () => void): unknown;
  clearTimer(timer: unknown): void;
  random(): number;
}

const FIRST_PAUSE = 500;
const LONGEST_PAUSE = 30_000;

const UNAUTHENTICATED_CODE = 4401;
// Close codes after which to try again makes no sense: ended, malformed, unauthenticated, denied,
// not found.
const FINAL_CODES = new Set([1000, 4400, UNAUTHENTICATED_CODE, 4403, 4404]);

// Half of the pause is fixed, half is random, so that pages do not all come back at once.
export function pauseAfter(failures: number, random: number): number {
  const full = Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** Math.min(failures, 10));
  return full / 2 + (full / 2) * random;
}

export function watchUrl(origin: string, path: string): string {
  return origin.replace(/^http/, 'ws') + path;
}

// Follows `method` until the returned function is called.
export function watch<Request, Message>(
  environment: WatchEnvironment,
  method: Method<Request, Message>,
  request: Partial<Request>,
  handlers: WatchHandlers<Message>,
): () => void {
  const url = watchUrl(environment.origin, toHttp(method, request).url);
  let stopped = false;
  let failures = 0;
  let socket: Socket | undefined;
  let open = false;
  let timer: unknown;

  const connect = () => {
    const token = environment.token();
    const current = environment.connect(url, [WATCH_SUBPROTOCOL, `fairlead.bearer.${token}`]);
    socket = current;
    open = false;
    current.onopen = () => {
      open = true;
      if (stopped) current.close();
      else handlers.onStart?.();
    };
    current.onmessage = (event) => {
      if (stopped || typeof event.data !== 'string') return;
      failures = 0;
      handlers.onMessage(JSON.parse(event.data) as Message);
    };
    current.onclose = (event) => {
      if (stopped) return;
      if (event.code === 1000) {
        stopped = true;
        handlers.onEnd?.();
        return;
      }
      const final = FINAL_CODES.has(event.code);
      handlers.onInterrupted?.(event.reason, final);
      if (final) {
        stopped = true;
        if (event.code === UNAUTHENTICATED_CODE) environment.onUnauthenticated(token);
        return;
      }
      timer = environment.setTimer(pauseAfter(failures++, environment.random()), connect);
    };
  };
  connect();
  return () => {
    stopped = true;
    environment.clearTimer(timer);
    // A browser reports the close of a socket that is not open yet as a failure.
    if (open) socket?.close();
  };
}
