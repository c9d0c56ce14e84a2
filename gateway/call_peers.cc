// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// See call_peers.h.
#include "gateway/call_peers.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>

#include "absl/strings/numbers.h"
#include "absl/strings/strip.h"

namespace fairlead::gateway {
namespace {

// The numbers used: the upper half of what the process may open, at most this many. The kernel's
// table of descriptors grows to the highest number, at 8 bytes each.
constexpr int kMaxSpan = 1 << 16;

struct Range {
  int begin = 0;
  int end = 0;
};

Range Numbers() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return {};
  const int end = static_cast<int>(std::min<rlim_t>(limit.rlim_cur, 2 * kMaxSpan));
  return {end / 2, end};
}

}  // namespace

int CallPeers::Renumber(int fd) {
  const Range range = Numbers();
  absl::MutexLock lock(&mutex_);
  if (next_number_ < range.begin || next_number_ >= range.end) next_number_ = range.begin;
  int moved = fcntl(fd, F_DUPFD_CLOEXEC, next_number_);
  if (moved < 0) moved = fcntl(fd, F_DUPFD_CLOEXEC, range.begin);
  if (moved < 0) return fd;
  close(fd);
  next_number_ = moved + 1;
  return moved;
}

std::uint64_t CallPeers::Add(int fd, const dataplane::PeerInfo& peer) {
  Entry entry;
  entry.peer.address = peer.address;
  if (peer.certificate.has_value()) entry.peer.certificate_uris = peer.certificate->uris;
  absl::MutexLock lock(&mutex_);
  entry.id = ++last_id_;
  entries_[fd] = std::move(entry);
  return last_id_;
}

void CallPeers::Remove(int fd, std::uint64_t entry) {
  absl::MutexLock lock(&mutex_);
  const auto found = entries_.find(fd);
  if (found != entries_.end() && found->second.id == entry) entries_.erase(found);
}

absl::optional<CallPeer> CallPeers::Resolve(absl::string_view grpc_peer) const {
  int fd = -1;
  if (!absl::ConsumePrefix(&grpc_peer, "fd:") || !absl::SimpleAtoi(grpc_peer, &fd)) {
    return absl::nullopt;
  }
  absl::MutexLock lock(&mutex_);
  const auto found = entries_.find(fd);
  if (found == entries_.end()) return absl::nullopt;
  return found->second.peer;
}

}  // namespace fairlead::gateway
