// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// The audit log: filter, and export as JSON Lines.
import { useSignal } from '@preact/signals';
import { methods, type AuditEvent } from '../api/generated';
import { formatNumber, formatTime, t, tEnum } from '../i18n';
import { api, download, tell, tellError } from '../state/app';
import { Field } from '../ui/field';
import { Table } from '../ui/table';
import { usePages } from '../ui/use_pages';

const EXPORT_PAGE = 1000;

async function exportEvents(filter: string): Promise<number> {
  const lines: string[] = [];
  let pageToken = '';
  do {
    const page = await api.call(methods.listAuditEvents, { filter, pageToken, pageSize: EXPORT_PAGE });
    for (const event of page.auditEvents) lines.push(JSON.stringify(event));
    pageToken = page.nextPageToken;
  } while (pageToken);
  const day = new Date().toISOString().slice(0, 10);
  download(`audit-${day}.jsonl`, lines.map((line) => `${line}\n`).join(''), 'application/jsonl');
  return lines.length;
}

export function AuditPage() {
  const text = useSignal('');
  const filter = useSignal('');
  const busy = useSignal(false);
  const pages = usePages<AuditEvent>(filter.value, 100, async (request, signal) => {
    const page = await api.call(methods.listAuditEvents, { filter: filter.value, ...request }, signal);
    return { items: page.auditEvents, nextPageToken: page.nextPageToken };
  });
  const save = async () => {
    busy.value = true;
    try {
      tell(t('audit.exported', { count: formatNumber(await exportEvents(filter.value)) }));
    } catch (error) {
      tellError(error);
    } finally {
      busy.value = false;
    }
  };
  const columns = ['time', 'actor', 'action', 'resource', 'outcome', 'address', 'detail'] as const;
  return (
    <main id="content" class="page list">
      <form
        class="bar"
        onSubmit={(event) => {
          event.preventDefault();
          if (filter.value === text.value.trim()) void pages.refresh();
          filter.value = text.value.trim();
        }}
      >
        <h1>{t('audit.title')}</h1>
        <div class="grow">
          <Field
            label={t('audit.filter')}
            placeholder={t('audit.filterHint')}
            spellcheck={false}
            maxLength={256}
            value={text.value}
            onInput={(event) => (text.value = event.currentTarget.value)}
          />
        </div>
        <button type="submit" class="primary">
          {t('audit.apply')}
        </button>
        <button type="button" disabled={busy.value} onClick={() => void save()}>
          {t('audit.export')}
        </button>
      </form>
      <Table
        label={t('audit.title')}
        columns={columns.map((name) => t(`audit.${name}`))}
        pages={pages}
        empty={t('audit.none')}
        row={(event) => (
          <tr key={event.name}>
            <td class="nowrap">{formatTime(event.time)}</td>
            <td class="break">{event.actor}</td>
            <td class="nowrap">{event.action}</td>
            <td class="break">{event.resource}</td>
            <td class={event.outcome === 'SUCCEEDED' ? '' : 'error'}>{tEnum('outcome', event.outcome)}</td>
            <td class="nowrap">{event.peerAddress}</td>
            <td class="break">{event.detail}</td>
          </tr>
        )}
      />
    </main>
  );
}
