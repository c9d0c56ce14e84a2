// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// The search in one terminal's text.
import { useSignal } from '@preact/signals';
import { useLayoutEffect, useRef } from 'preact/hooks';
import { t } from '../i18n';
import type { TerminalView } from '../terminal/terminal_view';

export function Find({ view, onClose }: { view: TerminalView; onClose(): void }) {
  const text = useSignal('');
  const input = useRef<HTMLInputElement>(null);
  // Before the next key: it would go to the program.
  useLayoutEffect(() => input.current?.focus(), []);
  const found = view.found.value;
  return (
    <form
      class="find"
      role="search"
      onSubmit={(event) => {
        event.preventDefault();
        view.find(text.value, false);
      }}
      onKeyDown={(event) => {
        if (event.key === 'Escape') onClose();
        if (event.key !== 'Enter' || !event.shiftKey || event.target !== input.current) return;
        event.preventDefault();
        view.find(text.value, true);
      }}
    >
      <input
        ref={input}
        type="search"
        aria-label={t('terminal.find')}
        value={text.value}
        onInput={(event) => {
          text.value = event.currentTarget.value;
          view.find(text.value, false);
        }}
      />
      <button type="button" aria-label={t('terminal.findPrevious')} onClick={() => view.find(text.value, true)}>
        ↑
      </button>
      <button type="submit" aria-label={t('terminal.findNext')}>
        ↓
      </button>
      <span role="status" class="hint">
        {text.value && found
          ? found.count === 0
            ? t('terminal.findNone')
            : t('terminal.findCount', { index: found.index, count: found.count })
          : ''}
      </span>
      <button type="button" class="quiet" aria-label={t('common.close')} onClick={onClose}>
        ×
      </button>
    </form>
  );
}
