// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Sessions: running ones and those of the past, kept current; terminating one.
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { methods, type Session } from '../api/generated';
import { formatBytes, formatTime, t, tEnum } from '../i18n';
import { devicePath } from '../router';
import { api, follow, tellError } from '../state/app';
import { Confirm } from '../ui/dialog';
import { Check, Field } from '../ui/field';
import { Table } from '../ui/table';
import { usePages, type Pages } from '../ui/use_pages';

// The server streams one session, not the list; so many of those that run are followed.
const MAX_FOLLOWED = 20;
const REFRESH_MILLISECONDS = 5_000;

export function startOf(session: Session): string | undefined {
  return session.timeline[0]?.time;
}

export function endOf({ end }: Session): string {
  if (!end) return '';
  const cause = tEnum('cause', end.cause);
  if (end.exitCode !== undefined) return `${cause}, ${t('cause.exitCode', { code: end.exitCode })}`;
  return end.signal ? `${cause}, ${end.signal}` : cause;
}

export function useSessions(filter: string, pageSize = 100): Pages<Session> & { changed: Map<string, Session> } {
  const pages = usePages<Session>(filter, async (pageToken) => {
    const page = await api.call(methods.listSessions, { filter, pageSize, pageToken });
    return { items: page.sessions, nextPageToken: page.nextPageToken };
  });
  const changed = useSignal(new Map<string, Session>());
  const running = (pages.items ?? [])
    .filter(({ name, state }) => state !== 'ENDED' && changed.value.get(name)?.state !== 'ENDED')
    .slice(0, MAX_FOLLOWED)
    .map(({ name }) => name)
    .join(' ');
  useEffect(() => {
    const stops = running
      .split(' ')
      .filter(Boolean)
      .map((name) =>
        follow(methods.watchSession, { name }, {
          onMessage: (session) => (changed.value = new Map(changed.value).set(session.name, session)),
        }),
      );
    return () => stops.forEach((stop) => stop());
  }, [running]);
  return { ...pages, changed: changed.value };
}

export function SessionsPage() {
  const onlyRunning = useSignal(true);
  const filter = onlyRunning.value ? 'state=ACTIVE' : '';
  const sessions = useSessions(filter);
  const terminating = useSignal<Session | undefined>(undefined);
  const pages = { ...sessions, items: sessions.items?.map((item) => sessions.changed.get(item.name) ?? item) };

  // New sessions appear by looking again; those that are shown are followed.
  useEffect(() => {
    const timer = setInterval(() => {
      if (!document.hidden && !terminating.value && !pages.hasMore) void sessions.reload();
    }, REFRESH_MILLISECONDS);
    return () => clearInterval(timer);
  }, [filter]);

  return (
    <main id="content" class="page">
      <div class="bar">
        <h1>{t('sessions.title')}</h1>
        <Check
          label={t('sessions.open')}
          checked={onlyRunning.value}
          onChange={(event) => (onlyRunning.value = event.currentTarget.checked)}
        />
        <button type="button" onClick={() => void sessions.reload()}>
          {t('common.refresh')}
        </button>
      </div>
      <SessionTable pages={pages} withDevice onTerminate={(session) => (terminating.value = session)} />
      {terminating.value && (
        <Terminate
          session={terminating.value}
          onClose={() => (terminating.value = undefined)}
          onDone={() => {
            terminating.value = undefined;
            void sessions.reload();
          }}
        />
      )}
    </main>
  );
}

interface SessionTableProps {
  pages: Pages<Session>;
  withDevice?: boolean;
  empty?: string;
  onTerminate?(session: Session): void;
}

export function SessionTable({ pages, withDevice, empty, onTerminate }: SessionTableProps) {
  const columns = [
    t('sessions.state'),
    ...(withDevice ? [t('sessions.device')] : []),
    t('sessions.user'),
    t('sessions.flow'),
    t('sessions.started'),
    t('sessions.ended'),
    t('sessions.bytes'),
    t('sessions.reason'),
    ...(onTerminate ? [t('common.actions')] : []),
  ];
  return (
    <Table
      label={t('sessions.title')}
      columns={columns}
      pages={pages}
      empty={empty ?? t('sessions.none')}
      row={(session) => (
        <tr key={session.name} data-session={session.name}>
          <td>{tEnum('state', session.state)}</td>
          {withDevice && (
            <td>
              <a href={devicePath(session.device)}>{session.device.replace('devices/', '')}</a>
            </td>
          )}
          <td>{session.user.replace('users/', '')}</td>
          <td>
            <details>
              <summary>
                {tEnum('flow', session.flow)}
                {session.consoleThroughServer && `, ${t('terminal.throughServer')}`}
              </summary>
              <ol class="timeline" aria-label={t('sessions.timeline')}>
                {session.timeline.map(({ step, time }) => (
                  <li key={step}>
                    {formatTime(time)} {step}
                  </li>
                ))}
              </ol>
            </details>
          </td>
          <td>{formatTime(startOf(session))}</td>
          <td>{endOf(session)}</td>
          <td>{session.end ? bytesOf(session) : ''}</td>
          <td>{session.reason}</td>
          {onTerminate && (
            <td>
              {session.state !== 'ENDED' && (
                <button
                  type="button"
                  class="danger"
                  aria-label={t('sessions.terminateOf', { device: session.device.replace('devices/', '') })}
                  onClick={() => onTerminate(session)}
                >
                  {t('sessions.terminate')}
                </button>
              )}
            </td>
          )}
        </tr>
      )}
    />
  );
}

function bytesOf({ end }: Session): string {
  return `${formatBytes(Number(end?.bytesToConsole ?? 0))} / ${formatBytes(Number(end?.bytesToDevice ?? 0))}`;
}

interface TerminateProps {
  session: Session;
  onClose(): void;
  onDone(): void;
}

function Terminate({ session, onClose, onDone }: TerminateProps) {
  const reason = useSignal('');
  const values = { user: session.user.replace('users/', ''), device: session.device.replace('devices/', '') };
  return (
    <Confirm
      title={t('sessions.terminateTitle')}
      confirm={t('sessions.terminate')}
      danger
      onClose={onClose}
      onConfirm={async () => {
        try {
          await api.call(methods.terminateSession, { name: session.name, reason: reason.value });
          onDone();
        } catch (error) {
          tellError(error);
        }
      }}
    >
      <p>{t('sessions.terminateText', values)}</p>
      <Field
        label={t('sessions.terminateReason')}
        maxLength={1024}
        value={reason.value}
        onInput={(event) => (reason.value = event.currentTarget.value)}
      />
    </Confirm>
  );
}
