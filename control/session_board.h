// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// What the live sessions look like now, for readers on any thread: the coordinator publishes, the
// services read and watch. A session stays until its end is safely in the store.
#ifndef FAIRLEAD_CONTROL_SESSION_BOARD_H_
#define FAIRLEAD_CONTROL_SESSION_BOARD_H_

#include <cstddef>
#include <map>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/types/optional.h"
#include "proto/session.pb.h"

namespace fairlead::control {

// Follows one session.
// Thread: called with the board's lock held: must return at once and not call the board.
class SessionWatcher {
 public:
  virtual ~SessionWatcher() = default;
  virtual void OnSession(const v1::Session& session) = 0;
};

// Thread: any.
class SessionBoard {
 public:
  void Publish(const v1::Session& session);
  void Remove(absl::string_view name);

  absl::optional<v1::Session> Find(absl::string_view name) const;

  // Shows `watcher` the session at once and after each change, until Unwatch. False, without any
  // call, if the session is not on the board.
  // Lifetime: `watcher` must live until Unwatch has returned.
  bool Watch(absl::string_view name, SessionWatcher* watcher);
  void Unwatch(absl::string_view name, SessionWatcher* watcher);

 private:
  mutable absl::Mutex mutex_;
  std::map<std::string, v1::Session, std::less<>> sessions_ ABSL_GUARDED_BY(mutex_);
  std::multimap<std::string, SessionWatcher*, std::less<>> watchers_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace fairlead::control

#endif  // FAIRLEAD_CONTROL_SESSION_BOARD_H_
