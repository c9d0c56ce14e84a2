// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// See keepalive.h.
#include "dataplane/keepalive.h"

#include <algorithm>

namespace fairlead::dataplane {

void KeepAlive::OnReadStarted(absl::Duration now) {
  reading_ = true;
  reading_since_ = now;
}

void KeepAlive::OnReadFinished(absl::Duration now) {
  OnHeard(now);
  reading_ = false;
}

void KeepAlive::OnHeard(absl::Duration now) {
  last_sign_ = now;
  ping_outstanding_ = false;
  missed_ = 0;
}

void KeepAlive::OnWriteStarted(absl::Duration now) {
  if (!ping_queued_) write_progress_ = now;
  writing_ = true;
}

void KeepAlive::OnWriteProgress(absl::Duration at) {
  write_progress_ = std::max(write_progress_, at);
}

void KeepAlive::OnWriteFinished(absl::Duration now) {
  write_progress_ = now;
  writing_ = false;
}

void KeepAlive::OnStallExcused(absl::Duration now) { excused_ = now; }

void KeepAlive::OnPingSent(absl::Duration now) {
  ping_queued_ = false;
  ping_outstanding_ = true;
  ping_sent_ = now;
  last_sign_ = now;
  write_progress_ = now;
}

void KeepAlive::OnClosing(absl::Duration now) {
  if (closing_) return;
  closing_ = true;
  close_by_ = now + options_.close_timeout;
}

void KeepAlive::GiveMoreTimeToClose(absl::Duration now) {
  close_by_ = now + options_.close_timeout;
}

KeepAlive::Action KeepAlive::Poll(absl::Duration now) {
  if (closing_) return now >= close_by_ ? Action::kLost : Action::kNone;
  if (now >= StalledAt()) return options_.patient ? Action::kStalled : Action::kLost;
  if (now >= MissedAt()) {
    ping_outstanding_ = false;
    if (++missed_ >= options_.max_missed) return Action::kLost;
  }
  if (now < PingDueAt()) return Action::kNone;
  if (!writing_) write_progress_ = now;
  ping_queued_ = true;
  return Action::kSendPing;
}

absl::Duration KeepAlive::NextPoll() const {
  if (closing_) return close_by_;
  return std::min({StalledAt(), MissedAt(), PingDueAt()});
}

absl::Duration KeepAlive::MissedAt() const {
  if (!ping_outstanding_ || !reading_) return absl::InfiniteDuration();
  return std::max(ping_sent_, reading_since_) + options_.pong_timeout;
}

absl::Duration KeepAlive::PingDueAt() const {
  if (ping_queued_ || writing_) return absl::InfiniteDuration();
  // After a missed ping the next follows at once.
  if (missed_ > 0 && !ping_outstanding_) return -absl::InfiniteDuration();
  // An unanswered ping is waited for, unless nobody listens: then pings only keep the way open.
  if (ping_outstanding_ && reading_) return absl::InfiniteDuration();
  return last_sign_ + options_.ping_interval;
}

absl::Duration KeepAlive::StalledAt() const {
  if (!writing_ && !ping_queued_) return absl::InfiniteDuration();
  return std::max(write_progress_, excused_) + options_.write_timeout;
}

}  // namespace fairlead::dataplane
