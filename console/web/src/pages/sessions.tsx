// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Sessions: running ones and those of the past, kept current; terminating one.
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { methods, type Session } from '../api/generated';
import { formatBytes, formatTime, t, tEnum } from '../i18n';
import { devicePath } from '../router';
import { api, follow, tellError } from '../state/app';
import { sentence } from '../state/sentence';
import { Confirm } from '../ui/dialog';
import { Check, Field } from '../ui/field';
import { Table } from '../ui/table';
import { Time } from '../ui/time';
import { usePages, useRefresh, type Pages } from '../ui/use_pages';

// The server streams one session, not the list; so many of those that run are followed.
const MAX_FOLLOWED = 20;

export function startOf(session: Session): string | undefined {
  return session.timeline[0]?.time;
}

export function endOf({ end }: Session): string {
  if (!end) return '';
  const cause = tEnum('cause', end.cause);
  if (end.exitCode !== undefined) return `${cause}, ${t('cause.exitCode', { code: end.exitCode })}`;
  return end.signal ? `${cause}, ${end.signal}` : cause;
}

// Sessions that `filter` selects; those that run are followed.
export function useSessions(filter: string, pageSize = 100): Pages<Session> {
  const pages = usePages<Session>(filter, pageSize, async (request, signal) => {
    const page = await api.call(methods.listSessions, { filter, ...request }, signal);
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
  const current = (item: Session) => (item.state === 'ENDED' ? item : (changed.value.get(item.name) ?? item));
  return { ...pages, items: pages.items?.map(current) };
}

export function SessionsPage() {
  const onlyRunning = useSignal(true);
  const filter = onlyRunning.value ? 'state=ACTIVE' : '';
  const sessions = useSessions(filter);
  const terminating = useSignal<Session | undefined>(undefined);

  // New sessions appear by looking again; those that are shown are followed.
  useRefresh(sessions, terminating.value !== undefined);

  return (
    <main id="content" class="page list">
      <div class="bar">
        <h1>{t('sessions.title')}</h1>
        <Check
          label={t('sessions.open')}
          checked={onlyRunning.value}
          onChange={(event) => (onlyRunning.value = event.currentTarget.checked)}
        />
        <button type="button" onClick={() => void sessions.refresh()}>
          {t('common.refresh')}
        </button>
      </div>
      <SessionTable
        pages={sessions}
        withDevice
        empty={onlyRunning.value ? t('sessions.noneRunning') : undefined}
        onTerminate={(session) => (terminating.value = session)}
      />
      {terminating.value && (
        <Terminate
          session={terminating.value}
          onClose={() => (terminating.value = undefined)}
          onDone={async () => {
            await sessions.refresh();
            terminating.value = undefined;
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
          <td class="nowrap">
            <Time time={startOf(session)} />
          </td>
          <td>
            {endOf(session)}
            {session.end?.message && <p class="hint">{sentence(session.end.message)}</p>}
          </td>
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
  onDone(): Promise<void>;
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
          await onDone();
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
