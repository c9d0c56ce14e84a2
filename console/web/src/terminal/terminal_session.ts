// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// One terminal's session: asks the server for it, opens the tunnel, moves bytes between tunnel and
// screen with bounds on both ways, and says how it ended. The screen, the API and the tunnel are
// given, so that tests need no browser. Used by the terminal pages.
import { signal } from '@preact/signals';
import { ApiError } from '../api/client';
import type { CreateSessionRequest, Session } from '../api/generated';
import type { TextKey } from '../i18n/en';
import { closeSentence } from './close_code';
import {
  CLOSE_FRAME,
  ConsoleEnd,
  ProtocolError,
  resizeFrame,
  type Outcome,
  type ProgramResult,
} from './console_end';
import { probeEdge, type EdgeFinding } from './edge_probe';
import { InputQueue, type PasteProgress } from './input_queue';
import { OutputQueue } from './output_queue';
import { preparePaste } from './paste';
import { routesOf, type Route } from './routes';
import { TelnetClient } from './telnet_client';
import type { OpenTunnel, Tunnel } from './tunnel';

export type Phase = 'opening' | 'connecting' | 'open' | 'ended';

// Why a session is over, or was never open.
export interface Ending {
  // The person closed it, or the program ended: nothing to warn about.
  expected: boolean;
  sentence: TextKey;
  values?: Record<string, string | number>;
  // What the server or the edge said, in its own words.
  detail?: string;
  // The edge could not be reached: what was found, and where a person can look.
  edge?: { url: string; icg: string; finding: EdgeFinding };
}

export interface Counters {
  received: number;
  sent: number;
  // Milliseconds from a key to the device's answer; absent before the first.
  roundTrip?: number;
  // The part of it between the browser and the edge that it is connected to, if known.
  edgeRoundTrip?: number;
}

export interface Screen {
  write(bytes: Uint8Array, done: () => void): void;
  readonly columns: number;
  readonly rows: number;
  readonly bracketedPaste: boolean;
}

export interface SessionServices {
  createSession(request: Partial<CreateSessionRequest>): Promise<Session>;
  openTunnel: OpenTunnel;
  // Milliseconds to the edge of a tunnel and back.
  timeEdge(tunnelUrl: string): Promise<number | undefined>;
  // The server as this browser reaches it.
  pageHost: string;
  // ICGs that this browser did not reach, though the server did.
  avoided: Set<string>;
  describeSkipped(bytes: number): string;
  now(): number;
}

const INTERRUPT = 3;
// The ticket is good for 30 s, and the route after this one must still find it so.
const FIRST_ROUTE_MILLISECONDS = 5_000;
const EDGE_TIMING_MILLISECONDS = 10_000;

export class TerminalSession {
  readonly phase = signal<Phase>('opening');
  readonly session = signal<Session | undefined>(undefined);
  readonly ending = signal<Ending | undefined>(undefined);
  readonly deviceAway = signal(false);
  // The way that is tried or used.
  readonly route = signal<Route | undefined>(undefined);
  readonly notice = signal('');
  readonly paste = signal<PasteProgress | undefined>(undefined);
  readonly counters = signal<Counters>({ received: 0, sent: 0 });

  private end = new ConsoleEnd();
  private telnet: TelnetClient | undefined;
  private tunnel: Tunnel | undefined;
  private readonly output: OutputQueue;
  private readonly input: InputQueue;
  private routes: Route[] = [];
  private closing = false;
  private sample: { offset: number; time: number } | undefined;
  private roundTrip: number | undefined;
  private edgeRoundTrip: number | undefined;
  private edgeTimed = -EDGE_TIMING_MILLISECONDS;
  private received = 0;
  private sent = 0;

  constructor(
    readonly device: string,
    private readonly screen: Screen,
    private readonly services: SessionServices,
  ) {
    this.output = new OutputQueue({
      write: (bytes, done) => screen.write(bytes, done),
      onHandled: (bytes, idle) => this.onHandled(bytes, idle),
      describeSkipped: (bytes) => services.describeSkipped(bytes),
    });
    this.input = new InputQueue({
      // What is typed early waits.
      allowance: () => {
        if (this.phase.value !== 'open') return 0;
        return this.telnet ? Infinity : this.end.inputAllowance();
      },
      buffered: () => this.tunnel?.buffered ?? 0,
      send: (bytes) => this.sendNow(bytes),
    });
  }

