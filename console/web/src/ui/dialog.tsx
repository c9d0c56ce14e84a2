// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Modal dialogs on the browser's own <dialog>, which keeps the focus inside, closes on Escape and
// gives the focus back.
import { useSignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useEffect, useId, useRef } from 'preact/hooks';
import { t } from '../i18n';

export interface DialogProps {
  title: string;
  onClose(): void;
  children: ComponentChildren;
}

export function Dialog({ title, onClose, children }: DialogProps) {
  const ref = useRef<HTMLDialogElement>(null);
  const titleId = useId();
  useEffect(() => {
    const dialog = ref.current!;
    const before = document.activeElement;
    dialog.showModal();
    return () => {
      dialog.close();
      if (before instanceof HTMLElement) before.focus();
    };
  }, []);
  return (
    <dialog
      ref={ref}
      aria-labelledby={titleId}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
    >
      <h2 id={titleId}>{title}</h2>
      {children}
    </dialog>
  );
}

export interface ConfirmProps {
  title: string;
  confirm: string;
  danger?: boolean;
  // The focus begins on the confirming button, whatever stands before it.
  confirmFirst?: boolean;
  onConfirm(): void | Promise<void>;
  onClose(): void;
  children?: ComponentChildren;
}

export function Confirm({ title, confirm, danger, confirmFirst, onConfirm, onClose, children }: ConfirmProps) {
  const busy = useSignal(false);
  const submit = async (event: Event) => {
    event.preventDefault();
    busy.value = true;
    try {
      await onConfirm();
    } finally {
      busy.value = false;
    }
  };
  return (
    <Dialog title={title} onClose={onClose}>
      <form onSubmit={submit}>
        {children}
        <div class="buttons">
          <button type="button" onClick={onClose}>
            {t('common.cancel')}
          </button>
          <button type="submit" autofocus={confirmFirst} class={danger ? 'danger' : 'primary'} disabled={busy.value}>
            {confirm}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
