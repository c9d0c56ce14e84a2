// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// See async_call.h. Every callback of gRPC posts to the coroutine's executor and returns. The last
// one moves its reference to the call's state into the post, so that what belongs to the executor
// is destroyed there, and CallsInFlight::Stop is the end of all uses.
#include "gateway/async_call.h"

#include <grpcpp/client_context.h>
#include <grpcpp/support/client_callback.h>

#include <boost/asio/post.hpp>

#include "absl/types/optional.h"
#include "dataplane/async_event.h"

namespace fairlead::gateway {
namespace {

using dataplane::AsyncEvent;

void SetMetadata(const CallMetadata& metadata, grpc::ClientContext* context) {
  for (const auto& [key, value] : metadata) context->AddMetadata(key, value);
}

// Counted from the steady clock, so that a jump of the wall clock ends no call.
gpr_timespec DeadlineAfter(absl::Duration timeout) {
  return gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC),
                      gpr_time_from_millis(absl::ToInt64Milliseconds(timeout), GPR_TIMESPAN));
}

struct UnaryState {
  explicit UnaryState(net::any_io_executor caller) : executor(caller), done(std::move(caller)) {}

  net::any_io_executor executor;
  grpc::ClientContext context;
  grpc::ByteBuffer request;
  UnaryResult result;
  AsyncEvent done;
};

// Runs on a thread of gRPC.
void FinishUnary(std::shared_ptr<UnaryState> state, CallsInFlight& calls,
                 const grpc::Status& status) {
  calls.Remove(&state->context, [&state, &status] {
    const net::any_io_executor executor = state->executor;
    net::post(executor, [state = std::move(state), status] {
      state->result.status = status;
      state->done.Set();
    });
  });
}

}  // namespace

grpc::ByteBuffer ToByteBuffer(const google::protobuf::Message& message) {
  const grpc::Slice slice(message.SerializeAsString());
  return grpc::ByteBuffer(&slice, 1);
}

bool FromByteBuffer(const grpc::ByteBuffer& buffer, google::protobuf::Message* message) {
  grpc::Slice slice;
  return buffer.DumpToSingleSlice(&slice).ok() &&
         message->ParseFromArray(slice.begin(), static_cast<int>(slice.size()));
}

grpc::Status CallsInFlight::Add(grpc::ClientContext* context, std::function<void()> cancel) {
  std::lock_guard<std::mutex> lock(mutex_);
  if (stopped_) return grpc::Status(grpc::UNAVAILABLE, "The server is stopping; try again later.");
  if (calls_.size() >= max_calls_) {
    return grpc::Status(grpc::RESOURCE_EXHAUSTED,
                        "The server has too many calls in progress; try again later.");
  }
  calls_.emplace(context, std::move(cancel));
  return grpc::Status::OK;
}

void CallsInFlight::Remove(grpc::ClientContext* context, const std::function<void()>& hand_over) {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    calls_.erase(context);
    ++handing_over_;
  }
  hand_over();
  std::lock_guard<std::mutex> lock(mutex_);
  --handing_over_;
  empty_.notify_all();
}

void CallsInFlight::Stop() {
  std::unique_lock<std::mutex> lock(mutex_);
  if (!stopped_) {
    for (const auto& call : calls_) call.second();
  }
  stopped_ = true;
  empty_.wait(lock, [this] { return calls_.empty() && handing_over_ == 0; });
}

std::size_t CallsInFlight::size() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return calls_.size();
}

bool CallsInFlight::stopped() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return stopped_;
}