  // Asks for a session of the screen's size and opens its tunnel. Never throws: see `ending`.
  async open(reason = '', profile = ''): Promise<void> {
    const { columns, rows } = this.screen;
    let session: Session;
    try {
      session = await this.services.createSession({ device: this.device, columns, rows, reason, profile });
    } catch (error) {
      const detail = error instanceof ApiError ? error.message : String(error);
      this.finish({ expected: false, sentence: 'ending.refused', detail });
      return;
    }
    this.session.value = session;
    if (session.stream === 'TELNET') this.telnet = new TelnetClient('xterm-256color', columns, rows);
    if (this.closing) {
      this.finish({ expected: true, sentence: 'close.ended' });
      return;
    }
    this.phase.value = 'connecting';
    this.routes = routesOf(session, this.services.pageHost, this.services.avoided);
    this.connect(session);
  }

  private connect(session: Session): void {
    const route = this.routes.shift()!;
    this.route.value = route;
    const target = {
      url: route.url,
      ticket: session.consoleTicket ?? '',
      holdBack: session.stream === 'TELNET',
      timeoutMilliseconds: this.routes.length > 0 ? FIRST_ROUTE_MILLISECONDS : undefined,
    };
    this.tunnel = this.services.openTunnel(target, {
      onOpen: () => this.onOpen(),
      onBytes: (bytes) => this.onBytes(bytes),
      onText: (text) => this.onText(text),
      onDrain: () => this.pump(),
      onClose: (code, text, opened) => this.onClose(code, text, opened),
    });
  }

  get isOver(): boolean {
    return this.phase.value === 'ended';
  }

  // Bytes of output that wait to be drawn.
  get waiting(): number {
    return this.output.waiting;
  }

  type(bytes: Uint8Array): void {
    if (this.isOver) return;
    // An interrupt must not wait behind a paste.
    if (bytes.length === 1 && bytes[0] === INTERRUPT && this.input.progress) this.cancelPaste();
    this.input.type(bytes);
    this.update();
  }

  pasteText(text: string): void {
    if (this.isOver) return;
    const prepared = preparePaste(text, this.screen.bracketedPaste);
    this.input.paste(prepared.body, prepared.tail);
    this.update();
  }

  cancelPaste(): void {
    this.input.cancelPaste();
    this.update();
  }

  resize(columns: number, rows: number): void {
    if (this.phase.value !== 'open') return;
    if (this.telnet) {
      const bytes = this.telnet.resize(columns, rows);
      if (bytes.length > 0) this.tunnel?.sendBytes(bytes);
    } else {
      this.tunnel?.sendText(resizeFrame(columns, rows));
    }
  }

  // Hangs up.
  close(): void {
    if (this.isOver) return;
    this.closing = true;
    if (!this.tunnel) return;
    if (this.phase.value === 'open' && !this.telnet) this.tunnel.sendText(CLOSE_FRAME);
    this.tunnel.close(1000, '');
  }

  private onOpen(): void {
    this.phase.value = 'open';
    if (this.route.value?.throughServer) void this.tryIcg();
    // The window may have changed since the session was asked for.
    const session = this.session.value;
    if (session) this.resize(this.screen.columns, this.screen.rows);
    this.pump();
  }

  private onBytes(bytes: Uint8Array): Promise<void> | void {
    this.received += bytes.length;
    if (!this.telnet) {
      this.output.push(bytes);
      return;
    }
    if (this.sample) this.measured(this.sample.time);
    const { output, answers } = this.telnet.receive(bytes);
    if (answers.length > 0) this.tunnel?.sendBytes(answers);
    this.output.push(output);
    return this.output.room();
  }

  private onHandled(bytes: number, idle: boolean): void {
    this.end.onOutputHandled(bytes);
    this.acknowledge(idle);
    this.update();
  }

  private acknowledge(idle: boolean): void {
    if (this.telnet || this.phase.value !== 'open') return;
    const ack = this.end.takeAck(idle);
    if (ack !== undefined) this.tunnel?.sendText(ack);
  }

  private onText(text: string): void {
    try {
      this.onEvent(this.end.onText(text));
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.tunnel?.close(4400, error.message.slice(0, 100));
    }
  }

