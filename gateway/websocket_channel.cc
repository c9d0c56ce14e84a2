// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// See websocket_channel.h. The channel leads to a gRPC server of this process, made for this one
// WebSocket, whose Link hands each message on.
#include "gateway/websocket_channel.h"

#include <grpcpp/grpcpp.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <mutex>
#include <string>
#include <utility>

#include "absl/types/optional.h"
#include "base/grpc_fd_channel.h"
#include "base/status.h"
#include "dataplane/async_event.h"
#include "gateway/edge_websocket.h"
#include "proto/edge.grpc.pb.h"

namespace fairlead::gateway {
namespace {

using dataplane::AsyncEvent;
using dataplane::CloseReason;
using dataplane::Message;
using dataplane::WebSocket;

// The WebSocket, shared by the service and the coroutines; touched on its executor.
struct Carrier {
  explicit Carrier(std::unique_ptr<WebSocket> socket)
      : websocket(std::move(socket)), executor(websocket->executor()), reader_done(executor) {}

  const std::unique_ptr<WebSocket> websocket;
  const net::any_io_executor executor;
  AsyncEvent reader_done;
  // A link was begun: its end is the WebSocket's.
  bool linked = false;
};

// The server's end of Link as a coroutine sees it. It keeps itself alive until OnDone, and comes to
// its end without the coroutine once gRPC cancels it.
class CarriedLink : public grpc::ServerBidiReactor<v1::EdgeCommand, v1::EdgeEvent>,
                    public std::enable_shared_from_this<CarriedLink> {
 public:
  explicit CarriedLink(net::any_io_executor executor)
      : executor_(executor), read_done_(executor), write_done_(std::move(executor)) {}

  // To be called once, by the handler.
  void Keep() { self_ = shared_from_this(); }

  // Executor. Gives the next command; false once the caller hung up or the call has ended.
  net::awaitable<bool> Read(v1::EdgeCommand* command) {
    if (!Begin()) co_return false;
    read_done_.Reset();
    StartRead(&incoming_);
    Settle();
    co_await read_done_.Wait();
    if (read_ok_) command->Swap(&incoming_);
    co_return read_ok_;
  }

  // Executor. Waits until the caller takes more; false if the call has ended.
  net::awaitable<bool> Write(const v1::EdgeEvent& event) {
    if (!Begin()) co_return false;
    outgoing_ = event;
    write_done_.Reset();
    StartWrite(&outgoing_);
    co_await write_done_.Wait();
    co_return write_ok_;
  }

  // Any thread. Ends the call once what is being written was; only the first call counts.
  void End(const grpc::Status& status) {
    {
      std::lock_guard<std::mutex> lock(mutex_);
      if (!end_.has_value()) end_ = status;
      ++busy_;
    }
    Settle();
  }

  // Threads of gRPC.
  void OnReadDone(bool ok) override {
    net::post(executor_, [self = shared_from_this(), ok] {
      self->read_ok_ = ok;
      self->read_done_.Set();
    });
  }
  void OnWriteDone(bool ok) override {
    net::post(executor_, [self = shared_from_this(), ok] {
      self->write_ok_ = ok;
      self->write_done_.Set();
    });
    Settle();
  }
  void OnCancel() override {
    End(grpc::Status(grpc::StatusCode::CANCELLED, "The link was cancelled."));
  }
  void OnDone() override { const std::shared_ptr<CarriedLink> last = std::move(self_); }

 private:
  // Whether an operation may be started: until Settle the call is not finished under it.
  bool Begin() {
    std::lock_guard<std::mutex> lock(mutex_);
    if (end_.has_value()) return false;
    ++busy_;
    return true;
  }

  // What Begin allowed no longer stands in the way of the end.
  void Settle() {
    grpc::Status status;
    {
      std::lock_guard<std::mutex> lock(mutex_);
      --busy_;
      if (!end_.has_value() || busy_ > 0 || std::exchange(finished_, true)) return;
      status = *end_;
    }
    Finish(status);
  }

  const net::any_io_executor executor_;
  std::shared_ptr<CarriedLink> self_;

  // Executor.
  v1::EdgeCommand incoming_;
  v1::EdgeEvent outgoing_;
  AsyncEvent read_done_;
  AsyncEvent write_done_;
  bool read_ok_ = false;
  bool write_ok_ = false;

  std::mutex mutex_;
  // Guarded by mutex_. A read is busy while it is being started, a write until it is done.
  int busy_ = 0;
  bool finished_ = false;
  absl::optional<grpc::Status> end_;
};

// A call that is refused at once.
class RefusedLink : public grpc::ServerBidiReactor<v1::EdgeCommand, v1::EdgeEvent> {
 public:
  RefusedLink() {
    Finish(grpc::Status(grpc::StatusCode::UNAVAILABLE,
                        "This connection to the ICG carries one link; dial again for another."));
  }
  void OnDone() override { delete this; }
};

grpc::Status StatusFor(const CloseReason& reason) {
  const auto code = static_cast<grpc::StatusCode>(CodeFromCloseCode(reason.code));
  return grpc::Status(code,
                      reason.text.empty() ? "The WebSocket to the ICG was closed." : reason.text);
}

// From the ICG to control; then ends the call.
net::awaitable<void> CarryEvents(std::shared_ptr<Carrier> carrier,
                                 std::shared_ptr<CarriedLink> link) {
  v1::EdgeEvent event;
  for (;;) {
    const Message message = co_await carrier->websocket->ReadMessage(kMaxLinkMessageBytes);
    if (!message.open) {
      link->End(StatusFor(message.close));
      break;
    }
    if (message.kind != dataplane::FrameKind::kBinary || !event.ParseFromString(message.payload)) {
      link->End(grpc::Status(grpc::StatusCode::INTERNAL,
                             "The ICG sent something that is no EdgeEvent; is its version older?"));
      break;
    }
    const bool taken = co_await link->Write(event);
    if (!taken) break;
  }
  carrier->reader_done.Set();
}

// From control to the ICG; then closes the WebSocket.
net::awaitable<void> CarryLink(std::shared_ptr<Carrier> carrier,
                               std::shared_ptr<CarriedLink> link) {
  net::co_spawn(carrier->executor, CarryEvents(carrier, link), net::detached);
  v1::EdgeCommand command;
  for (;;) {
    const bool more = co_await link->Read(&command);
    if (!more) break;
    const std::string bytes = command.SerializeAsString();
    const absl::Status written = co_await carrier->websocket->WriteBinary(bytes);
    if (!written.ok()) break;
  }
  CloseReason reason;
  reason.code = dataplane::kCloseNormal;
  co_await carrier->websocket->Close(std::move(reason));
  co_await carrier->reader_done.Wait();
  link->End(grpc::Status::OK);
}

class CarryingService : public v1::EdgeService::CallbackService {
 public:
  explicit CarryingService(std::shared_ptr<Carrier> carrier) : carrier_(std::move(carrier)) {}

