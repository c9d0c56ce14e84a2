// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// One EdgeService.Link stream at the edge: a reactor with a bounded queue of events, one write in
// flight, and an end that waits for that write. Used by EdgeServer alone.
#ifndef FAIRLEAD_GATEWAY_EDGE_LINK_H_
#define FAIRLEAD_GATEWAY_EDGE_LINK_H_

#include <cstddef>
#include <deque>
#include <memory>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/types/optional.h"
#include "proto/edge.grpc.pb.h"
#include "proto/edge.pb.h"

namespace fairlead::gateway {

class EdgeLink;

// Told of what happens on links.
// Thread: gRPC's, without locks held.
class EdgeLinkOwner {
 public:
  virtual ~EdgeLinkOwner() = default;
  // A command came. The next one is read when this returns.
  virtual void OnCommand(EdgeLink& link, const v1::EdgeCommand& command) = 0;
  // An event was written to the link.
  virtual void OnWritten(const v1::EdgeEvent& event) = 0;
  // The server hung up, or the connection was lost; the link ends by itself.
  virtual void OnHangUp(EdgeLink& link) = 0;
  // Nothing more happens on the link: drop it.
  virtual void OnGone(EdgeLink& link) = 0;
};

// Thread: any. Lifetime: from Start to OnGone the owner keeps it.
class EdgeLink : public grpc::ServerBidiReactor<v1::EdgeCommand, v1::EdgeEvent> {
 public:
  // What may wait for a slow server, beyond the snapshot.
  struct Limits {
    std::size_t max_events = 0;
    std::size_t max_bytes = 0;
  };

  // What becomes of queued events when a link ends.
  enum class Queued { kDrop, kFlush };

  EdgeLink(EdgeLinkOwner& owner, Limits limits) : owner_(owner), limits_(limits) {}

  // Begins to read.
  void Start() { StartRead(&incoming_); }

  // Queues what a newcomer is told, whatever its size, and opens the way for Push.
  void PushSnapshot(std::vector<v1::EdgeEvent> events);

  // Queues an event; call Pump afterwards, without locks that the owner's callbacks take. False if
  // the queue is full: the event is not queued, and the link must be ended.
  bool Push(v1::EdgeEvent event);

  // Ends the link with `status`, after the write in flight (and what is queued, if flushed).
  // Only the first call counts.
  void End(grpc::Status status, Queued queued);

  // Starts what can be started.
  void Pump();

  // Whether the snapshot was pushed, and whether it was written in whole.
  bool configured() const;
  bool snapshot_written() const;
  std::size_t queued() const;

  void OnReadDone(bool ok) override;
  void OnWriteDone(bool ok) override;
  void OnCancel() override;
  void OnDone() override;

 private:
  EdgeLinkOwner& owner_;
  const Limits limits_;
  // Owned by gRPC while a read is pending.
  v1::EdgeCommand incoming_;
  // Owned by gRPC while writing_.
  v1::EdgeEvent outgoing_;

  mutable absl::Mutex mutex_;
  std::deque<v1::EdgeEvent> queue_ ABSL_GUARDED_BY(mutex_);
  std::size_t queued_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  std::size_t snapshot_events_ ABSL_GUARDED_BY(mutex_) = 0;
  std::size_t snapshot_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  bool configured_ ABSL_GUARDED_BY(mutex_) = false;
  bool snapshot_written_ ABSL_GUARDED_BY(mutex_) = false;
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;
  bool finished_ ABSL_GUARDED_BY(mutex_) = false;
  absl::optional<grpc::Status> end_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace fairlead::gateway

#endif  // FAIRLEAD_GATEWAY_EDGE_LINK_H_
