// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// The REST API by its generated table: fills paths and queries, sends the token, turns failures into
// ApiError. Used by all pages.
import type { Method, Status } from './generated';

// What the server refused, or why it could not be asked. `message` is a sentence for a person.
export class ApiError extends Error {
  constructor(
    // The gRPC status code; 14 (UNAVAILABLE) when the server could not be reached.
    readonly code: number,
    message: string,
    // The server's constant for this refusal, for example "LOGIN_REFUSED"; empty if it has none.
    readonly reason = '',
  ) {
    super(message);
    this.name = 'ApiError';
  }
  get isUnauthenticated(): boolean {
    return this.code === UNAUTHENTICATED;
  }
}

export const INVALID_ARGUMENT = 3;
export const NOT_FOUND = 5;
export const PERMISSION_DENIED = 7;
export const UNAUTHENTICATED = 16;
export const UNAVAILABLE = 14;

export interface HttpCall {
  url: string;
  verb: string;
  body?: string;
}

type Fields = Record<string, unknown>;

function takePath(fields: Fields, path: string): string {
  const names = path.split('.');
  let at: Fields = fields;
  for (const name of names.slice(0, -1)) at = (at[name] ?? {}) as Fields;
  const last = names[names.length - 1]!;
  const value = at[last];
  if (typeof value !== 'string' || value === '') throw new Error(`${path} is needed`);
  delete at[last];
  return value;
}

// The HTTP request that a method's rule makes of `request`.
export function toHttp<Request, Response>(
  method: Method<Request, Response>,
  request: Partial<Request>,
): HttpCall {
  const fields = structuredClone(request) as Fields;
  const url = method.path.replace(/\{([\w.]+)=(\w+)\/\*\}/g, (_all, path: string, collection: string) => {
    const value = takePath(fields, path);
    if (!value.startsWith(`${collection}/`)) throw new Error(`${path} is no name in ${collection}`);
    return `${collection}/${encodeURIComponent(value.slice(collection.length + 1))}`;
  });
  if (method.body === '*') return { url, verb: method.verb, body: JSON.stringify(fields) };
  if (method.body !== '') {
    return { url, verb: method.verb, body: JSON.stringify(fields[method.body] ?? {}) };
  }
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(fields)) {
    if (value !== undefined && value !== '' && value !== 0) query.set(name, String(value));
  }
  const text = query.toString();
  return { url: text ? `${url}?${text}` : url, verb: method.verb };
}

// The error that an answer's body tells.
export function errorFrom(httpStatus: number, body: string): ApiError {
  try {
    const status = JSON.parse(body) as Partial<Status>;
    const reason = status.details?.[0]?.reason;
    if (typeof status.message === 'string') {
      return new ApiError(status.code ?? 2, status.message, typeof reason === 'string' ? reason : '');
    }
  } catch {
    // Not from the server itself, perhaps a proxy.
  }
  return new ApiError(
    httpStatus === 401 ? UNAUTHENTICATED : httpStatus >= 502 ? UNAVAILABLE : 2,
    `The server answered with HTTP ${httpStatus}.`,
  );
}

const TIMEOUT_MILLISECONDS = 45_000;

export class ApiClient {
  constructor(
    private readonly token: () => string,
    // This token is no longer good: show the log-in.
    private readonly onUnauthenticated: (token: string) => void = () => {},
    private readonly doFetch: typeof fetch = (...args) => fetch(...args),
    private readonly unreachable: () => string = () => 'The server cannot be reached.',
  ) {}

  // Errors: ApiError.
  async call<Request, Response>(
    method: Method<Request, Response>,
    request: Partial<Request>,
    signal?: AbortSignal,
  ): Promise<Response> {
    const http = toHttp(method, request);
    const headers: Record<string, string> = { accept: 'application/json' };
    const token = this.token();
    if (token) headers.authorization = `Bearer ${token}`;
    if (http.body !== undefined) headers['content-type'] = 'application/json';
    const ended = endsWith(signal, TIMEOUT_MILLISECONDS);
    let status: number;
    let body: string;
    try {
      const response = await this.doFetch(http.url, {
        method: http.verb,
        headers,
        body: http.body,
        signal: ended.signal,
        cache: 'no-store',
        credentials: 'omit',
      });
      status = response.status;
      body = await response.text();
    } catch (error) {
      if (signal?.aborted) throw error;
      throw new ApiError(UNAVAILABLE, this.unreachable());
    } finally {
      ended.release();
    }
    if (status === 200) return JSON.parse(body) as Response;
    const error = errorFrom(status, body);
    if (error.isUnauthenticated && token) this.onUnauthenticated(token);
    throw error;
  }
}

// A signal that is aborted with `signal` or after a time. Once released it holds nothing: that of
// AbortSignal.timeout() lives until its time is up, with all that listens to it.
function endsWith(signal: AbortSignal | undefined, milliseconds: number) {
  const controller = new AbortController();
  const abort = () => controller.abort(signal?.reason);
  const timer = setTimeout(abort, milliseconds);
  if (signal?.aborted) abort();
  signal?.addEventListener('abort', abort);
  const release = () => {
    clearTimeout(timer);
    signal?.removeEventListener('abort', abort);
  };
  return { signal: controller.signal, release };
}
