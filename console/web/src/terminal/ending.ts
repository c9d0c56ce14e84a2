// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Why a session is over, in the words of the most exact witness: the device's own report of its
// program, then the server's record of the session, then the tunnel's close code. Pure.
import type { Session, SessionEnd, SessionEnd_Cause } from '../api/generated';
import type { TextKey } from '../i18n/en';
import { sentence } from '../state/sentence';
import { closeSentence } from './close_code';
import type { Outcome, ProgramResult } from './console_end';
import type { EdgeFinding } from './edge_probe';

// Why a session is over, or was never open.
export interface Ending {
  // The person closed it, or the program ended: nothing to warn about.
  expected: boolean;
  sentence: TextKey;
  values?: Record<string, string | number>;
  // What the server or the edge said, in its own words.
  detail?: string;
  // The edge could not be reached: what was found, and where a person can look.
  edge?: { url: string; icg: string; finding: EdgeFinding };
}

export function programEnding(result: ProgramResult, outcome: Outcome): Ending {
  const missing = outcome.kind === 'truncated' ? outcome.missingBytes : 0;
  const values = { code: result.exitCode ?? '', signal: result.signal ?? '', missing };
  if (missing > 0) return { expected: false, sentence: 'ending.truncated', values };
  if (result.exitCode !== undefined) return { expected: true, sentence: 'ending.exitCode', values };
  if (result.signal !== undefined) return { expected: true, sentence: 'ending.signal', values };
  return { expected: true, sentence: 'ending.unknown', values };
}

const CAUSES: Partial<Record<SessionEnd_Cause, TextKey>> = {
  CONSOLE_CLOSED: 'close.ended',
  CONSOLE_LOST: 'close.connectionLost',
  DEVICE_LOST: 'close.deviceLost',
  DEVICE_REFUSED: 'ending.deviceRefused',
  NEVER_ATTACHED: 'ending.neverAttached',
  TERMINATED: 'close.terminated',
  LIMIT_REACHED: 'close.limit',
  SERVER_STOPPED: 'close.draining',
  EDGE_LOST: 'ending.edgeLost',
};

// What the server recorded; nothing if it does not know either.
export function recordedEnding(session: Session, end: SessionEnd): Ending | undefined {
  if (end.cause === 'PROGRAM_ENDED') return programEnding(end, { kind: 'complete' });
  const told = CAUSES[end.cause];
  if (!told) return undefined;
  const values = { icg: session.icg.replace('icgs/', '') };
  return { expected: false, sentence: told, values, detail: sentence(end.message) };
}

export function closeEnding(code: number, reason: string): Ending {
  return { expected: false, sentence: closeSentence(code), values: { code }, detail: sentence(reason) };
}

// Codes that fit several causes, of which the server knows the right one: going away, connection lost,
// terminated, device lost, being stopped.
const VAGUE_CODES = new Set([1001, 1006, 4410, 4502, 4503]);

export function isVague(code: number): boolean {
  return VAGUE_CODES.has(code);
}

// Of a session that the server calls ended, the last output may still be on its way.
const LAST_OUTPUT_MILLISECONDS = 3_000;
// The server records an end within half a second of the tunnel's close.
const RECORD_MILLISECONDS = 2_000;

// Brings together the server's record and the tunnel's close, which come in either order, or of which
// one never comes: a path that froze closes nothing, and the server may be what was lost.
export class LastWord {
  private recorded: { session: Session; end: SessionEnd; time: number } | undefined;
  private closed: { ending: Ending; time: number } | undefined;

  onRecord(session: Session, now: number): void {
    if (session.end) this.recorded ??= { session, end: session.end, time: now };
  }

  onClosed(code: number, reason: string, now: number): void {
    this.closed = { ending: closeEnding(code, reason), time: now };
  }

  get isRecorded(): boolean {
    return this.recorded !== undefined;
  }

  // Nothing while something more exact, or more output, may come.
  ending(now: number, lastHeard: number): Ending | undefined {
    const { recorded, closed } = this;
    if (recorded) {
      const quiet = now - Math.max(recorded.time, lastHeard) >= LAST_OUTPUT_MILLISECONDS;
      if (!closed && !quiet) return undefined;
      return recordedEnding(recorded.session, recorded.end) ?? closed?.ending ?? closeEnding(1006, '');
    }
    return closed && now - closed.time >= RECORD_MILLISECONDS ? closed.ending : undefined;
  }
}
