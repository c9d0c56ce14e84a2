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
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "base/log.h"
#include "base/wait.h"
#include "proto/edge.grpc.pb.h"

namespace fairlead::control {

namespace {

// Hands the outcome of a dial to the serial executor, unless the link was stopped: the executor may
// then be gone. Also sees to it that a channel is let go on that executor, not on the dialer's
// thread.
class DialReceiver {
 public:
  explicit DialReceiver(Executor& serial) : serial_(serial) {}

  // False if the link was stopped.
  bool Post(Task task) {
    absl::MutexLock lock(&mutex_);
    if (closed_) return false;
    serial_.PostAfter(absl::ZeroDuration(), std::move(task));
    return true;
  }
  void Close() {
    absl::MutexLock lock(&mutex_);
    closed_ = true;
  }

 private:
  Executor& serial_;
  absl::Mutex mutex_;
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace

// What outlives the link while tasks of it are queued. All but serial, options, receiver and the
// fields under the mutex belong to the serial executor.
struct EdgeLink::State : std::enable_shared_from_this<EdgeLink::State> {
  State(ChannelSource channel_source, Executor& executor, EdgeObserver& sink,
        EdgeLinkOptions link_options)
      : serial(executor),
        observer(sink),
        options(std::move(link_options)),
        receiver(std::make_shared<DialReceiver>(executor)),
        source(std::move(channel_source)),
        backoff(options.min_backoff) {}

  void Dial();
  void OnDialed(std::uint64_t number, absl::StatusOr<std::shared_ptr<grpc::Channel>> channel);
  void Open(std::shared_ptr<grpc::Channel> channel) ABSL_EXCLUSIVE_LOCKS_REQUIRED(stop_mutex);
  void OnEvent(const std::shared_ptr<Stream>& from, const v1::EdgeEvent& event);
  void OnClosed(const std::shared_ptr<Stream>& from, const absl::Status& status);
  void OnHelloLate(const std::shared_ptr<Stream>& from);
  // The present attempt has come to nothing.
  void Failed(const absl::Status& status) ABSL_EXCLUSIVE_LOCKS_REQUIRED(stop_mutex);
  void DialLater();

  Executor& serial;
  EdgeObserver& observer;
  const EdgeLinkOptions options;
  const std::shared_ptr<DialReceiver> receiver;

  // Serial executor.
  ChannelSource source;
  bool up = false;
  // Names the dial under way; what an earlier one brings is dropped.
  std::uint64_t dial_number = 0;
  bool dialling = false;
  std::shared_ptr<Stream> current;
  absl::Duration backoff;
  TimerId timer = 0;
  // Why the last attempt failed; empty since the link was up.
  std::string last_failure;
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
  Stream(std::shared_ptr<grpc::Channel> channel, std::weak_ptr<State> owner, Executor& serial,
         std::size_t max_queued)
      : stub_(v1::EdgeService::NewStub(std::move(channel))),
        owner_(std::move(owner)),
        serial_(serial),
        max_queued_(max_queued) {}

  void Begin(std::shared_ptr<Stream> self) {
    self_ = std::move(self);
    stub_->async()->Link(&context_, this);
    // The hold lets StartRead be called from the executor at any time until Release.
    AddHold();
    StartRead(&incoming_);
    StartCall();
  }

