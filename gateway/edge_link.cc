// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
#include "gateway/edge_link.h"

#include <utility>

namespace fairlead::gateway {

void EdgeLink::PushSnapshot(std::vector<v1::EdgeEvent> events) {
  absl::MutexLock lock(&mutex_);
  if (end_.has_value()) return;
  configured_ = true;
  snapshot_events_ = events.size();
  for (v1::EdgeEvent& event : events) {
    snapshot_bytes_ += event.ByteSizeLong();
    queue_.push_back(std::move(event));
  }
  queued_bytes_ += snapshot_bytes_;
}

bool EdgeLink::Push(v1::EdgeEvent event) {
  absl::MutexLock lock(&mutex_);
  if (end_.has_value() || !configured_) return true;
  const std::size_t bytes = event.ByteSizeLong();
  if (queue_.size() >= limits_.max_events + snapshot_events_ ||
      queued_bytes_ + bytes > limits_.max_bytes + snapshot_bytes_) {
    return false;
  }
  queued_bytes_ += bytes;
  queue_.push_back(std::move(event));
  return true;
}

void EdgeLink::End(grpc::Status status, Queued queued) {
  {
    absl::MutexLock lock(&mutex_);
    if (end_.has_value()) return;
    end_ = std::move(status);
    if (queued == Queued::kDrop) {
      queue_.clear();
      queued_bytes_ = 0;
    }
  }
  Pump();
}

void EdgeLink::Pump() {
  absl::optional<grpc::Status> finish;
  {
    absl::MutexLock lock(&mutex_);
    if (finished_ || writing_) return;
    if (!queue_.empty()) {
      outgoing_ = std::move(queue_.front());
      queue_.pop_front();
      queued_bytes_ -= outgoing_.ByteSizeLong();
      writing_ = true;
    } else if (end_.has_value()) {
      finished_ = true;
      finish = end_;
    } else {
      return;
    }
  }
  // Nobody else can start either of the two now: no lock is needed, and gRPC may call back.
  if (finish.has_value()) {
    Finish(*finish);
  } else {
    StartWrite(&outgoing_);
  }
}

bool EdgeLink::configured() const {
  absl::MutexLock lock(&mutex_);
  return configured_;
}

bool EdgeLink::snapshot_written() const {
  absl::MutexLock lock(&mutex_);
  return snapshot_written_ && !end_.has_value();
}

std::size_t EdgeLink::queued() const {
  absl::MutexLock lock(&mutex_);
  return queue_.size();
}

void EdgeLink::OnReadDone(bool ok) {
  if (!ok) {
    owner_.OnHangUp(*this);
    End(grpc::Status::OK, Queued::kDrop);
    return;
  }
  owner_.OnCommand(*this, incoming_);
  {
    absl::MutexLock lock(&mutex_);
    if (finished_) return;
  }
  StartRead(&incoming_);
}

void EdgeLink::OnWriteDone(bool ok) {
  // Nobody touches what was written before the next write is started.
  if (ok) owner_.OnWritten(outgoing_);
  {
    absl::MutexLock lock(&mutex_);
    writing_ = false;
    if (ok && outgoing_.has_snapshot_complete()) snapshot_written_ = true;
    if (!ok) {
      queue_.clear();
      queued_bytes_ = 0;
    }
  }
  if (!ok) {
    owner_.OnHangUp(*this);
    End(grpc::Status(grpc::StatusCode::UNAVAILABLE, "The link was lost."), Queued::kDrop);
  }
  Pump();
}

void EdgeLink::OnCancel() {
  owner_.OnHangUp(*this);
  End(grpc::Status(grpc::StatusCode::CANCELLED, "The link was cancelled."), Queued::kDrop);
}

void EdgeLink::OnDone() { owner_.OnGone(*this); }

}  // namespace fairlead::gateway
