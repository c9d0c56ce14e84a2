// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// The log-in.
import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { t } from '../i18n';
import { errorText, login, loginExpired } from '../state/app';
import { Field } from '../ui/field';
import { LookChoices } from './settings';

export function LoginPage() {
  const username = useSignal('');
  const password = useSignal('');
  const error = useSignal('');
  const busy = useSignal(false);
  const form = useRef<HTMLFormElement>(null);
  useEffect(() => form.current?.querySelector('input')?.focus(), []);

  const submit = async (event: Event) => {
    event.preventDefault();
    if (busy.value) return;
    busy.value = true;
    error.value = '';
    try {
      await login(username.value, password.value);
    } catch (failure) {
      error.value = errorText(failure);
      password.value = '';
      form.current?.querySelector<HTMLInputElement>('input[type=password]')?.focus();
    } finally {
      busy.value = false;
    }
  };

  return (
    <main class="login" id="content">
      <form class="card" ref={form} onSubmit={submit}>
        <p class="brand" aria-hidden="true">
          Fairlead
        </p>
        <p class="hint">{t('login.intro')}</p>
        <h1>{t('login.title')}</h1>
        {loginExpired.value && <p role="status">{t('login.expired')}</p>}
        <Field
          label={t('login.username')}
          name="username"
          autocomplete="username"
          autocapitalize="off"
          spellcheck={false}
          required
          value={username.value}
          onInput={(event) => (username.value = event.currentTarget.value)}
        />
        <Field
          label={t('login.password')}
          name="password"
          type="password"
          autocomplete="current-password"
          required
          value={password.value}
          onInput={(event) => (password.value = event.currentTarget.value)}
        />
        {error.value && (
          <p role="alert" class="error">
            {error.value}
          </p>
        )}
        <button type="submit" class="primary" aria-disabled={busy.value}>
          {busy.value ? t('login.working') : t('login.submit')}
        </button>
        <div class="looks">
          <LookChoices />
        </div>
      </form>
    </main>
  );
}
