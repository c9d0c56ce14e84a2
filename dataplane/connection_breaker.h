// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Ends a connection from another thread than its own: the listener keeps one for every connection,
// whoever owns that by now, so that it can end them all.
#ifndef FAIRLEAD_DATAPLANE_CONNECTION_BREAKER_H_
#define FAIRLEAD_DATAPLANE_CONNECTION_BREAKER_H_

#include <sys/socket.h>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

namespace fairlead::dataplane {

// Thread: any. Lifetime: shared by the stream, which retires it before it closes its descriptor.
class ConnectionBreaker {
 public:
  explicit ConnectionBreaker(int descriptor) : descriptor_(descriptor) {}

  // Shuts the connection down in both directions; its owner's operations then end, and he closes.
  void Break() {
    absl::MutexLock lock(&mutex_);
    if (descriptor_ >= 0) ::shutdown(descriptor_, SHUT_RDWR);
  }

  // From now on Break does nothing: the descriptor's number may soon be another connection's.
  void Retire() {
    absl::MutexLock lock(&mutex_);
    descriptor_ = -1;
  }

 private:
  absl::Mutex mutex_;
  int descriptor_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace fairlead::dataplane

#endif  // FAIRLEAD_DATAPLANE_CONNECTION_BREAKER_H_