  // The last use of the carrier is on its executor, like every other.
  ~CarryingService() override {
    const net::any_io_executor executor = carrier_->executor;
    net::post(executor, [carrier = std::move(carrier_)] {
      if (!carrier->linked) carrier->websocket->Abort();
    });
  }

  grpc::ServerBidiReactor<v1::EdgeCommand, v1::EdgeEvent>* Link(
      grpc::CallbackServerContext* /*context*/) override {
    {
      std::lock_guard<std::mutex> lock(mutex_);
      if (std::exchange(taken_, true)) return new RefusedLink;
    }
    const auto link = std::make_shared<CarriedLink>(carrier_->executor);
    link->Keep();
    net::post(carrier_->executor, [carrier = carrier_, link] {
      carrier->linked = true;
      net::co_spawn(carrier->executor, CarryLink(carrier, link), net::detached);
    });
    return link.get();
  }

 private:
  std::shared_ptr<Carrier> carrier_;
  std::mutex mutex_;
  // Guarded by mutex_.
  bool taken_ = false;
};

// What a channel needs to live. Destroyed from the last to the first.
struct OwnServer {
  ~OwnServer() {
    channel.reset();
    if (server == nullptr) return;
    server->Shutdown(std::chrono::system_clock::now());
    server->Wait();
  }
  std::unique_ptr<CarryingService> service;
  std::unique_ptr<grpc::Server> server;
  std::shared_ptr<grpc::Channel> channel;
};

}  // namespace

absl::StatusOr<std::shared_ptr<grpc::Channel>> ChannelOverWebSocket(
    std::unique_ptr<WebSocket> websocket) {
  websocket->Tune(kMaxLinkMessageBytes, LinkKeepAlive());
  KeepGrpc();
  const auto own = std::make_shared<OwnServer>();
  own->service = std::make_unique<CarryingService>(std::make_shared<Carrier>(std::move(websocket)));
  grpc::ServerBuilder builder;
  builder.SetMaxReceiveMessageSize(kMaxLinkMessageBytes);
  builder.RegisterService(own->service.get());
  own->server = builder.BuildAndStart();
  if (own->server == nullptr) return absl::InternalError("gRPC cannot start a server in-process");
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(kMaxLinkMessageBytes);
  own->channel = own->server->InProcessChannel(arguments);
  return std::shared_ptr<grpc::Channel>(own, own->channel.get());
}

}  // namespace fairlead::gateway
