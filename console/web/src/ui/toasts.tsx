// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Short messages, read out by screen readers.
import { t } from '../i18n';
import { dismiss, toasts } from '../state/app';

export function Toasts() {
  return (
    <div class="toasts">
      <div role="status" aria-live="polite">
        {toasts.value.filter((toast) => toast.kind === 'status').map(Item)}
      </div>
      <div role="alert" aria-live="assertive">
        {toasts.value.filter((toast) => toast.kind === 'alert').map(Item)}
      </div>
    </div>
  );
}

function Item({ id, text, kind }: { id: number; text: string; kind: string }) {
  return (
    <p key={id} class={`toast ${kind}`}>
      <span>{text}</span>
      <button type="button" class="quiet" aria-label={t('common.close')} onClick={() => dismiss(id)}>
        ×
      </button>
    </p>
  );
}
