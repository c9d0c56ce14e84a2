// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// The open terminals: one a tab, or side by side.
import { useSignal } from '@preact/signals';
import type { RefObject } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { t } from '../i18n';
import { caller } from '../state/app';
import {
  active,
  belongTo,
  closeAllTerminals,
  closeTerminal,
  handOver,
  runningCount,
  states,
  terminals,
  tiled,
  type TerminalTab,
} from '../state/terminals';
import { Confirm } from '../ui/dialog';
import { TerminalPanel } from './terminal_panel';

// Always in the document, so that terminals go on while another page is shown.
export function TerminalsPage(props: { hidden: boolean }) {
  const asking = useSignal(false);
  const user = caller.value?.user;
  const hidden = props.hidden || !belongTo(user);

  useEffect(() => {
    const onUnload = (event: BeforeUnloadEvent) => {
      if (runningCount.value > 0) event.preventDefault();
    };
    addEventListener('beforeunload', onUnload);
    return () => removeEventListener('beforeunload', onUnload);
  }, []);

  useEffect(() => {
    if (user !== undefined) handOver(user);
  }, [user]);

  const closeAll = () => {
    if (runningCount.value >= 2) asking.value = true;
    else closeAllTerminals();
  };
  const tabs = terminals.value;
  const toDevices = useRef<HTMLAnchorElement>(null);
  useFocusAfterLast(tabs.length, toDevices);
  return (
    <main id={hidden ? undefined : 'content'} class="terminals" hidden={hidden}>
      <h1 class="visually-hidden">{t('nav.terminals')}</h1>
      {tabs.length === 0 ? (
        <div class="empty">
          <p>{t('terminals.none')}</p>
          <a class="button" ref={toDevices} href="#/devices">
            {t('terminals.toDevices')}
          </a>
        </div>
      ) : (
        <div class="bar tabs">
          <TabStrip tabs={tabs} />
          <button
            type="button"
            aria-pressed={tiled.value}
            onClick={() => (tiled.value = !tiled.value)}
          >
            {t('terminals.tile')}
          </button>
          <button type="button" onClick={closeAll}>
            {t('terminals.closeAll')}
          </button>
        </div>
      )}
      <div class={tiled.value ? 'panels tiled' : 'panels'}>
        {tabs.map((tab) => (
          <TerminalPanel
            key={tab.id}
            tab={tab}
            hidden={!tiled.value && tab.id !== active.value}
            away={hidden}
          />
        ))}
      </div>
      {asking.value && (
        <Confirm
          title={t('terminals.closeTitle', { count: runningCount.value })}
          confirm={t('terminals.closeConfirm')}
          danger
          onClose={() => (asking.value = false)}
          onConfirm={() => {
            asking.value = false;
            closeAllTerminals();
          }}
        >
          <p>{t('terminals.closeText')}</p>
        </Confirm>
      )}
    </main>
  );
}

function focusTab(id: string | undefined) {
  document.getElementById(`tab-${id}`)?.focus();
}

// A terminal that is shown takes the focus, unless that is among the tabs.
function enterTerminal(id: string) {
  document.getElementById(`tab-${id}`)?.blur();
  active.value = id;
  states.value.get(id)?.focus();
}

// The focus goes with the last tab, and with the buttons beside it.
function useFocusAfterLast(count: number, target: RefObject<HTMLElement>) {
  const before = useRef(count);
  useEffect(() => {
    if (count === 0 && before.current > 0) target.current?.focus();
    before.current = count;
  }, [count]);
}

function TabStrip({ tabs }: { tabs: readonly TerminalTab[] }) {
  useEffect(() => {
    document.getElementById(`tab-${active.value}`)?.scrollIntoView({ block: 'nearest', inline: 'nearest' });
  }, [active.value, tabs.length]);
  const move = (event: KeyboardEvent, index: number) => {
    const tab = tabs[index]!;
    const last = tabs.length - 1;
    const targets: Record<string, number> = {
      ArrowRight: index === last ? 0 : index + 1,
      ArrowLeft: index === 0 ? last : index - 1,
      Home: 0,
      End: last,
    };
    const target = targets[event.key];
    if (target !== undefined) {
      active.value = tabs[target]!.id;
      focusTab(active.value);
    } else if (event.key === 'Delete') {
      closeTerminal(tab.id);
      focusTab(active.value);
    } else if (event.key === 'Enter' || event.key === ' ') {
      enterTerminal(tab.id);
    } else {
      return;
    }
    event.preventDefault();
  };
  return (
    <div class="tab-strip">
      <div role="tablist" aria-label={t('terminals.tabs')} class="tab-list">
        {tabs.map((tab, index) => {
          const state = states.value.get(tab.id);
          const selected = tab.id === active.value;
          return (
            <button
              key={tab.id}
              type="button"
              role="tab"
              id={`tab-${tab.id}`}
              class={state?.alarm ? 'tab alarm' : 'tab'}
              aria-selected={selected}
              aria-controls={`panel-${tab.id}`}
              tabIndex={selected ? 0 : -1}
              onClick={() => enterTerminal(tab.id)}
              onKeyDown={(event) => move(event, index)}
            >
              <span class={state?.running ? 'dot online' : 'dot offline'} aria-hidden="true" />
              {tab.label}
              {state?.title ? <span class="tab-title"> {state.title}</span> : null}
              {state && !state.running ? <span class="visually-hidden"> ({t('terminal.ended')})</span> : null}
            </button>
          );
        })}
      </div>
      <CloseActive tabs={tabs} />
    </div>
  );
}

function CloseActive({ tabs }: { tabs: readonly TerminalTab[] }) {
  const tab = tabs.find(({ id }) => id === active.value);
  if (!tab) return null;
  return (
    <button
      type="button"
      class="quiet"
      aria-label={t('terminals.closeTab', { device: tab.label })}
      title={t('terminals.closeTab', { device: tab.label })}
      onClick={() => closeTerminal(tab.id)}
    >
      ×
    </button>
  );
}