// One call's reactor. It keeps itself alive until OnDone.
class ServerStream::Reactor : public grpc::ClientBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>,
                              public std::enable_shared_from_this<Reactor> {
 public:
  Reactor(net::any_io_executor executor, std::shared_ptr<CallsInFlight> calls)
      : executor_(executor),
        calls_(std::move(calls)),
        changed_(executor),
        written_(std::move(executor)) {}

  // Without `request` the call streams both ways.
  void Start(grpc::GenericStub* stub, const std::string& method, const CallMetadata& metadata,
             absl::optional<grpc::ByteBuffer> request) {
    status_ = calls_->Add(&context_, [this] { Cancel(); });
    if (!status_.ok()) {
      done_ = true;
      return;
    }
    self_ = shared_from_this();
    SetMetadata(metadata, &context_);
    stub->PrepareBidiStreamingCall(&context_, method, {}, this);
    {
      std::lock_guard<std::mutex> lock(mutex_);
      held_ = !ending_;
      // Reads and writes are started from outside of reactions.
      if (held_) AddHold();
      if (request.has_value()) ++pending_;
    }
    if (request.has_value()) {
      outgoing_ = std::move(*request);
      StartWriteLast(&outgoing_, grpc::WriteOptions());
    }
    StartCall();
  }

  net::awaitable<bool> Read(grpc::ByteBuffer* message) {
    if (!Begin()) {
      co_await WaitUntilDone();
      co_return false;
    }
    read_finished_ = false;
    StartRead(&incoming_);
    while (!read_finished_) {
      changed_.Reset();
      co_await changed_.Wait();
    }
    if (read_ok_) {
      message->Swap(&incoming_);
      co_return true;
    }
    co_await WaitUntilDone();
    co_return false;
  }

  net::awaitable<bool> Write(grpc::ByteBuffer message) {
    if (!Begin()) co_return false;
    outgoing_.Swap(&message);
    write_finished_ = false;
    StartWrite(&outgoing_);
    while (!write_finished_) {
      written_.Reset();
      co_await written_.Wait();
    }
    co_return write_ok_;
  }

  // Ends the call soon, whether or not anybody reads. Any thread.
  void Cancel() {
    context_.TryCancel();
    Settle(0, true);
  }

  const grpc::Status& status() const { return status_; }

  // Threads of gRPC.
  void OnReadDone(bool ok) override {
    net::post(executor_, [self = shared_from_this(), ok] {
      self->read_finished_ = true;
      self->read_ok_ = ok;
      self->changed_.Set();
    });
    Settle(1, !ok);
  }
  void OnWriteDone(bool ok) override {
    net::post(executor_, [self = shared_from_this(), ok] {
      self->write_finished_ = true;
      self->write_ok_ = ok;
      self->written_.Set();
    });
    Settle(1, !ok);
  }
  void OnDone(const grpc::Status& status) override {
    const std::shared_ptr<CallsInFlight> calls = calls_;
    calls->Remove(&context_, [this, &status] {
      const net::any_io_executor executor = executor_;
      net::post(executor, [self = std::move(self_), status] {
        self->status_ = status;
        self->done_ = true;
        self->changed_.Set();
      });
    });
  }

 private:
  // Whether a read or write may be started; then it counts as pending.
  bool Begin() {
    std::lock_guard<std::mutex> lock(mutex_);
    if (ending_ || !held_) return false;
    ++pending_;
    return true;
  }

  // Takes off what is no longer pending; the hold goes with the last of it once the call is ending.
  void Settle(int over, bool ending) {
    bool release = false;
    {
      std::lock_guard<std::mutex> lock(mutex_);
      pending_ -= over;
      ending_ = ending_ || ending;
      release = ending_ && pending_ == 0 && std::exchange(held_, false);
    }
    if (release) RemoveHold();
  }

  net::awaitable<void> WaitUntilDone() {
    while (!done_) {
      changed_.Reset();
      co_await changed_.Wait();
    }
  }

  const net::any_io_executor executor_;
  const std::shared_ptr<CallsInFlight> calls_;
  grpc::ClientContext context_;
  // Set by Start, taken by OnDone.
  std::shared_ptr<Reactor> self_;

  // Touched on the executor.
  grpc::ByteBuffer incoming_;
  grpc::ByteBuffer outgoing_;
  grpc::Status status_;
  AsyncEvent changed_;
  AsyncEvent written_;
  bool read_finished_ = false;
  bool read_ok_ = false;
  bool write_finished_ = false;
  bool write_ok_ = false;
  bool done_ = false;

  std::mutex mutex_;
  // Guarded by mutex_. While held_, the call has a hold, which whoever resets it releases.
  bool held_ = false;
  bool ending_ = false;
  int pending_ = 0;
};

ServerStream::ServerStream(std::shared_ptr<Reactor> reactor) : reactor_(std::move(reactor)) {}

ServerStream::~ServerStream() { reactor_->Cancel(); }

net::awaitable<bool> ServerStream::Read(grpc::ByteBuffer* message) {
  return reactor_->Read(message);
}

net::awaitable<bool> ServerStream::Write(grpc::ByteBuffer message) {
  return reactor_->Write(std::move(message));
}

const grpc::Status& ServerStream::status() const { return reactor_->status(); }

void ServerStream::Cancel() { reactor_->Cancel(); }

AsyncCalls::AsyncCalls(std::shared_ptr<grpc::Channel> channel, std::size_t max_calls)
    : stub_(std::move(channel)), calls_(std::make_shared<CallsInFlight>(max_calls)) {}

net::awaitable<UnaryResult> AsyncCalls::Unary(std::string method, CallMetadata metadata,
                                              grpc::ByteBuffer request, absl::Duration timeout) {
  const net::any_io_executor executor = co_await net::this_coro::executor;
  const auto state = std::make_shared<UnaryState>(executor);
  // The state outlives its entry.
  state->result.status =
      calls_->Add(&state->context, [context = &state->context] { context->TryCancel(); });
  if (!state->result.status.ok()) co_return std::move(state->result);
  SetMetadata(metadata, &state->context);
  state->context.set_deadline(DeadlineAfter(timeout));
  state->request = std::move(request);
  stub_.UnaryCall(&state->context, method, {}, &state->request, &state->result.response,
                  [state, calls = calls_](const grpc::Status& status) mutable {
                    FinishUnary(std::move(state), *calls, status);
                  });
  co_await state->done.Wait();
  co_return std::move(state->result);
}

std::unique_ptr<ServerStream> AsyncCalls::Stream(net::any_io_executor executor, std::string method,
                                                 CallMetadata metadata, grpc::ByteBuffer request) {
  auto reactor = std::make_shared<ServerStream::Reactor>(std::move(executor), calls_);
  reactor->Start(&stub_, method, metadata, std::move(request));
  return std::unique_ptr<ServerStream>(new ServerStream(std::move(reactor)));
}

std::unique_ptr<ServerStream> AsyncCalls::Duplex(net::any_io_executor executor, std::string method,
                                                 CallMetadata metadata) {
  auto reactor = std::make_shared<ServerStream::Reactor>(std::move(executor), calls_);
  reactor->Start(&stub_, method, metadata, absl::nullopt);
  return std::unique_ptr<ServerStream>(new ServerStream(std::move(reactor)));
}

}  // namespace fairlead::gateway
