// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// One terminal's session: asks the server for it, opens the tunnel, moves bytes between tunnel and
// screen with bounds on both ways, and says how it ended. The screen, the API and the tunnel are
// given, so that tests need no browser. Used by the terminal pages.
import { signal } from '@preact/signals';
import type { Session } from '../api/generated';
import type { TextKey } from '../i18n/en';
import { CLOSE_FRAME, ConsoleEnd, ProtocolError, ackFrame, resizeFrame } from './console_end';
import { probeEdge } from './edge_probe';
import { closeEnding, isVague, LastWord, programEnding, type Ending } from './ending';
import { InputQueue, type PasteProgress } from './input_queue';
import { OutputQueue } from './output_queue';
import { preparePaste } from './paste';
import { RoundTrip } from './round_trip';
import { routesOf, type Route } from './routes';
import type { Screen, SessionServices, Wish } from './session_services';
import { Silence } from './silence';
import { TelnetClient } from './telnet_client';
import type { Tunnel } from './tunnel';

export type Phase = 'opening' | 'connecting' | 'open' | 'ended';

export interface Counters {
  received: number;
  sent: number;
  // Milliseconds from a key to the device's answer; absent before the first.
  roundTrip?: number;
  // The part of it between the browser and the edge that it is connected to, if known.
  edgeRoundTrip?: number;
}

const INTERRUPT = 3;
// The ticket is good for 30 s, and the route after this one must still find it so.
const FIRST_ROUTE_MILLISECONDS = 5_000;
const TICK_MILLISECONDS = 1_000;
// A device that took as much input as it is given and acknowledged nothing for so long never will.
const FIRST_ACK_MILLISECONDS = 5_000;

