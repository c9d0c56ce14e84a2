// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// One terminal with its tools, state line, banner and questions.
import { useComputed, useSignal } from '@preact/signals';
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import { methods, type Session } from '../api/generated';
import { formatBytes, formatNumber, t, tEnum, type TextKey } from '../i18n';
import { api, copyText, tell, tellError } from '../state/app';
import { change, clampFontSize, settings } from '../state/settings';
import { active, setState, type TerminalTab } from '../state/terminals';
import { timeEdge } from '../terminal/edge_timer';
import { summarizePaste } from '../terminal/paste';
import type { Counters, Ending, SessionServices } from '../terminal/terminal_session';
import type { TerminalView } from '../terminal/terminal_view';
import { openTunnel } from '../terminal/tunnel';
import { Confirm, Dialog } from '../ui/dialog';
import { EdgeHelp } from './edge_help';

const services: SessionServices = {
  createSession: (request) => api.call(methods.createSession, request),
  openTunnel,
  timeEdge,
  pageHost: location.host,
  avoided: new Set(),
  describeSkipped: (bytes) => t('terminal.skipped', { bytes: formatNumber(bytes) }),
  now: () => performance.now(),
};

export function endingText(ending: Ending): string {
  return t(ending.sentence, ending.values);
}

export function TerminalPanel({ tab, hidden }: { tab: TerminalTab; hidden: boolean }) {
  const box = useRef<HTMLDivElement>(null);
  const view = useSignal<TerminalView | undefined>(undefined);
  const pasting = useSignal<string | undefined>(undefined);
  const link = useSignal<string | undefined>(undefined);
  const finding = useSignal(false);

  useEffect(() => {
    let gone = false;
    let made: TerminalView | undefined;
    import('../terminal/terminal_view').then(({ TerminalView }) => {
      if (gone) return;
      const label = t('terminal.label', { device: tab.label });
      made = new TerminalView(box.current!, tab.device, label, services, {
        onPasteQuestion: (text) => (pasting.value = text),
        onLink: (url) => (link.value = url),
        onRefused: (what) => tell(t(`terminal.refused.${what}`)),
        onFind: () => (finding.value = true),
        onLeave: () => document.getElementById(`tab-${tab.id}`)?.focus(),
        onCopy: (text) => void copyText(text),
      });
      view.value = made;
      (box.current as HTMLDivElement & { view?: TerminalView }).view = made;
      void made.start();
    }, tellError);
    return () => {
      gone = true;
      made?.dispose();
    };
  }, []);

  const session = view.value?.session.value;
  const phase = session?.phase.value ?? 'opening';
  const ending = session?.ending.value;
  const title = view.value?.title.value ?? '';

  // What the tab strip shows.
  useEffect(() => {
    setState(tab.id, {
      running: phase !== 'ended',
      alarm: ending !== undefined && !ending.expected,
      title,
      close: () => view.value?.session.value?.close(),
      focus: () => view.value?.focus(),
    });
  }, [phase, ending, title]);
  useEffect(() => {
    if (!ending || ending.expected) return;
    tell(t('terminal.endedToast', { device: tab.label, sentence: endingText(ending) }), 'alert');
  }, [ending]);
  useEffect(() => {
    if (!hidden && tab.id === active.value) view.value?.focus();
  }, [hidden]);

  const reopen = () => void view.value?.start();
  return (
    <section
      class="panel"
      role="tabpanel"
      id={`panel-${tab.id}`}
      aria-labelledby={`tab-${tab.id}`}
      hidden={hidden}
      data-device={tab.device}
      data-phase={phase}
      onFocusCapture={() => (active.value = tab.id)}
    >
      <Tools view={view.value} onFind={() => (finding.value = !finding.value)} />
      {finding.value && view.value && (
        <div class="over">
          <Find
            view={view.value}
            onClose={() => {
              view.value?.find('', false);
              finding.value = false;
              view.value?.focus();
            }}
          />
        </div>
      )}
      {session?.deviceAway.value && phase === 'open' && (
        <p class="banner" role="status">
          {t('terminal.deviceAway')}
        </p>
      )}
      {session?.notice.value && (
        <p class="banner" role="status">
          {session.notice.value}
        </p>
      )}
      {ending && <EndBanner ending={ending} onReopen={reopen} />}
      <div class="screen" ref={box} />
      <StateLine view={view.value} />
      {pasting.value !== undefined && (
        <PasteQuestion
          text={pasting.value}
          onClose={() => (pasting.value = undefined)}
          onConfirm={() => {
            const text = pasting.value!;
            pasting.value = undefined;
            view.value?.pasteNow(text);
          }}
        />
      )}
      {link.value !== undefined && (
        <Confirm
          title={t('link.title')}
          confirm={t('link.confirm')}
          onClose={() => (link.value = undefined)}
          onConfirm={() => {
            window.open(link.value, '_blank', 'noopener,noreferrer');
            link.value = undefined;
          }}
        >
          <p>{t('link.text')}</p>
          <p class="mono break">{link.value}</p>
        </Confirm>
      )}
    </section>
  );
}

