// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// See edge_link.h.
#include "control/edge_link.h"

#include <grpcpp/client_context.h>
#include <grpcpp/support/client_callback.h>

#include <algorithm>
#include <deque>
#include <random>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "base/log.h"
#include "proto/edge.grpc.pb.h"

namespace fairlead::control {

// What outlives the link while tasks of it are queued. All but stub, serial, options and the fields
// under the mutex belong to the serial executor.
struct EdgeLink::State : std::enable_shared_from_this<EdgeLink::State> {
  State(std::shared_ptr<grpc::Channel> channel, Executor& executor, EdgeObserver& sink,
        EdgeLinkOptions link_options)
      : stub(v1::EdgeService::NewStub(channel)),
        serial(executor),
        observer(sink),
        options(std::move(link_options)),
        backoff(options.min_backoff) {}

  void Open();
  void OnEvent(const std::shared_ptr<Stream>& from, const v1::EdgeEvent& event);
  void OnClosed(const std::shared_ptr<Stream>& from, const absl::Status& status);
  void OnHelloLate(const std::shared_ptr<Stream>& from);
  void OpenLater();

  const std::unique_ptr<v1::EdgeService::Stub> stub;
  Executor& serial;
  EdgeObserver& observer;
  const EdgeLinkOptions options;

  // Serial executor.
  bool up = false;
  std::shared_ptr<Stream> current;
  absl::Duration backoff;
  TimerId timer = 0;
  std::minstd_rand jitter{std::random_device{}()};

  // Guards what Stop needs from another thread. Held during observer calls, so that Stop returns
  // after the last one.
  absl::Mutex stop_mutex;
  bool stopped ABSL_GUARDED_BY(stop_mutex) = false;
  std::shared_ptr<Stream> stream ABSL_GUARDED_BY(stop_mutex);
};

// One call of Link. Kept alive by itself until gRPC is done with it.
class EdgeLink::Stream : public grpc::ClientBidiReactor<v1::EdgeCommand, v1::EdgeEvent> {
 public:
  Stream(std::weak_ptr<State> owner, Executor& serial, std::size_t max_queued)
      : owner_(std::move(owner)), serial_(serial), max_queued_(max_queued) {}

  void Begin(v1::EdgeService::Stub& stub, std::shared_ptr<Stream> self) {
    self_ = std::move(self);
    stub.async()->Link(&context_, this);
    // The hold lets StartRead be called from the executor at any time until Release.
    AddHold();
    StartRead(&incoming_);
    StartCall();
  }

  // False if the call has ended, or too much waits, in which case the call is ended.
  bool Send(const v1::EdgeCommand& command) {
    {
      absl::MutexLock lock(&mutex_);
      if (ended_) return false;
      if (outgoing_.size() >= max_queued_) {
        overflowed_ = true;
      } else {
        outgoing_.push_back(command);
        if (writing_) return true;
        writing_ = true;
      }
      if (!overflowed_) {
        StartWrite(&outgoing_.front());
        return true;
      }
    }
    context_.TryCancel();
    return false;
  }

  void Cancel() { context_.TryCancel(); }
  void WaitUntilDone() { done_->WaitForNotification(); }

  // Reads the next event. Executor.
  void Next() {
    absl::MutexLock lock(&mutex_);
    if (held_) StartRead(&incoming_);
  }

  bool greeted = false;  // Serial executor.

 private:
  void OnReadDone(bool ok) override {
    if (!ok) {
      Release();
      return;
    }
    const bool posted = serial_.Post([owner = owner_, self = self_]() {
      if (const std::shared_ptr<State> state = owner.lock()) state->OnEvent(self, self->incoming_);
      self->Next();
    });
    if (posted) return;
    // An event that cannot be handled must not be lost silently: the next link tells all anew.
    context_.TryCancel();
    Release();
  }

  void OnWriteDone(bool ok) override {
    absl::MutexLock lock(&mutex_);
    outgoing_.pop_front();
    if (!ok) ended_ = true;
    writing_ = !ended_ && !outgoing_.empty();
    if (writing_) StartWrite(&outgoing_.front());
  }

  void OnDone(const grpc::Status& status) override {
    absl::Status result(static_cast<absl::StatusCode>(status.error_code()), status.error_message());
    {
      absl::MutexLock lock(&mutex_);
      ended_ = true;
      if (overflowed_) result = absl::ResourceExhaustedError("the edge could not keep up");
    }
    if (result.ok()) result = absl::UnavailableError("the edge ended the link");
    const std::shared_ptr<absl::Notification> done = done_;
    // The last reference to this, and with it to the channel, must not go on this thread: gRPC
    // would then wait for its own thread to end. It goes on the executor's, or on that of Stop.
    // Unlike Post, PostAfter is never refused for lack of room: the link must be opened again.
    serial_.PostAfter(absl::ZeroDuration(), [owner = owner_, self = std::move(self_), result]() {
      if (const std::shared_ptr<State> state = owner.lock()) state->OnClosed(self, result);
    });
    done->Notify();
  }

