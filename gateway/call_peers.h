// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Which TLS client is behind which gRPC connection: filled by the gRPC bridge, asked by services
// through base/call_peer.h.
#ifndef FAIRLEAD_GATEWAY_CALL_PEERS_H_
#define FAIRLEAD_GATEWAY_CALL_PEERS_H_

#include <cstdint>
#include <unordered_map>

#include "absl/base/thread_annotations.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/types/optional.h"
#include "base/call_peer.h"
#include "dataplane/peer.h"

namespace fairlead::gateway {

// gRPC names a connection by its descriptor's number, which the kernel gives to another connection
// once it is free, while calls of the first may still be ending. So Renumber() moves descriptors to
// numbers that rise, and come round only after some thousand connections; and an entry is removed
// only by the connection that made it.
//
// Thread: any.
class CallPeers : public CallPeerResolver {
 public:
  // Gives `fd` a number that was not in use lately, if the limit of open files leaves room; the old
  // number is closed. Returns the number to use from now on.
  int Renumber(int fd);

  // Remembers the peer behind `fd`, in place of an earlier one. The result names the entry.
  std::uint64_t Add(int fd, const dataplane::PeerInfo& peer);

  // Forgets the entry, unless a later one took its place.
  void Remove(int fd, std::uint64_t entry);

  absl::optional<CallPeer> Resolve(absl::string_view grpc_peer) const override;

 private:
  struct Entry {
    std::uint64_t id = 0;
    CallPeer peer;
  };

  mutable absl::Mutex mutex_;
  std::unordered_map<int, Entry> entries_ ABSL_GUARDED_BY(mutex_);
  std::uint64_t last_id_ ABSL_GUARDED_BY(mutex_) = 0;
  int next_number_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace fairlead::gateway

#endif  // FAIRLEAD_GATEWAY_CALL_PEERS_H_