function Tools({ view, onFind }: { view: TerminalView | undefined; onFind(): void }) {
  const font = (step: number) => change({ fontSize: clampFontSize(settings.value.fontSize + step) });
  const paste = async () => {
    let text: string;
    try {
      text = await navigator.clipboard.readText();
    } catch {
      tell(t('terminal.pasteByKey'));
      return;
    }
    view?.paste(text);
  };
  const copy = () => {
    if (!view?.copySelection()) tell(t('terminal.nothingSelected'));
    view?.focus();
  };
  const tools: [TextKey, string, () => void][] = [
    ['terminal.copy', t('common.copy'), copy],
    ['terminal.paste', t('paste.confirm'), () => void paste()],
    ['terminal.find', t('terminal.find'), onFind],
    ['terminal.smaller', '−', () => font(-1)],
    ['terminal.larger', '+', () => font(1)],
  ];
  return (
    <div class="tools" role="toolbar">
      {tools.map(([key, text, action]) => (
        <button key={key} type="button" class="quiet" aria-label={t(key)} title={t(key)} onClick={action}>
          {text}
        </button>
      ))}
      <span class="hint">{t('terminal.wayOut')}</span>
    </div>
  );
}

function Find({ view, onClose }: { view: TerminalView; onClose(): void }) {
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
      onKeyDown={(event) => event.key === 'Escape' && onClose()}
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

function EndBanner({ ending, onReopen }: { ending: Ending; onReopen(): void }) {
  return (
    <div class={ending.expected ? 'banner' : 'banner alarm'} data-banner>
      <p>
        <strong>{endingText(ending)}</strong> {ending.detail}
      </p>
      {ending.edge && <EdgeHelp edge={ending.edge} onReachable={onReopen} />}
      <button type="button" class="primary" onClick={onReopen}>
        {t('terminal.reopen')}
      </button>
    </div>
  );
}

function StateLine({ view }: { view: TerminalView | undefined }) {
  const session = view?.session.value;
  const phase = session?.phase.value ?? 'opening';
  const counters = session?.counters.value;
  const about = session?.session.value;
  const paste = session?.paste.value;
  const throughServer = phase === 'open' && session?.route.value?.throughServer;
  const asking = useSignal(false);
  const size = useComputed(() => view?.size.value ?? { columns: 80, rows: 24 });
  const parts = [t(`terminal.${phase}`)];
  if (about) parts.push(wayText(about));
  if (view) parts.push(t('terminal.size', view.size.value ?? size.value));
  if (counters) {
    const { received, sent } = counters;
    parts.push(t('terminal.bytes', { received: formatBytes(received), sent: formatBytes(sent) }));
  }
  if (counters?.roundTrip !== undefined) parts.push(roundTripText(counters, about?.icg && !throughServer));
  return (
    <div class="state-line" data-state-line>
      <span class="facts" title={parts.join(' · ')}>
        {parts.join(' · ')}
      </span>
      {throughServer && (
        <button type="button" class="quiet" onClick={() => (asking.value = true)}>
          {t('terminal.throughServer')}
        </button>
      )}
      {asking.value && about && <ThroughServer session={about} onClose={() => (asking.value = false)} />}
      {paste && (
        <span class="paste">
          <progress max={paste.total} value={paste.sent} aria-label={t('paste.confirm')} />
          {t('paste.progress', { sent: formatBytes(paste.sent), total: formatBytes(paste.total) })}
          <button type="button" onClick={() => session?.cancelPaste()}>
            {t('paste.cancel')}
          </button>
        </span>
      )}
    </div>
  );
}

function wayText({ flow, icg }: Session): string {
  if (!icg) return tEnum('flow', flow);
  return t('terminal.viaIcg', { os: flow.startsWith('OS11') ? 'OS 11' : 'OS 12', icg: icg.replace('icgs/', '') });
}

function roundTripText({ roundTrip, edgeRoundTrip }: Counters, icg: unknown): string {
  const round = (value: number) => formatNumber(Math.max(1, Math.round(value)));
  const ms = round(roundTrip!);
  // The two are measured one after the other, and may not fit.
  if (edgeRoundTrip === undefined || edgeRoundTrip > roundTrip!) return t('terminal.roundTrip', { ms });
  return t(icg ? 'terminal.roundTripIcg' : 'terminal.roundTripServer', { ms, edge: round(edgeRoundTrip) });
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

interface PasteQuestionProps {
  text: string;
  onClose(): void;
  onConfirm(): void;
}

function PasteQuestion({ text, onClose, onConfirm }: PasteQuestionProps) {
  const { lines, characters, preview } = summarizePaste(text);
  const title =
    lines > 1
      ? t('paste.title', { lines: formatNumber(lines) })
      : t('paste.titleLarge', { size: formatBytes(characters) });
  return (
    <Confirm title={title} confirm={t('paste.confirm')} onClose={onClose} onConfirm={onConfirm}>
      <p>{t('paste.text')}</p>
      <pre class="preview" tabIndex={0} aria-label={t('paste.preview')}>
        {preview}
      </pre>
    </Confirm>
  );
}
