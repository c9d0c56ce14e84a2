// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// What stands below a terminal: how it is, which way it goes, what a paste has done so far.
import { useSignal } from '@preact/signals';
import type { Session } from '../api/generated';
import { formatBytes, formatNumber, t, tEnum } from '../i18n';
import { tell } from '../state/app';
import type { Counters, TerminalSession } from '../terminal/terminal_session';
import type { TerminalView } from '../terminal/terminal_view';
import { Dialog } from '../ui/dialog';
import { EdgeHelp } from './edge_help';
import { services } from './terminal_services';

export function StateLine({ view }: { view: TerminalView | undefined }) {
  const session = view?.session.value;
  const about = session?.session.value;
  const throughServer = session?.phase.value === 'open' && session.route.value?.throughServer;
  const asking = useSignal(false);
  return (
    <div class="state-line" data-state-line>
      <Facts view={view} />
      {throughServer && (
        <button type="button" class="quiet" onClick={() => (asking.value = true)}>
          {t('terminal.throughServer')}
        </button>
      )}
      {asking.value && about && <ThroughServer session={about} onClose={() => (asking.value = false)} />}
      {session?.paste.value && <PasteProgress session={session} onStop={() => view?.focus()} />}
    </div>
  );
}

// Short to be seen, in full for the pointer.
function Facts({ view }: { view: TerminalView | undefined }) {
  const session = view?.session.value;
  const silent = session?.silent.value ?? 0;
  const state = silent > 0 ? t('terminal.silent', { seconds: silent }) : t(`terminal.${session?.phase.value ?? 'opening'}`);
  const short: string[] = [];
  const full = [state];
  const about = session?.session.value;
  if (about) {
    short.push(wayText(about));
    full.push(wayText(about));
  }
  if (view) {
    short.push(t('terminal.size', view.size.value));
    full.push(t('terminal.size', view.size.value));
  }
  if (session) {
    const { received, sent, roundTrip } = session.counters.value;
    const bytes = { received: formatBytes(received), sent: formatBytes(sent) };
    short.push(t('terminal.bytesShort', bytes));
    full.push(t('terminal.bytes', bytes));
    if (roundTrip !== undefined) {
      const overIcg = about?.icg && !session.route.value?.throughServer;
      short.push(t('terminal.roundTripShort', { ms: wholeMilliseconds(roundTrip) }));
      full.push(roundTripText(session.counters.value, overIcg));
    }
  }
  return (
    <span class="facts" title={full.join(' · ')}>
      <span class={silent > 0 ? 'error' : ''}>{state}</span>
      {short.map((fact) => ` · ${fact}`)}
    </span>
  );
}

function PasteProgress({ session, onStop }: { session: TerminalSession; onStop(): void }) {
  const { sent, total } = session.paste.value!;
  const stop = () => {
    session.cancelPaste();
    onStop();
  };
  return (
    <span class="paste">
      <progress max={total} value={sent} aria-label={t('paste.confirm')} />
      <span class="amount">{t('paste.progress', { sent: formatBytes(sent), total: formatBytes(total) })}</span>
      <button type="button" onClick={stop}>
        {t('paste.cancel')}
      </button>
    </span>
  );
}

function wayText({ flow, icg }: Session): string {
  if (!icg) return tEnum('flow', flow);
  return t('terminal.viaIcg', { os: flow.startsWith('OS11') ? 'OS 11' : 'OS 12', icg: icg.replace('icgs/', '') });
}

const wholeMilliseconds = (value: number) => formatNumber(Math.max(1, Math.round(value)));

function roundTripText({ roundTrip, edgeRoundTrip }: Counters, icg: unknown): string {
  const ms = wholeMilliseconds(roundTrip!);
  // The two are measured one after the other, and may not fit.
  if (edgeRoundTrip === undefined || edgeRoundTrip > roundTrip!) return t('terminal.roundTrip', { ms });
  return t(icg ? 'terminal.roundTripIcg' : 'terminal.roundTripServer', { ms, edge: wholeMilliseconds(edgeRoundTrip) });
}

function ThroughServer({ session, onClose }: { session: Session; onClose(): void }) {
  const edge = { url: session.consoleUrl, icg: session.icg, finding: 'unknown' as const };
  return (
    <Dialog title={t('terminal.throughServerTitle')} onClose={onClose}>
      <p>{t('terminal.throughServerText', { icg: session.icg.replace('icgs/', '') })}</p>
      <EdgeHelp
        edge={edge}
        onReachable={() => {
          services.avoided.delete(session.icg);
          tell(t('edge.nextDirect'));
          onClose();
        }}
      />
      <div class="buttons">
        <button type="button" class="primary" onClick={onClose}>
          {t('common.close')}
        </button>
      </div>
    </Dialog>
  );
}
