// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// When to ping the peer of a WebSocket, and when to take it for lost. Sans-I/O: events go in with
// the monotonic time at which they happen, one action comes out. Used by the WebSocket over TLS
// and by the relay's legs.
#ifndef FAIRLEAD_DATAPLANE_KEEPALIVE_H_
#define FAIRLEAD_DATAPLANE_KEEPALIVE_H_

#include "absl/time/time.h"

namespace fairlead::dataplane {

// The periods; the defaults are the product's.
struct KeepAliveOptions {
  // Silence after which a ping is sent.
  absl::Duration ping_interval = absl::Seconds(20);
  // A ping counts as missed so long after it was sent.
  absl::Duration pong_timeout = absl::Seconds(10);
  // So many missed in a row end the connection.
  int max_missed = 2;
  // A write without progress for so long ends the connection, or has its owner ask the kernel
  // whether the peer is alive.
  absl::Duration write_timeout = absl::Seconds(40);
  // The latter: for terminals, of which somebody may look away. Not for what has to go on.
  bool patient = false;
  // From the first close frame, sent or received, to the end of the connection.
  absl::Duration close_timeout = absl::Seconds(2);
};

// For terminals.
inline KeepAliveOptions PatientKeepAlive() {
  KeepAliveOptions options;
  options.patient = true;
  return options;
}

// The state of one WebSocket's keep-alive.
//
// The peer can be heard only while a read is pending. A ping is missed if it was sent and, since
// then, a read was pending for the pong timeout without anything being heard; the next ping then
// follows at once, so that a silent peer is found out after 20 + 10 + 10 s. While a write (or the
// ping itself) waits to be sent there is no other ping; progress of the write is what counts then.
//
// Thread: one. Times never go back.
class KeepAlive {
 public:
  enum class Action { kNone, kSendPing, kStalled, kLost };

  KeepAlive(const KeepAliveOptions& options, absl::Duration now)
      : options_(options), last_sign_(now), reading_since_(now) {}

  const KeepAliveOptions& options() const { return options_; }

  void OnReadStarted(absl::Duration now);
  // The read gave something, or ended.
  void OnReadFinished(absl::Duration now);
  // Anything of the peer arrived: payload, ping, pong.
  void OnHeard(absl::Duration now);

  // A write of the owner begins, advances or ends. Progress also covers pings, and may be told
  // late.
  void OnWriteStarted(absl::Duration now);
  void OnWriteProgress(absl::Duration at);
  void OnWriteFinished(absl::Duration now);

  // The peer is alive, though the write makes no progress.
  void OnStallExcused(absl::Duration now);

  // The ping that Poll asked for was handed to the connection.
  void OnPingSent(absl::Duration now);

  // A close frame was sent or received: what remains is bounded by close_timeout.
  void OnClosing(absl::Duration now);
  // Another close_timeout from `now` on. After OnClosing.
  void GiveMoreTimeToClose(absl::Duration now);

  // What is due at `now`. After kStalled the caller calls OnStallExcused if the peer is alive, and
  // takes it for lost if not. After kSendPing the caller begins to send one and reports OnPingSent;
  // kLost is final, but for GiveMoreTimeToClose.
  Action Poll(absl::Duration now);

  // When a write last made progress, or began.
  absl::Duration write_progress() const { return write_progress_; }

  // The earliest time at which Poll may give something else than kNone; call Poll then, and ask
  // again after every event.
  absl::Duration NextPoll() const;

 private:
  // When the outstanding ping is missed; infinite if there is none or nobody listens.
  absl::Duration MissedAt() const;
  absl::Duration PingDueAt() const;
  absl::Duration StalledAt() const;

  KeepAliveOptions options_;
  bool reading_ = false;
  bool writing_ = false;
  // A ping was asked for and not yet handed to the connection.
  bool ping_queued_ = false;
  // A ping was sent and nothing heard since.
  bool ping_outstanding_ = false;
  int missed_ = 0;
  bool closing_ = false;
  // Last time that the peer was heard, or that a ping was sent to it.
  absl::Duration last_sign_;
  absl::Duration reading_since_;
  absl::Duration ping_sent_ = absl::ZeroDuration();
  // Last progress of what is being written.
  absl::Duration write_progress_ = absl::ZeroDuration();
  absl::Duration excused_ = absl::ZeroDuration();
  absl::Duration close_by_ = absl::InfiniteDuration();
};

}  // namespace fairlead::dataplane

#endif  // FAIRLEAD_DATAPLANE_KEEPALIVE_H_
