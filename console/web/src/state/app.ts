// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// What all pages share: who is logged in, the API, and messages for the person.
import { signal } from '@preact/signals';
import { ApiClient, ApiError } from '../api/client';
import { methods, type Caller } from '../api/generated';
import { watch, type Socket, type WatchEnvironment, type WatchHandlers } from '../api/watch';
import type { Method } from '../api/generated';
import { isTextKey, t } from '../i18n';
import { activityNoter } from './activity';
import { sentence } from './sentence';

const TOKEN_KEY = 'fairlead.token';

// Kept for this browser tab alone, and until it is closed.
export const token = signal(sessionStorage.getItem(TOKEN_KEY) ?? '');
export const caller = signal<Caller | undefined>(undefined);
export const loginExpired = signal(false);

// What the page that is shown is about, for the window's title; empty for its name in the navigation.
export const pageTitle = signal('');

export interface Toast {
  id: number;
  text: string;
  kind: 'status' | 'alert';
}
export const toasts = signal<Toast[]>([]);
let nextToast = 1;
const TOAST_MILLISECONDS = 6_000;
const MAX_TOASTS = 4;

export function tell(text: string, kind: Toast['kind'] = 'status'): void {
  if (text === '' || toasts.value.some((toast) => toast.text === text)) return;
  const id = nextToast++;
  toasts.value = [...toasts.value, { id, text, kind }].slice(-MAX_TOASTS);
  setTimeout(() => dismiss(id), kind === 'alert' ? 2 * TOAST_MILLISECONDS : TOAST_MILLISECONDS);
}

export function dismiss(id: number): void {
  toasts.value = toasts.value.filter((toast) => toast.id !== id);
}

// A sentence that stands alone, in the person's language where the server gives a constant for it.
export function errorText(error: unknown): string {
  if (error instanceof ApiError) {
    const key = `error.${error.reason}`;
    // How long to wait is all that differs from time to time.
    const number = /\d+/.exec(error.message)?.[0] ?? '';
    return isTextKey(key) ? t(key, { number }) : sentence(error.message);
  }
  return error instanceof Error ? error.message : String(error);
}

export function tellError(error: unknown): void {
  if (error instanceof ApiError && error.isUnauthenticated) return;
  tell(errorText(error), 'alert');
}

function setToken(value: string): void {
  token.value = value;
  if (value) sessionStorage.setItem(TOKEN_KEY, value);
  else sessionStorage.removeItem(TOKEN_KEY);
}

function endLogin(expired: boolean): void {
  setToken('');
  caller.value = undefined;
  loginExpired.value = expired;
}

// `used` was found to be no longer good; there may be another by now.
function onUnauthenticated(used: string): void {
  if (used === token.value) endLogin(true);
}

export const api = new ApiClient(
  () => token.value,
  onUnauthenticated,
  undefined,
  () => t('error.unreachable'),
);

export async function login(username: string, password: string): Promise<void> {
  const { accessToken } = await api.call(methods.login, { username, password });
  setToken(accessToken);
  loginExpired.value = false;
  caller.value = await api.call(methods.getCaller, {});
}

// The person is logged out at once, whether or not the server answers.
export async function logout(): Promise<void> {
  const revoked = api.call(methods.logout, {}).catch(() => {});
  endLogin(false);
  await revoked;
}

// Keeps the log-in of a person who is active in ways that make no other call, as by typing in a
// terminal.
const noteActivity = activityNoter(async () => {
  if (token.value) await api.call(methods.getCaller, {});
});

// Called once by the page.
export function startActivity(): void {
  for (const type of ['keydown', 'pointerdown', 'paste', 'wheel']) {
    addEventListener(type, noteActivity, { capture: true, passive: true });
  }
}

// After a reload the token may still be good.
export async function resumeLogin(): Promise<void> {
  if (!token.value) return;
  try {
    caller.value = await api.call(methods.getCaller, {});
  } catch (error) {
    tellError(error);
  }
}

const environment: WatchEnvironment = {
  origin: location.origin,
  token: () => token.value,
  onUnauthenticated,
  connect: (url, protocols) => new WebSocket(url, protocols) as unknown as Socket,
  setTimer: (milliseconds, action) => setTimeout(action, milliseconds),
  clearTimer: (timer) => clearTimeout(timer as ReturnType<typeof setTimeout>),
  random: () => Math.random(),
};

// Follows a stream of the server until the returned function is called.
export function follow<Request, Message>(
  method: Method<Request, Message>,
  request: Partial<Request>,
  handlers: WatchHandlers<Message>,
): () => void {
  return watch(environment, method, request, handlers);
}

// Whether it was copied; the person is told either way.
export async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    tell(t('common.copied'));
    return true;
  } catch {
    tell(t('common.notCopied'), 'alert');
    return false;
  }
}

export function download(name: string, content: string, type: string): void {
  const url = URL.createObjectURL(new Blob([content], { type }));
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  // The browser has begun to read it by then.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
