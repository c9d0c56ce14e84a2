// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// One device's standing WebSocket with a bounded outgoing queue: any thread may send or close, one
// writer coroutine does the writing. Used by the device hub alone.
#ifndef FAIRLEAD_GATEWAY_DEVICE_CONNECTION_H_
#define FAIRLEAD_GATEWAY_DEVICE_CONNECTION_H_

#include <boost/asio/steady_timer.hpp>
#include <cstddef>
#include <deque>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "dataplane/asio.h"
#include "dataplane/websocket.h"
#include "proto/unified.pb.h"

namespace fairlead::gateway {

// What may wait for a device that reads slowly.
struct DeviceQueueLimits {
  std::size_t max_messages = 256;
  std::size_t max_bytes = 1 << 20;
  // From the wish to close to cutting the connection: for the frame being written, the close frame,
  // and the device's answer.
  absl::Duration close_grace = absl::Seconds(5);
};

// Lifecycle: construct, Start, Read until it says the end, Close, WaitForWriter.
// Thread: Send, Close and close_reason from any thread; the rest on the WebSocket's executor.
// Lifetime: by shared_ptr; WaitForWriter must have returned before the last one goes.
class DeviceConnection : public std::enable_shared_from_this<DeviceConnection> {
 public:
  DeviceConnection(std::unique_ptr<dataplane::WebSocket> websocket, DeviceQueueLimits limits);

  // Starts the writer.
  void Start();

  // Queues a binary message. False if the connection is closing, or if the queue is full: then the
  // connection is closed with 4429, for a device must not miss one message and get the next.
  bool Send(std::string bytes);

  // Closes, unless that has begun: what is queued is dropped, the frame being written is finished.
  // If the device does not take it, the connection is cut after some seconds.
  void Close(dataplane::CloseReason reason);

  // Closes with `reason` after `delay`, unless CancelDeadline comes first.
  void SetDeadline(absl::Duration delay, dataplane::CloseReason reason);
  void CancelDeadline();

  // Reads a whole message; a larger one closes the connection with 1009 and gives the end.
  dataplane::net::awaitable<dataplane::Message> Read(std::size_t max_bytes);

  // Waits until the writer has ended, which it does once the connection is closed.
  dataplane::net::awaitable<void> WaitForWriter();

  // What this side closed with, if it did.
  absl::optional<dataplane::CloseReason> close_reason() const;

  const dataplane::PeerInfo& peer() const { return websocket_->peer(); }
  dataplane::net::any_io_executor executor() const { return executor_; }

 private:
  // What the writer does next: at most one of the two is set.
  struct Work {
    absl::optional<dataplane::CloseReason> close;
    absl::optional<std::string> message;
  };

  static dataplane::net::awaitable<void> RunWriter(std::shared_ptr<DeviceConnection> self);
  Work TakeWork();
  // On the executor: makes the writer look, and sees to it that a close comes to an end.
  void Wake();
  void BeginClosing();

  const std::unique_ptr<dataplane::WebSocket> websocket_;
  const DeviceQueueLimits limits_;
  const dataplane::net::any_io_executor executor_;

  // On the executor.
  boost::asio::steady_timer wake_;
  boost::asio::steady_timer deadline_;
  boost::asio::steady_timer close_deadline_;
  boost::asio::steady_timer writer_ended_timer_;
  bool writer_ended_ = true;

  mutable absl::Mutex mutex_;
  std::deque<std::string> queue_ ABSL_GUARDED_BY(mutex_);
  std::size_t queued_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  absl::optional<dataplane::CloseReason> closing_ ABSL_GUARDED_BY(mutex_);
};

// Why a connection is closed whose device said `what`, which is not the Unified Protocol.
dataplane::CloseReason Malformed(absl::string_view what);

// Reads one message of the Unified Protocol. What is none closes the connection.
// Errors: any: the connection ends, and `end` says how. Thread: as Read.
dataplane::net::awaitable<absl::StatusOr<v1::DeviceMessage>> ReadDeviceMessage(
    std::shared_ptr<DeviceConnection> connection, dataplane::CloseReason& end);

}  // namespace fairlead::gateway

#endif  // FAIRLEAD_GATEWAY_DEVICE_CONNECTION_H_
