// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// The bridge between gRPC's callback API and coroutines: calls by method name with serialized
// messages, completing on the coroutine's executor. Used by the REST and WebSocket adapters, and by
// the WebSocket form of the link.
#ifndef FAIRLEAD_GATEWAY_ASYNC_CALL_H_
#define FAIRLEAD_GATEWAY_ASYNC_CALL_H_

#include <google/protobuf/message.h>
#include <grpcpp/channel.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/status.h>

#include <condition_variable>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "dataplane/asio.h"
#include "gateway/call_metadata.h"

namespace fairlead::gateway {

namespace net = dataplane::net;

grpc::ByteBuffer ToByteBuffer(const google::protobuf::Message& message);
// False if the bytes are no such message.
bool FromByteBuffer(const grpc::ByteBuffer& buffer, google::protobuf::Message* message);

// Every call that is in flight, so that there is a bound and an orderly end.
// Thread: any.
class CallsInFlight {
 public:
  explicit CallsInFlight(std::size_t max_calls) : max_calls_(max_calls) {}
  ~CallsInFlight() { Stop(); }

  // Takes a call in. OK, or the status to answer: RESOURCE_EXHAUSTED, or UNAVAILABLE once stopped.
  // `cancel` makes the call end soon; it is called at most once, from any thread, and must neither
  // block nor call back.
  grpc::Status Add(grpc::ClientContext* context, std::function<void()> cancel);
  // Takes an ended call out, then runs `hand_over`, which gives the result to the caller's
  // executor; Stop waits for that too.
  void Remove(grpc::ClientContext* context, const std::function<void()>& hand_over);
  // Cancels all calls and waits until they are removed; later ones are refused. Not from a callback
  // of gRPC.
  void Stop();

  std::size_t size() const;
  bool stopped() const;

 private:
  const std::size_t max_calls_;
  mutable std::mutex mutex_;
  // Guarded by mutex_.
  std::condition_variable empty_;
  std::unordered_map<grpc::ClientContext*, std::function<void()>> calls_;
  std::size_t handing_over_ = 0;
  bool stopped_ = false;
};

// What a unary call gave.
struct UnaryResult {
  grpc::Status status;
  // Set if the status is OK.
  grpc::ByteBuffer response;
};

// A call that streams from the server, or both ways.
// Thread: one executor's, on which all methods are called. Lifetime: destroying it cancels the
// call; no Read or Write may be pending then.
class ServerStream {
 public:
  ~ServerStream();
  ServerStream(const ServerStream&) = delete;
  ServerStream& operator=(const ServerStream&) = delete;

  // Waits for the next message; false at the end, and status() tells why. The server's further
  // messages wait until they are asked for.
  net::awaitable<bool> Read(grpc::ByteBuffer* message);

  // Of a call that streams both ways: sends a message, and waits until the server takes more. False
  // if the call has ended; Read then gives its end. One Write may be pending beside a Read.
  net::awaitable<bool> Write(grpc::ByteBuffer message);

  // Once Read has given the end.
  const grpc::Status& status() const;

  // Ends the call soon: a pending Read then gives the end, a pending Write false.
  void Cancel();

 private:
  friend class AsyncCalls;
  class Reactor;
  explicit ServerStream(std::shared_ptr<Reactor> reactor);
  std::shared_ptr<Reactor> reactor_;
};

// Makes calls over one channel.
// Thread: any. Lifetime: the executors of callers must outlive it; Stop before the server stops.
class AsyncCalls {
 public:
  AsyncCalls(std::shared_ptr<grpc::Channel> channel, std::size_t max_calls);
  ~AsyncCalls() { Stop(); }

  // Calls "/package.Service/Method". Ends with DEADLINE_EXCEEDED after `timeout`.
  // Thread: the calling coroutine's executor.
  net::awaitable<UnaryResult> Unary(std::string method, CallMetadata metadata,
                                    grpc::ByteBuffer request, absl::Duration timeout);

  // Starts a server-streaming call; it lasts until either side ends it. A call that is refused for
  // the bound gives its end at the first Read.
  std::unique_ptr<ServerStream> Stream(net::any_io_executor executor, std::string method,
                                       CallMetadata metadata, grpc::ByteBuffer request);

  // Starts a call that streams both ways; otherwise as Stream.
  std::unique_ptr<ServerStream> Duplex(net::any_io_executor executor, std::string method,
                                       CallMetadata metadata);

  // Cancels what is in flight and waits for it. Idempotent; not from a callback of gRPC.
  void Stop() { calls_->Stop(); }

  std::size_t in_flight() const { return calls_->size(); }
  bool stopped() const { return calls_->stopped(); }

 private:
  grpc::GenericStub stub_;
  std::shared_ptr<CallsInFlight> calls_;
};

}  // namespace fairlead::gateway

#endif  // FAIRLEAD_GATEWAY_ASYNC_CALL_H_
