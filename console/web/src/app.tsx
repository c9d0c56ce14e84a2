// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// The page around all others: log-in, navigation, messages.
import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { t, type TextKey } from './i18n';
import { AuditPage } from './pages/audit';
import { DevicePage } from './pages/device';
import { DevicesPage } from './pages/devices';
import { IcgsPage } from './pages/icgs';
import { KeysPage } from './pages/keys';
import { LoginPage } from './pages/login';
import { SessionsPage } from './pages/sessions';
import { SettingsDialog } from './pages/settings';
import { TerminalsPage } from './pages/terminals';
import { route, type Route } from './router';
import { caller, logout, pageTitle, token } from './state/app';
import { choice, devicesPath } from './state/device_choice';
import { closeAllTerminals, runningCount, terminals } from './state/terminals';
import { Confirm } from './ui/dialog';
import { Toasts } from './ui/toasts';

const NAVIGATION: [Route['page'], TextKey][] = [
  ['devices', 'nav.devices'],
  ['terminals', 'nav.terminals'],
  ['sessions', 'nav.sessions'],
  ['audit', 'nav.audit'],
  ['keys', 'nav.keys'],
  ['icgs', 'nav.icgs'],
];

export function App() {
  const loggedIn = token.value !== '';
  const { page } = route.value;
  const where = page === 'device' ? 'devices' : page;
  const title = loggedIn ? pageTitle.value || t(`nav.${where}`) : t('login.title');
  useEffect(() => {
    document.title = `${title} – ${t('app.name')}`;
  });
  useFocusOnNewPage();
  // Terminals outlive an expired log-in.
  const keepTerminals = loggedIn || terminals.value.length > 0;
  return (
    <>
      {loggedIn ? (
        <>
          <a class="skip" href="#content" onClick={skip}>
            {t('app.skip')}
          </a>
          <Header />
          <CurrentPage />
        </>
      ) : (
        <LoginPage />
      )}
      {keepTerminals && <TerminalsPage hidden={!loggedIn || page !== 'terminals'} />}
      <Toasts />
    </>
  );
}

// What had the focus went with the page before.
function useFocusOnNewPage() {
  const current = route.value;
  const shown = useRef(current);
  useEffect(() => {
    if (shown.current === current) return;
    shown.current = current;
    // The device list has places of its own, and so has a terminal.
    if (current.page === 'devices' || (current.page === 'terminals' && terminals.value.length > 0)) return;
    const heading = document.querySelector<HTMLElement>('main:not([hidden]) h1');
    if (!heading) return;
    heading.tabIndex = -1;
    heading.focus();
  }, [current]);
}

// The fragment is the page's address, so that the link must not change it.
function skip(event: Event) {
  event.preventDefault();
  const content = document.getElementById('content');
  content?.setAttribute('tabindex', '-1');
  content?.focus();
}

function Header() {
  const settingsOpen = useSignal(false);
  const leaving = useSignal(false);
  const { page } = route.value;
  const links = useRef<HTMLUListElement>(null);
  useEffect(() => {
    const current = links.current?.querySelector('[aria-current]');
    current?.scrollIntoView({ block: 'nearest', inline: 'nearest' });
  }, [page]);
  const user = caller.value?.user.replace('users/', '') ?? '';
  const leave = () => {
    closeAllTerminals();
    leaving.value = false;
    void logout();
  };
  return (
    <header>
      <span class="brand">{t('app.name')}</span>
      <nav aria-label={t('nav.label')}>
        <ul ref={links}>
          {NAVIGATION.map(([name, key]) => {
            const current = name === page || (name === 'devices' && page === 'device');
            const count = name === 'terminals' ? terminals.value.length : 0;
            return (
              <li key={name}>
                <a href={name === 'devices' ? devicesPath(choice.value) : `#/${name}`} aria-current={current ? 'page' : undefined}>
                  {t(key)}
                  {count > 0 && <span class="count"> {count}</span>}
                </a>
              </li>
            );
          })}
        </ul>
      </nav>
      <span class="user">{user && t('nav.user', { user })}</span>
      <button type="button" class="quiet" onClick={() => (settingsOpen.value = true)}>
        {t('nav.settings')}
      </button>
      <button
        type="button"
        class="quiet"
        title={user && t('nav.user', { user })}
        onClick={() => (runningCount.value > 0 ? (leaving.value = true) : leave())}
      >
        {t('nav.logout')}
      </button>
      {settingsOpen.value && <SettingsDialog onClose={() => (settingsOpen.value = false)} />}
      {leaving.value && (
        <Confirm
          title={t('terminals.closeTitle', { count: runningCount.value })}
          confirm={t('nav.logout')}
          danger
          onClose={() => (leaving.value = false)}
          onConfirm={leave}
        >
          <p>{t('terminals.closeText')}</p>
        </Confirm>
      )}
    </header>
  );
}

function CurrentPage() {
  const current = route.value;
  switch (current.page) {
    case 'devices':
      return <DevicesPage />;
    case 'device':
      return <DevicePage name={current.name} />;
    case 'sessions':
      return <SessionsPage />;
    case 'audit':
      return <AuditPage />;
    case 'keys':
      return <KeysPage />;
    case 'icgs':
      return <IcgsPage />;
    case 'terminals':
      return null;
  }
}
