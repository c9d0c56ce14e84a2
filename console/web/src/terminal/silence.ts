// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// For how long nothing at all came though something was asked: a path that froze tells nothing, and a
// terminal over it looks as if all were well. Sans-I/O.

// A slow program is no silence yet.
export const SILENT_AFTER_MILLISECONDS = 5_000;

export class Silence {
  private asked: number | undefined;

  onAsked(now: number): void {
    this.asked ??= now;
  }

  onHeard(): void {
    this.asked = undefined;
  }

  // Whole seconds; 0 while an answer may still be on its way.
  seconds(now: number): number {
    if (this.asked === undefined) return 0;
    const silent = now - this.asked;
    return silent >= SILENT_AFTER_MILLISECONDS ? Math.floor(silent / 1000) : 0;
  }
}
