// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// How long a key takes to the device and back, and how much of that is the way to the edge. Sans-I/O.

const EDGE_TIMING_MILLISECONDS = 10_000;

export interface RoundTripOptions {
  now(): number;
  // Milliseconds to the edge and back, if it answers.
  timeEdge(): Promise<number | undefined>;
  // Something was measured.
  onMeasured(): void;
}

export class RoundTrip {
  // Milliseconds; absent before the first answer.
  device: number | undefined;
  edge: number | undefined;
  private sample: { offset: number; time: number } | undefined;
  private edgeTimed = -EDGE_TIMING_MILLISECONDS;

  constructor(private readonly options: RoundTripOptions) {}

  // All input up to `offset` was sent.
  onSent(offset: number): void {
    this.sample ??= { offset, time: this.options.now() };
  }

  // The device answered all input up to `offset`.
  onAnswered(offset: number): void {
    if (!this.sample || offset < this.sample.offset) return;
    this.device = this.options.now() - this.sample.time;
    this.sample = undefined;
    void this.timeEdge();
    this.options.onMeasured();
  }

  // At most every 10 s.
  private async timeEdge(): Promise<void> {
    const now = this.options.now();
    if (now - this.edgeTimed < EDGE_TIMING_MILLISECONDS) return;
    this.edgeTimed = now;
    this.edge = await this.options.timeEdge();
    this.options.onMeasured();
  }
}
