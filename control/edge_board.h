// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// How the links to the edges stand, for those who show it. Written by EdgeController, read by the
// ICG service.
#ifndef FAIRLEAD_CONTROL_EDGE_BOARD_H_
#define FAIRLEAD_CONTROL_EDGE_BOARD_H_

#include <map>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"

namespace fairlead::control {

struct EdgeStanding {
  // The edge has told all that it knows, and the link holds.
  bool connected = false;
  // Since when it is as it is.
  absl::Time since;
  // Why it is not connected; empty while it is, and before the first attempt has failed.
  std::string last_error;
};

// Thread: any.
class EdgeBoard {
 public:
  void Add(absl::string_view edge, absl::Time now) {
    absl::MutexLock lock(&mutex_);
    edges_.try_emplace(std::string(edge), EdgeStanding{false, now, {}});
  }
  void Remove(absl::string_view edge) {
    absl::MutexLock lock(&mutex_);
    const auto found = edges_.find(edge);
    if (found != edges_.end()) edges_.erase(found);
  }
  void SetConnected(absl::string_view edge, absl::Time now) {
    absl::MutexLock lock(&mutex_);
    const auto found = edges_.find(edge);
    if (found != edges_.end()) found->second = EdgeStanding{true, now, {}};
  }
  void SetDisconnected(absl::string_view edge, absl::Time now, std::string why) {
    absl::MutexLock lock(&mutex_);
    const auto found = edges_.find(edge);
    if (found == edges_.end()) return;
    EdgeStanding& standing = found->second;
    if (standing.connected) standing.since = now;
    standing.connected = false;
    standing.last_error = std::move(why);
  }

  // Nothing if there is no such edge.
  absl::optional<EdgeStanding> Get(absl::string_view edge) const {
    absl::MutexLock lock(&mutex_);
    const auto found = edges_.find(edge);
    if (found == edges_.end()) return absl::nullopt;
    return found->second;
  }

 private:
  mutable absl::Mutex mutex_;
  std::map<std::string, EdgeStanding, std::less<>> edges_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace fairlead::control

#endif  // FAIRLEAD_CONTROL_EDGE_BOARD_H_
