// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// See session_board.h.
#include "control/session_board.h"

namespace fairlead::control {

void SessionBoard::Publish(const v1::Session& session) {
  absl::MutexLock lock(&mutex_);
  sessions_[session.name()] = session;
  const auto [first, last] = watchers_.equal_range(session.name());
  for (auto it = first; it != last; ++it) it->second->OnSession(session);
}

void SessionBoard::Remove(absl::string_view name) {
  absl::MutexLock lock(&mutex_);
  const auto found = sessions_.find(name);
  if (found != sessions_.end()) sessions_.erase(found);
}

absl::optional<v1::Session> SessionBoard::Find(absl::string_view name) const {
  absl::MutexLock lock(&mutex_);
  const auto found = sessions_.find(name);
  if (found == sessions_.end()) return absl::nullopt;
  return found->second;
}

bool SessionBoard::Watch(absl::string_view name, SessionWatcher* watcher) {
  absl::MutexLock lock(&mutex_);
  const auto found = sessions_.find(name);
  if (found == sessions_.end()) return false;
  watchers_.emplace(std::string(name), watcher);
  watcher->OnSession(found->second);
  return true;
}

void SessionBoard::Unwatch(absl::string_view name, SessionWatcher* watcher) {
  absl::MutexLock lock(&mutex_);
  const auto [first, last] = watchers_.equal_range(name);
  for (auto it = first; it != last; ++it) {
    if (it->second == watcher) {
      watchers_.erase(it);
      return;
    }
  }
}

}  // namespace fairlead::control