export class TerminalSession {
  readonly phase = signal<Phase>('opening');
  readonly session = signal<Session | undefined>(undefined);
  readonly ending = signal<Ending | undefined>(undefined);
  readonly deviceAway = signal(false);
  // The way that is tried or used.
  readonly route = signal<Route | undefined>(undefined);
  // Seconds without any answer; 0 while all is well.
  readonly silent = signal(0);
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
  private received = 0;
  private sent = 0;
  private readonly roundTrip: RoundTrip;
  private readonly silence = new Silence();
  private lastHeard = 0;
  private lastSent = 0;
  private readonly lastWord = new LastWord();
  private unfollow: (() => void) | undefined;
  private stopTicking: (() => void) | undefined;

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
    this.roundTrip = new RoundTrip({
      now: () => services.now(),
      timeEdge: () => services.timeEdge(this.route.value!.url),
      onMeasured: () => this.update(),
    });
  }

  // Asks for a session of the screen's size and opens its tunnel. Never throws: see `ending`.
  async open(wish: Wish): Promise<void> {
    const { columns, rows } = this.screen;
    let session: Session;
    try {
      session = await this.services.createSession({ device: this.device, columns, rows, ...wish });
    } catch (error) {
      const detail = this.services.describeError(error);
      this.finish({ expected: false, sentence: 'ending.refused', detail });
      return;
    }
    this.session.value = session;
    if (session.stream === 'TELNET') this.telnet = new TelnetClient('xterm-256color', columns, rows);
    if (this.closing) {
      this.terminate();
      this.finish({ expected: true, sentence: 'close.ended' });
      return;
    }
    this.phase.value = 'connecting';
    this.unfollow = this.services.followSession(session.name, (changed) => this.onSession(changed));
    this.stopTicking = this.services.every(TICK_MILLISECONDS, () => this.tick());
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
    if (this.phase.value === 'open') this.silence.onAsked(this.services.now());
    this.update();
  }

  pasteText(text: string): void {
    if (this.isOver) return;
    this.input.paste(preparePaste(text, this.screen.bracketedPaste));
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

  // Hangs up. A second call does nothing.
  close(): void {
    if (this.isOver || this.closing) return;
    this.closing = true;
    if (!this.tunnel) return;
    if (this.phase.value !== 'open') this.terminate();
    else if (!this.telnet) this.tunnel.sendText(CLOSE_FRAME);
    this.tunnel.close(1000, '');
  }

  // Without a tunnel nothing else tells the device before the ticket expires.
  private terminate(): void {
    this.services.terminateSession(this.session.value!.name).catch(() => {
      // It ends by itself then.
    });
  }

  private onOpen(): void {
    this.phase.value = 'open';
    if (this.route.value?.throughServer) void this.tryIcg();
    // The edge holds a Telnet device back, from the first acknowledgement on.
    if (this.telnet) this.tunnel?.sendText(ackFrame(0));
    // The window may have changed since the session was asked for.
    const session = this.session.value;
    if (session) this.resize(this.screen.columns, this.screen.rows);
    this.pump();
  }

  private onHeard(): void {
    this.lastHeard = this.services.now();
    this.silence.onHeard();
    this.silent.value = 0;
  }

  private onBytes(bytes: Uint8Array): Promise<void> | void {
    this.onHeard();
    this.received += bytes.length;
    if (!this.telnet) {
      this.output.push(bytes);
      return;
    }
    this.roundTrip.onAnswered(Infinity);
    const { output, answers } = this.telnet.receive(bytes);
    if (answers.length > 0) this.tunnel?.sendBytes(answers);
    // What is not for the screen; negative if a byte of it had been held back.
    this.end.onOutputHandled(bytes.length - output.length);
    this.output.push(output);
    return this.output.room();
  }

  private onHandled(bytes: number, idle: boolean): void {
    this.end.onOutputHandled(bytes);
    this.acknowledge(idle);
    this.update();
  }

  private acknowledge(idle: boolean): void {
    if (this.phase.value !== 'open') return;
    // Telnet has no `end` that waits for the last one.
    const ack = this.end.takeAck(idle && !this.telnet);
    if (ack !== undefined) this.tunnel?.sendText(ack);
  }

  private onText(text: string): void {
    this.onHeard();
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
        this.roundTrip.onAnswered(this.end.acknowledgedBytes);
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

  private pump(): void {
    if (this.isOver) return;
    this.input.pump();
    this.update();
  }

  private sendNow(bytes: Uint8Array): void {
    this.sent += bytes.length;
    this.end.onInputSent(bytes.length);
    this.lastSent = this.services.now();
    this.silence.onAsked(this.lastSent);
    this.roundTrip.onSent(this.end.sentBytes);
    this.tunnel?.sendBytes(this.telnet ? this.telnet.encode(bytes) : bytes);
  }

  private update(): void {
    this.paste.value = this.input.progress;
    const { received, sent } = this;
    const { device: roundTrip, edge: edgeRoundTrip } = this.roundTrip;
    this.counters.value = { received, sent, roundTrip, edgeRoundTrip };
  }

  // What no message tells.
  private tick(): void {
    const now = this.services.now();
    this.silent.value = this.phase.value === 'open' ? this.silence.seconds(now) : 0;
    if (!this.telnet && this.end.awaitsFirstAck && now - this.lastSent >= FIRST_ACK_MILLISECONDS) {
      this.end.goOnWithoutAcks();
      this.pump();
    }
    this.settle();
  }

  private onSession(session: Session): void {
    if (session.state !== 'ENDED') return;
    this.lastWord.onRecord(session, this.services.now());
    this.settle();
  }

  private settle(): void {
    const ending = this.lastWord.ending(this.services.now(), this.lastHeard);
    if (!ending) return;
    this.finish(ending);
    this.tunnel?.close(1000, '');
  }

  private onClose(code: number, reason: string, opened: boolean): void {
    const session = this.session.value;
    if (this.isOver) return;
    if (!opened && code < 4000 && !this.closing && !this.lastWord.isRecorded && session) {
      if (this.routes.length > 0) {
        this.connect(session);
        return;
      }
      void this.explainEdge(session);
      return;
    }
    // What arrived before the close is drawn first.
    void this.output.room().then(() => {
      const ending = this.endingFor(code, reason);
      if (ending) this.finish(ending);
      else this.lastWord.onClosed(code, reason, this.services.now());
      this.settle();
    });
  }

  // Nothing where the server knows better.
  private endingFor(code: number, reason: string): Ending | undefined {
    const { result } = this.end;
    if (result) return programEnding(result, this.end.outcome());
    if (this.closing) return { expected: true, sentence: 'ending.closedByYou' };
    if (code === 1000) {
      return { expected: true, sentence: this.telnet ? 'ending.deviceClosed' : 'close.ended' };
    }
    return isVague(code) ? undefined : closeEnding(code, reason);
  }

  // While the server stands in for an ICG: whether that is still needed next time.
  private async tryIcg(): Promise<void> {
    const session = this.session.value!;
    this.services.avoided.add(session.icg);
    const finding = await probeEdge(this.services.openTunnel, session.consoleUrl);
    if (finding === 'reachable') this.services.avoided.delete(session.icg);
  }

  private async explainEdge(session: Session): Promise<void> {
    // That the session ends meanwhile, since nobody came, explains nothing.
    this.stopTicking?.();
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
    this.unfollow?.();
    this.stopTicking?.();
    this.input.clear();
    this.update();
    this.silent.value = 0;
    this.ending.value = ending;
    this.phase.value = 'ended';
  }
}