  void Release() {
    {
      absl::MutexLock lock(&mutex_);
      if (!held_) return;
      held_ = false;
      ended_ = true;
    }
    RemoveHold();
  }

  const std::weak_ptr<State> owner_;
  Executor& serial_;
  const std::size_t max_queued_;
  grpc::ClientContext context_;
  v1::EdgeEvent incoming_;
  std::shared_ptr<Stream> self_;
  // Outlives this.
  const std::shared_ptr<absl::Notification> done_ = std::make_shared<absl::Notification>();

  absl::Mutex mutex_;
  // The front is being written while writing_.
  std::deque<v1::EdgeCommand> outgoing_ ABSL_GUARDED_BY(mutex_);
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;
  bool overflowed_ ABSL_GUARDED_BY(mutex_) = false;
  bool held_ ABSL_GUARDED_BY(mutex_) = true;
};

void EdgeLink::State::Open() {
  absl::MutexLock lock(&stop_mutex);
  if (stopped) return;
  current = std::make_shared<Stream>(weak_from_this(), serial, options.max_queued);
  stream = current;
  current->Begin(*stub, current);
  v1::EdgeCommand configure;
  *configure.mutable_configure() = observer.Configuration();
  current->Send(configure);
  timer = serial.PostAfter(options.hello_timeout, [weak = weak_from_this(), opened = current]() {
    if (const std::shared_ptr<State> state = weak.lock()) state->OnHelloLate(opened);
  });
}

void EdgeLink::State::OnHelloLate(const std::shared_ptr<Stream>& from) {
  absl::MutexLock lock(&stop_mutex);
  if (stopped || stream != from || from->greeted) return;
  spdlog::warn("edge {}: no hello within {}", Printable(options.edge),
               absl::FormatDuration(options.hello_timeout));
  from->Cancel();
}

void EdgeLink::State::OnEvent(const std::shared_ptr<Stream>& from, const v1::EdgeEvent& event) {
  absl::MutexLock lock(&stop_mutex);
  if (stopped || stream != from) return;
  if (from->greeted) {
    observer.OnEdgeEvent(options.edge, event);
    return;
  }
  if (!event.has_hello()) {
    spdlog::warn("edge {}: said something before hello", Printable(options.edge));
    from->Cancel();
    return;
  }
  from->greeted = true;
  serial.Cancel(timer);
  up = true;
  backoff = options.min_backoff;
  observer.OnEdgeUp(options.edge, event.hello());
}

void EdgeLink::State::OnClosed(const std::shared_ptr<Stream>& from, const absl::Status& status) {
  absl::MutexLock lock(&stop_mutex);
  if (stopped || stream != from) return;
  stream.reset();
  current.reset();
  serial.Cancel(timer);
  spdlog::warn("edge {}: link ended: {}", Printable(options.edge), Printable(status.message()));
  if (up) {
    up = false;
    observer.OnEdgeDown(options.edge, status);
  }
  OpenLater();
}

void EdgeLink::State::OpenLater() {
  std::uniform_real_distribution<double> spread(0.5, 1.0);
  const absl::Duration wait = backoff * spread(jitter);
  backoff = std::min(backoff * 2, options.max_backoff);
  timer = serial.PostAfter(wait, [weak = weak_from_this()]() {
    if (const std::shared_ptr<State> state = weak.lock()) state->Open();
  });
}

EdgeLink::EdgeLink(std::shared_ptr<grpc::Channel> channel, Executor& serial, EdgeObserver& observer,
                   EdgeLinkOptions options)
    : state_(std::make_shared<State>(std::move(channel), serial, observer, std::move(options))) {}

EdgeLink::~EdgeLink() { Stop(); }

void EdgeLink::Start() {
  state_->serial.Post([state = state_]() { state->Open(); });
}

void EdgeLink::Stop() {
  std::shared_ptr<Stream> stream;
  {
    absl::MutexLock lock(&state_->stop_mutex);
    state_->stopped = true;
    stream = std::move(state_->stream);
  }
  if (stream == nullptr) return;
  stream->Cancel();
  stream->WaitUntilDone();
}

bool EdgeLink::Send(const v1::EdgeCommand& command) {
  return state_->up && state_->current->Send(command);
}

}  // namespace fairlead::control