  private onEvent(event: ReturnType<ConsoleEnd['onText']>): void {
    switch (event.kind) {
      case 'peer-attached':
        this.deviceAway.value = false;
        return;
      case 'peer-detached':
        this.deviceAway.value = true;
        return;
      case 'acknowledged':
        if (this.sample && this.end.acknowledgedBytes >= this.sample.offset) {
          this.measured(this.sample.time);
        }
        this.pump();
        return;
      case 'ended':
        this.input.clear();
        this.acknowledge(this.output.waiting === 0);
        this.update();
        return;
      case 'notice':
        this.notice.value = event.text;
        return;
    }
  }

  private measured(since: number): void {
    this.roundTrip = this.services.now() - since;
    this.sample = undefined;
    void this.timeEdge();
    this.update();
  }

  private async timeEdge(): Promise<void> {
    const now = this.services.now();
    if (now - this.edgeTimed < EDGE_TIMING_MILLISECONDS || !this.route.value) return;
    this.edgeTimed = now;
    this.edgeRoundTrip = await this.services.timeEdge(this.route.value.url);
    this.update();
  }

  private pump(): void {
    if (this.isOver) return;
    this.input.pump();
    this.update();
  }

  private sendNow(bytes: Uint8Array): void {
    this.sent += bytes.length;
    this.end.onInputSent(bytes.length);
    this.sample ??= { offset: this.end.sentBytes, time: this.services.now() };
    this.tunnel?.sendBytes(this.telnet ? this.telnet.encode(bytes) : bytes);
  }

  private update(): void {
    this.paste.value = this.input.progress;
    const { received, sent, roundTrip, edgeRoundTrip } = this;
    this.counters.value = { received, sent, roundTrip, edgeRoundTrip };
  }

  private onClose(code: number, reason: string, opened: boolean): void {
    const session = this.session.value;
    if (!opened && code < 4000 && !this.closing && session) {
      if (this.routes.length > 0) {
        this.connect(session);
        return;
      }
      void this.explainEdge(session);
      return;
    }
    // What arrived before the close is drawn first.
    void this.output.room().then(() => this.finish(this.endingFor(code, reason)));
  }

  private endingFor(code: number, reason: string): Ending {
    const { result } = this.end;
    if (result) return programEnding(result, this.end.outcome());
    if (this.closing) return { expected: true, sentence: 'ending.closedByYou' };
    if (code === 1000) {
      return { expected: true, sentence: this.telnet ? 'ending.deviceClosed' : 'close.ended' };
    }
    return { expected: false, sentence: closeSentence(code), values: { code }, detail: reason };
  }

  // While the server stands in for an ICG: whether that is still needed next time.
  private async tryIcg(): Promise<void> {
    const session = this.session.value!;
    this.services.avoided.add(session.icg);
    const finding = await probeEdge(this.services.openTunnel, session.consoleUrl);
    if (finding === 'reachable') this.services.avoided.delete(session.icg);
  }

  private async explainEdge(session: Session): Promise<void> {
    if (!session.icg) {
      const { host } = new URL(this.route.value!.url);
      this.finish({ expected: false, sentence: 'edge.server', values: { host } });
      return;
    }
    const finding = await probeEdge(this.services.openTunnel, session.consoleUrl);
    const edge = { url: session.consoleUrl, icg: session.icg, finding };
    const sentence: TextKey =
      finding === 'silent' ? 'edge.silent' : finding === 'refused' ? 'edge.refused' : 'edge.reachable';
    const host = new URL(session.consoleUrl).host;
    this.finish({ expected: false, sentence, values: { host }, edge });
  }

  private finish(ending: Ending): void {
    if (this.isOver) return;
    this.input.clear();
    this.update();
    this.ending.value = ending;
    this.phase.value = 'ended';
  }
}

function programEnding(result: ProgramResult, outcome: Outcome): Ending {
  const missing = outcome.kind === 'truncated' ? outcome.missingBytes : 0;
  const values = { code: result.exitCode ?? '', signal: result.signal ?? '', missing };
  if (missing > 0) return { expected: false, sentence: 'ending.truncated', values };
  if (result.exitCode !== undefined) return { expected: true, sentence: 'ending.exitCode', values };
  if (result.signal !== undefined) return { expected: true, sentence: 'ending.signal', values };
  return { expected: true, sentence: 'ending.unknown', values };
}
