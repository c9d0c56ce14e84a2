// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// The Console's tunnel: a WebSocket to the edge, binary frames for terminal bytes, text frames for
// control. Where the browser has WebSocketStream, a Telnet stream is read only as fast as it is drawn;
// a plain WebSocket cannot be held back, but for what is acknowledged.

const SUBPROTOCOL = 'fairlead.terminal.v1';
const TICKET_PREFIX = 'fairlead.ticket.';
export const OPEN_TIMEOUT_MILLISECONDS = 15_000;

export interface TunnelHandlers {
  onOpen(): void;
  // Resolves when more may come; only a source that can be held back waits for it.
  onBytes(bytes: Uint8Array): Promise<void> | void;
  onText(text: string): void;
  // Once, whatever happened. `opened`: whether the tunnel was ever in place.
  onClose(code: number, reason: string, opened: boolean): void;
  // The socket has drained.
  onDrain(): void;
}

export interface Tunnel {
  sendBytes(bytes: Uint8Array): void;
  sendText(text: string): void;
  // Bytes that wait in the socket.
  readonly buffered: number;
  close(code?: number, reason?: string): void;
}

export interface TunnelTarget {
  url: string;
  ticket: string;
  // While a paste waits, acknowledgements do too: only the socket itself can hold the source back.
  holdBack: boolean;
  // How long opening may take, if not as long as usual.
  timeoutMilliseconds?: number;
}

export type OpenTunnel = (target: TunnelTarget, handlers: TunnelHandlers) => Tunnel;

function protocols(ticket: string): string[] {
  return ticket ? [SUBPROTOCOL, TICKET_PREFIX + ticket] : [SUBPROTOCOL];
}

export function openTunnel(target: TunnelTarget, handlers: TunnelHandlers): Tunnel {
  const constructor = (globalThis as { WebSocketStream?: WebSocketStreamConstructor }).WebSocketStream;
  if (target.holdBack && constructor) return openStream(constructor, target, handlers);
  return openSocket(target, handlers);
}

// --- WebSocket ---------------------------------------------------------------------------------

const DRAIN_POLL_MILLISECONDS = 20;

function openSocket(target: TunnelTarget, handlers: TunnelHandlers): Tunnel {
  const socket = new WebSocket(target.url, protocols(target.ticket));
  socket.binaryType = 'arraybuffer';
  let opened = false;
  let wanted: CloseInfo | undefined;
  let draining: ReturnType<typeof setTimeout> | undefined;
  const timer = setTimeout(() => socket.close(), target.timeoutMilliseconds ?? OPEN_TIMEOUT_MILLISECONDS);
  const drain = () => {
    draining = undefined;
    if (socket.readyState !== WebSocket.OPEN) return;
    if (socket.bufferedAmount > 0) draining = setTimeout(drain, DRAIN_POLL_MILLISECONDS);
    handlers.onDrain();
  };
  socket.onopen = () => {
    opened = true;
    clearTimeout(timer);
    if (wanted) socket.close(wanted.closeCode, wanted.reason);
    else handlers.onOpen();
  };
  socket.onmessage = (event: MessageEvent<ArrayBuffer | string>) => {
    if (typeof event.data === 'string') handlers.onText(event.data);
    else void handlers.onBytes(new Uint8Array(event.data));
  };
  socket.onclose = (event) => {
    clearTimeout(timer);
    clearTimeout(draining);
    handlers.onClose(event.code, event.reason, opened);
  };
  return {
    sendBytes(bytes) {
      // What is drawn after the close is acknowledged in vain.
      if (socket.readyState !== WebSocket.OPEN) return;
      socket.send(bytes as Uint8Array<ArrayBuffer>);
      // The browser tells nobody when the socket has drained.
      draining ??= setTimeout(drain, DRAIN_POLL_MILLISECONDS);
    },
    sendText(text) {
      if (socket.readyState === WebSocket.OPEN) socket.send(text);
    },
    get buffered() {
      return socket.bufferedAmount;
    },
    close(code = 1000, reason = '') {
      wanted = { closeCode: code, reason };
      // A browser reports the close of a socket that is not open yet as an error.
      if (socket.readyState !== WebSocket.CONNECTING) socket.close(code, reason);
    },
  };
}

// --- WebSocketStream -----------------------------------------------------------------------------

interface CloseInfo {
  closeCode?: number;
  reason?: string;
}
interface StreamConnection {
  readable: ReadableStream<ArrayBuffer | Uint8Array | string>;
  writable: WritableStream<Uint8Array | string>;
}
interface WebSocketStreamLike {
  opened: Promise<StreamConnection>;
  closed: Promise<CloseInfo>;
  close(info?: CloseInfo): void;
}
type WebSocketStreamConstructor = new (
  url: string,
  options: { protocols: string[]; signal: AbortSignal },
) => WebSocketStreamLike;

function openStream(
  constructor: WebSocketStreamConstructor,
  target: TunnelTarget,
  handlers: TunnelHandlers,
): Tunnel {
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(), target.timeoutMilliseconds ?? OPEN_TIMEOUT_MILLISECONDS);
  const stream = new constructor(target.url, {
    protocols: protocols(target.ticket),
    signal: abort.signal,
  });
  let writer: WritableStreamDefaultWriter<Uint8Array | string> | undefined;
  let buffered = 0;
  let opened = false;
  let wanted: CloseInfo | undefined;

  const read = async (readable: StreamConnection['readable']) => {
    const reader = readable.getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      if (typeof value === 'string') handlers.onText(value);
      else await handlers.onBytes(value instanceof Uint8Array ? value : new Uint8Array(value));
    }
  };
  const run = async () => {
    const connection = await stream.opened;
    clearTimeout(timer);
    opened = true;
    writer = connection.writable.getWriter();
    if (wanted) stream.close(wanted);
    else handlers.onOpen();
    await read(connection.readable).catch(() => {});
    return stream.closed;
  };
  run().then(
    (info) => handlers.onClose(info.closeCode ?? 1005, info.reason ?? '', opened),
    (error: CloseInfo | undefined) => {
      clearTimeout(timer);
      handlers.onClose(error?.closeCode ?? 1006, error?.reason ?? '', opened);
    },
  );
  stream.closed.catch(() => {});

  const write = (data: Uint8Array | string) => {
    if (!writer) return;
    buffered += data.length;
    writer.write(data).then(
      () => {
        buffered -= data.length;
        handlers.onDrain();
      },
      () => {},
    );
  };
  return {
    sendBytes: write,
    sendText: write,
    get buffered() {
      return buffered;
    },
    close(code = 1000, reason = '') {
      wanted = { closeCode: code, reason };
      if (opened) stream.close(wanted);
      else abort.abort();
    },
  };
}
