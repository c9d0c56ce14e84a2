// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// For tests: a session whose tunnel, server and time the test plays.
import type { ApiError } from '../api/client';
import type { CreateSessionRequest, Session, SessionEnd } from '../api/generated';
import { TerminalSession } from './terminal_session';
import type { Tunnel, TunnelHandlers, TunnelTarget } from './tunnel';

export const NO_WISH = { reason: '', profile: '' };

export class FakeTunnel implements Tunnel {
  bytes = '';
  texts: string[] = [];
  closed: number | undefined;
  buffered = 0;
  constructor(
    readonly target: TunnelTarget,
    readonly handlers: TunnelHandlers,
  ) {}
  sendBytes(bytes: Uint8Array) {
    this.bytes += new TextDecoder('latin1').decode(bytes);
  }
  sendText(text: string) {
    this.texts.push(text);
  }
  close(code?: number) {
    this.closed = code;
  }
}

export function harness(stream: 'PTY' | 'TELNET' = 'PTY', refuse?: ApiError, more: Partial<Session> = {}) {
  const avoided = new Set<string>();
  const tunnels: FakeTunnel[] = [];
  const requests: Partial<CreateSessionRequest>[] = [];
  const screen = {
    text: '',
    columns: 120,
    rows: 40,
    bracketedPaste: false,
    undone: [] as (() => void)[],
    hold: false,
    write(bytes: Uint8Array, done: () => void) {
      this.text += new TextDecoder('latin1').decode(bytes);
      if (this.hold) this.undone.push(done);
      else done();
    },
  };
  let now = 0;
  const terminated: string[] = [];
  let onSession: ((session: Session) => void) | undefined;
  const ticks = new Set<() => void>();
  const later = (milliseconds: number) => (now += milliseconds);
  // Lets seconds pass.
  const pass = (seconds: number) => {
    for (let second = 0; second < seconds; ++second) {
      later(1000);
      for (const tick of [...ticks]) tick();
    }
  };
  // The server records the session's end.
  const record = (end: Partial<SessionEnd>) =>
    onSession?.({ state: 'ENDED', icg: 'icgs/a', end: { message: '', ...end } } as Session);
  const session = new TerminalSession('devices/X', screen, {
    async createSession(request) {
      requests.push(request);
      if (refuse) throw refuse;
      return {
        name: 'sessions/1',
        stream,
        consoleUrl: 'wss://icg.example:8443/console-connector/terminal',
        consoleTicket: 'T',
        icg: 'icgs/a',
        ...more,
      } as Session;
    },
    async terminateSession(name) {
      terminated.push(name);
    },
    followSession(_name, handler) {
      onSession = handler;
      return () => (onSession = undefined);
    },
    every(_milliseconds, action) {
      ticks.add(action);
      return () => ticks.delete(action);
    },
    openTunnel(target, handlers) {
      const tunnel = new FakeTunnel(target, handlers);
      tunnels.push(tunnel);
      return tunnel;
    },
    timeEdge: () => Promise.resolve(2),
    pageHost: 'ums.example',
    avoided,
    describeError: (error) => (error as ApiError).message,
    describeSkipped: (bytes) => `[${bytes}]`,
    now: () => now,
  });
  const bytes = (text: string) => Uint8Array.from(text, (letter) => letter.charCodeAt(0));
  const isFollowed = () => onSession !== undefined || ticks.size > 0;
  return { session, screen, tunnels, requests, bytes, avoided, terminated, later, pass, record, isFollowed };
}

export const settle = () => new Promise<void>((done) => setTimeout(done));
