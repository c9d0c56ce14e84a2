// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// A time as the person thinks of it, with the full one for who points at it.
import { signal } from '@preact/signals';
import { formatRelative, formatTime } from '../i18n';

const TICK_MILLISECONDS = 20_000;
const now = signal(Date.now());
setInterval(() => (now.value = Date.now()), TICK_MILLISECONDS);

interface TimeProps {
  time: string | undefined;
  // What stands for none.
  none?: string;
  // Where there is room for the full one.
  full?: boolean;
}

export function Time({ time, none, full }: TimeProps) {
  if (!time) return <>{none ?? formatTime(time)}</>;
  const relative = formatRelative(time, Math.max(now.value, Date.now()));
  return (
    <>
      <time dateTime={time} title={formatTime(time)}>
        {relative}
      </time>
      {full && <span class="hint"> · {formatTime(time)}</span>}
    </>
  );
}
