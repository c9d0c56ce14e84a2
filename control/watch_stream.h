// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// The server's end of a watch: messages come from any thread, wait in a bounded queue, and go out
// one at a time. Also ends the call when the caller's token is no longer good. Used by the services
// that stream.
#ifndef FAIRLEAD_CONTROL_WATCH_STREAM_H_
#define FAIRLEAD_CONTROL_WATCH_STREAM_H_

#include <grpcpp/support/server_callback.h>

#include <cstddef>
#include <deque>
#include <memory>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "base/executor.h"
#include "base/status.h"
#include "control/call.h"

namespace fairlead::control {

// What a slow client gets.
enum class SlowWatch {
  // The latest state only: what is queued is replaced.
  kSkipForward,
  // RESOURCE_EXHAUSTED: it must watch again.
  kEnd,
};

// Derive to subscribe to something; `Unsubscribe` is called before destruction, after which nothing
// may push any more.
// Lifecycle: lives at least until EndSetup, so that the call can be looked at on a worker thread;
// deletes itself when gRPC is done with it.
// Thread: Push, Close, SetLimit and EndSetup from any thread.
template <typename Message>
class WatchStream : public grpc::ServerWriteReactor<Message> {
 public:
  explicit WatchStream(SlowWatch slow) : slow_(slow), guard_(std::make_shared<Guard>()) {
    guard_->stream = this;
  }

  // Sends `message` after those before it. Never blocks.
  void Push(const Message& message) {
    Step([&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
      if (closing_.has_value()) return;
      if (slow_ == SlowWatch::kSkipForward) queue_.clear();
      if (queue_.size() < limit_) {
        queue_.push_back(message);
        return;
      }
      queue_.clear();
      overflowed_ = true;
      closing_ = ErrorWithReason(absl::StatusCode::kResourceExhausted, "WATCH_TOO_SLOW",
                                 "the client reads too slowly to follow all changes; watch again");
    });
  }

  // Ends the call with `status` when all that was pushed has been sent.
  void Close(const absl::Status& status) {
    Step([&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
      if (!closing_.has_value()) closing_ = status;
    });
  }

  // What the call asks for was looked at: from now on this may be gone at any time.
  void EndSetup() {
    Step([&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { set_up_ = true; });
  }

  // From now on at most `more` messages may wait besides those that wait now.
  void SetLimit(std::size_t more) {
    absl::MutexLock lock(&mutex_);
    limit_ = queue_.size() + more;
  }

  // Runs `check` on `executor` every `interval` while the call lasts, and ends the call with what
  // it returns unless that is OK.
  void CheckEvery(Executor& executor, absl::Duration interval,
                  absl::AnyInvocable<absl::Status()> check) {
    auto shared_check = std::make_shared<absl::AnyInvocable<absl::Status()>>(std::move(check));
    ScheduleCheck(executor, interval, guard_, std::move(shared_check));
  }

 protected:
  ~WatchStream() override = default;

  // Called once, when nothing will be sent any more.
  virtual void Unsubscribe() = 0;

 private:
  // Tells checks whether the stream is still there.
  struct Guard {
    absl::Mutex mutex;
    WatchStream* stream ABSL_GUARDED_BY(mutex) = nullptr;
  };
  using Check = std::shared_ptr<absl::AnyInvocable<absl::Status()>>;

  static void ScheduleCheck(Executor& executor, absl::Duration interval,
                            std::shared_ptr<Guard> guard, Check check) {
    executor.PostAfter(interval, [&executor, interval, guard, check]() {
      {
        absl::MutexLock lock(&guard->mutex);
        if (guard->stream == nullptr) return;
      }
      const absl::Status status = (*check)();
      {
        absl::MutexLock lock(&guard->mutex);
        if (guard->stream == nullptr) return;
        if (!status.ok()) {
          guard->stream->Close(status);
          return;
        }
      }
      ScheduleCheck(executor, interval, guard, check);
    });
  }

  void OnWriteDone(bool ok) override {
    Step([&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
      writing_ = false;
      if (ok) return;
      queue_.clear();
      if (!closing_.has_value()) closing_ = absl::CancelledError("the client is gone");
    });
  }

  void OnCancel() override { Close(absl::CancelledError("the client is gone")); }

  void OnDone() override {
    {
      absl::MutexLock lock(&guard_->mutex);
      guard_->stream = nullptr;
    }
    Unsubscribe();
    delete this;
  }

  // Makes a change, then goes on with what there is to do.
  template <typename Change>
  void Step(Change change) {
    absl::Status status;
    {
      absl::MutexLock lock(&mutex_);
      change();
      if (finished_) return;
      if (!writing_ && !queue_.empty()) {
        current_ = std::move(queue_.front());
        queue_.pop_front();
        writing_ = true;
        this->StartWrite(&current_);
      }
      // A client that is too slow may never let the write under way finish.
      if (!set_up_ || !closing_.has_value() || (writing_ && !overflowed_)) return;
      finished_ = true;
      status = *closing_;
    }
    // Not under the lock: with the call, this object ends.
    this->Finish(ToGrpcStatus(status));
  }

  const SlowWatch slow_;
  const std::shared_ptr<Guard> guard_;
  absl::Mutex mutex_;
  std::deque<Message> queue_ ABSL_GUARDED_BY(mutex_);
  // Being written while writing_.
  Message current_ ABSL_GUARDED_BY(mutex_);
  std::size_t limit_ ABSL_GUARDED_BY(mutex_) = static_cast<std::size_t>(-1);
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;
  bool set_up_ ABSL_GUARDED_BY(mutex_) = false;
  bool overflowed_ ABSL_GUARDED_BY(mutex_) = false;
  bool finished_ ABSL_GUARDED_BY(mutex_) = false;
  absl::optional<absl::Status> closing_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace fairlead::control

#endif  // FAIRLEAD_CONTROL_WATCH_STREAM_H_
