// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Modal dialogs on the browser's own <dialog>, which keeps the focus inside, closes on Escape and
// gives the focus back.
import { useSignal } from '@preact/signals';
import { createContext, type ComponentChildren } from 'preact';
import { useContext, useId, useLayoutEffect, useRef } from 'preact/hooks';
import { t } from '../i18n';

export interface DialogProps {
  title: string;
  // What would be lost, if closing needs a second thought.
  keep?: string;
  onClose(): void;
  children: ComponentChildren;
}

// Gives the focus to what had it before, or, if that is gone, to what stands nearest.
function giveFocusBack(before: Element | null, row: Element | null): void {
  for (const element of [before, row, document.querySelector('main:not([hidden]) h1')]) {
    if (!(element instanceof HTMLElement) || !element.isConnected || element === document.body) continue;
    if (element !== before) element.tabIndex = -1;
    element.focus();
    if (document.activeElement === element) return;
  }
}

const CloseDialog = createContext<() => void>(() => {});

// The button that closes the dialog it is in.
export function DialogClose({ primary }: { primary?: boolean }) {
  const close = useContext(CloseDialog);
  return (
    <button type="button" class={primary ? 'primary' : ''} onClick={close}>
      {t('common.close')}
    </button>
  );
}

export function Dialog({ title, keep, onClose, children }: DialogProps) {
  const ref = useRef<HTMLDialogElement>(null);
  const asking = useSignal(false);
  const titleId = useId();
  // Before the next key: it is for the dialog.
  useLayoutEffect(() => {
    const dialog = ref.current!;
    const before = document.activeElement;
    const row = before?.closest('tr') ?? null;
    dialog.showModal();
    return () => {
      dialog.close();
      giveFocusBack(before, row);
    };
  }, []);
  const close = () => {
    if (keep) asking.value = true;
    else onClose();
  };
  return (
    <dialog
      ref={ref}
      aria-labelledby={titleId}
      onKeyDown={(event) => {
        if (event.key !== 'Escape') return;
        // Else the browser closes it by itself when Escape is pressed twice.
        event.preventDefault();
        event.stopPropagation();
        close();
      }}
      onCancel={(event) => {
        event.preventDefault();
        close();
      }}
    >
      <h2 id={titleId}>{title}</h2>
      <CloseDialog.Provider value={close}>{children}</CloseDialog.Provider>
      {asking.value && keep && (
        <Confirm
          title={keep}
          confirm={t('common.closeAnyway')}
          danger
          onClose={() => (asking.value = false)}
          onConfirm={onClose}
        />
      )}
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