  // False if the call has ended, or too much waits, in which case the call is ended.
  bool Send(const v1::EdgeCommand& command) {
    {
      absl::MutexLock lock(&mutex_);
      if (ended_ || finishing_) return false;
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

  // Ends the call, for a reason of ours.
  void EndFor(absl::Status reason) {
    {
      absl::MutexLock lock(&mutex_);
      reason_ = std::move(reason);
    }
    context_.TryCancel();
  }

  // Tells the edge, after what waits, that no more commands come; it then ends the call.
  void Finish() {
    absl::MutexLock lock(&mutex_);
    if (ended_ || finishing_) return;
    finishing_ = true;
    if (!writing_) StartWritesDone();
  }

  // Whether the call is over before `timeout` is.
  bool WaitUntilDone(absl::Duration timeout) { return done_->WaitFor(timeout); }

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
    if (writing_) {
      StartWrite(&outgoing_.front());
    } else if (finishing_ && !ended_) {
      StartWritesDone();
    }
  }

  void OnDone(const grpc::Status& status) override {
    absl::Status result(static_cast<absl::StatusCode>(status.error_code()), status.error_message());
    // gRPC's words for pings without an answer.
    if (absl::StrContains(result.message(), "keepalive watchdog")) {
      result =
          absl::UnavailableError("the edge does not answer; check that it runs, and the network");
    }
    {
      absl::MutexLock lock(&mutex_);
      ended_ = true;
      if (!reason_.ok()) result = reason_;
      if (overflowed_) result = absl::ResourceExhaustedError("the edge could not keep up");
    }
    if (result.ok()) result = absl::UnavailableError("the edge ended the link");
    const std::shared_ptr<Event> done = done_;
    // The last reference to this, and with it to the channel, must not go on this thread: gRPC
    // would then wait for its own thread to end. It goes on the executor's, or on that of Stop.
    // Unlike Post, PostAfter is never refused for lack of room: the link must be opened again.
    serial_.PostAfter(absl::ZeroDuration(), [owner = owner_, self = std::move(self_), result]() {
      if (const std::shared_ptr<State> state = owner.lock()) state->OnClosed(self, result);
    });
    done->Set();
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

  // Holds the channel.
  const std::unique_ptr<v1::EdgeService::Stub> stub_;
  const std::weak_ptr<State> owner_;
  Executor& serial_;
  const std::size_t max_queued_;
  grpc::ClientContext context_;
  v1::EdgeEvent incoming_;
  std::shared_ptr<Stream> self_;
  // Outlives this.
  const std::shared_ptr<Event> done_ = std::make_shared<Event>();

  absl::Mutex mutex_;
  // The front is being written while writing_.
  std::deque<v1::EdgeCommand> outgoing_ ABSL_GUARDED_BY(mutex_);
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;
  bool finishing_ ABSL_GUARDED_BY(mutex_) = false;
  bool overflowed_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Status reason_ ABSL_GUARDED_BY(mutex_);
  bool held_ ABSL_GUARDED_BY(mutex_) = true;
};

void EdgeLink::State::Dial() {
  absl::MutexLock lock(&stop_mutex);
  if (stopped) return;
  dialling = true;
  const std::uint64_t number = ++dial_number;
  timer = serial.PostAfter(options.dial_timeout, [weak = weak_from_this(), number]() {
    if (const std::shared_ptr<State> state = weak.lock()) {
      state->OnDialed(number, absl::DeadlineExceededError("the connection did not come in time"));
    }
  });
  source([weak = weak_from_this(), to = receiver,
          number](absl::StatusOr<std::shared_ptr<grpc::Channel>> channel) {
    to->Post([weak, number, channel = std::move(channel)]() mutable {
      if (const std::shared_ptr<State> state = weak.lock()) {
        state->OnDialed(number, std::move(channel));
      }
    });
  });
}

void EdgeLink::State::OnDialed(std::uint64_t number,
                               absl::StatusOr<std::shared_ptr<grpc::Channel>> channel) {
  absl::MutexLock lock(&stop_mutex);
  if (stopped || !dialling || number != dial_number) return;
  dialling = false;
  serial.Cancel(timer);
  if (channel.ok()) {
    Open(*std::move(channel));
    return;
  }
  Failed(channel.status());
  DialLater();
}

void EdgeLink::State::Open(std::shared_ptr<grpc::Channel> channel) {
  current =
      std::make_shared<Stream>(std::move(channel), weak_from_this(), serial, options.max_queued);
  stream = current;
  current->Begin(current);
  v1::EdgeCommand configure;
  *configure.mutable_configure() = observer.Configuration(options.edge);
  current->Send(configure);
  timer = serial.PostAfter(options.hello_timeout, [weak = weak_from_this(), opened = current]() {
    if (const std::shared_ptr<State> state = weak.lock()) state->OnHelloLate(opened);
  });
}

void EdgeLink::State::OnHelloLate(const std::shared_ptr<Stream>& from) {
  absl::MutexLock lock(&stop_mutex);
  if (stopped || stream != from || from->greeted) return;
  from->EndFor(absl::DeadlineExceededError(
      absl::StrCat("no hello within ", absl::FormatDuration(options.hello_timeout))));
}

void EdgeLink::State::OnEvent(const std::shared_ptr<Stream>& from, const v1::EdgeEvent& event) {
  absl::MutexLock lock(&stop_mutex);
  if (stopped || stream != from) return;
  if (from->greeted) {
    observer.OnEdgeEvent(options.edge, event);
    return;
  }
  if (!event.has_hello()) {
    from->EndFor(absl::InternalError("it said something before hello"));
    return;
  }
  from->greeted = true;
  serial.Cancel(timer);
  up = true;
  backoff = options.min_backoff;
  last_failure.clear();
  observer.OnEdgeUp(options.edge, event.hello());
}

void EdgeLink::State::OnClosed(const std::shared_ptr<Stream>& from, const absl::Status& status) {
  absl::MutexLock lock(&stop_mutex);
  if (stopped || stream != from) return;
  stream.reset();
  current.reset();
  serial.Cancel(timer);
  if (up) {
    up = false;
    observer.OnEdgeDown(options.edge, status);
  } else {
    Failed(status);
  }
  DialLater();
}

void EdgeLink::State::Failed(const absl::Status& status) {
  const std::string failure(status.message());
  const auto level = failure == last_failure ? spdlog::level::debug : spdlog::level::warn;
  spdlog::log(level, "edge {}: not linked: {}",
              options.edge.empty() ? "local" : Printable(options.edge), Printable(failure));
  last_failure = failure;
  observer.OnEdgeUnreachable(options.edge, status);
}

void EdgeLink::State::DialLater() {
  std::uniform_real_distribution<double> spread(0.5, 1.0);
  const absl::Duration wait = backoff * spread(jitter);
  backoff = std::min(backoff * 2, options.max_backoff);
  timer = serial.PostAfter(wait, [weak = weak_from_this()]() {
    if (const std::shared_ptr<State> state = weak.lock()) state->Dial();
  });
}

ChannelSource FixedChannel(std::shared_ptr<grpc::Channel> channel) {
  return [channel = std::move(channel)](EdgeDialer::Done done) { done(channel); };
}

EdgeLink::EdgeLink(ChannelSource source, Executor& serial, EdgeObserver& observer,
                   EdgeLinkOptions options)
    : state_(std::make_shared<State>(std::move(source), serial, observer, std::move(options))) {}

EdgeLink::~EdgeLink() { Stop(); }

void EdgeLink::Start() {
  state_->serial.PostAfter(absl::ZeroDuration(), [state = state_]() { state->Dial(); });
}

void EdgeLink::Stop(absl::Duration linger) {
  std::shared_ptr<Stream> stream;
  {
    absl::MutexLock lock(&state_->stop_mutex);
    state_->stopped = true;
    stream = std::move(state_->stream);
  }
  state_->receiver->Close();
  if (stream == nullptr) return;
  if (linger > absl::ZeroDuration()) {
    stream->Finish();
    if (stream->WaitUntilDone(linger)) return;
  }
  stream->Cancel();
  stream->WaitUntilDone(absl::InfiniteDuration());
}

bool EdgeLink::Send(const v1::EdgeCommand& command) {
  return state_->up && state_->current->Send(command);
}

}  // namespace fairlead::control
