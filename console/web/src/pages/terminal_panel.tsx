// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// One terminal with its tools, state line, banner and questions.
import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { formatBytes, formatNumber, t, type TextKey } from '../i18n';
import { copyText, tell, tellError } from '../state/app';
import { change, clampFontSize, settings } from '../state/settings';
import { active, setState, type TerminalTab } from '../state/terminals';
import type { Ending } from '../terminal/ending';
import { summarizePaste } from '../terminal/paste';
import type { TerminalView } from '../terminal/terminal_view';
import { Confirm } from '../ui/dialog';
import { EdgeHelp } from './edge_help';
import { Find } from './terminal_find';
import { services } from './terminal_services';
import { StateLine } from './terminal_state_line';

export interface PanelProps {
  tab: TerminalTab;
  // Another tab is shown.
  hidden: boolean;
  // Another page is shown.
  away: boolean;
}

function endingText(ending: Ending): string {
  return t(ending.sentence, ending.values);
}

export function TerminalPanel({ tab, hidden, away }: PanelProps) {
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
      made = new TerminalView(box.current!, tab.device, tab.wish, label, services, {
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
    // Who sees the terminal sees its banner.
    if (!ending || ending.expected || !(hidden || away)) return;
    tell(t('terminal.endedToast', { device: tab.label, sentence: endingText(ending) }), 'alert');
  }, [ending]);
  useEffect(() => {
    if (hidden || away || tab.id !== active.value) return;
    if (document.activeElement?.getAttribute('role') !== 'tab') view.value?.focus();
  }, [hidden, away]);

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
    // Where the focus is to be once the person has answered, if they are asked.
    view?.focus();
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
    <div class="tools" role="group" aria-label={t('terminal.tools')}>
      {tools.map(([key, text, action]) => (
        <button key={key} type="button" class="quiet" aria-label={t(key)} title={t(key)} onClick={action}>
          {text}
        </button>
      ))}
      <span class="hint">{t('terminal.wayOut')}</span>
    </div>
  );
}

function EndBanner({ ending, onReopen }: { ending: Ending; onReopen(): void }) {
  return (
    <div class={ending.expected ? 'banner' : 'banner alarm'} data-banner>
      <p role={ending.expected ? 'status' : 'alert'}>
        <strong>{endingText(ending)}</strong> <span lang="en">{ending.detail}</span>
      </p>
      {ending.edge && <EdgeHelp edge={ending.edge} onReachable={onReopen} />}
      <button type="button" class="primary" onClick={onReopen}>
        {t('terminal.reopen')}
      </button>{' '}
      <span class="hint">{t('terminal.reopenByKey')}</span>
    </div>
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
    <Confirm title={title} confirm={t('paste.confirm')} confirmFirst onClose={onClose} onConfirm={onConfirm}>
      <p>{t('paste.text')}</p>
      <pre class="preview" tabIndex={0} aria-label={t('paste.preview')}>
        {preview}
      </pre>
    </Confirm>
  );
}
