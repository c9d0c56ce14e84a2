// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Joins a TLS connection with one end of a socketpair, so that a library which wants a file
// descriptor (gRPC) speaks over our TLS. Knows bytes alone. Used by the gateway's gRPC bridge
// (server side) and by the console's gRPC channel (client side).
#ifndef FAIRLEAD_DATAPLANE_FD_SPLICE_H_
#define FAIRLEAD_DATAPLANE_FD_SPLICE_H_

#include <memory>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "dataplane/asio.h"
#include "dataplane/tls_stream.h"

namespace fairlead::dataplane {

// The two ends of a socketpair, both non-blocking and close-on-exec. The owner closes them.
struct FdPair {
  // For Splice.
  int ours = -1;
  // For the library.
  int theirs = -1;
};

// Errors: RESOURCE_EXHAUSTED no descriptor or memory is left.
absl::StatusOr<FdPair> MakeFdPair();

// Copies bytes both ways between `tls` and `fd`, at most 16 KiB in hand each way, until one of them
// ends or the peer takes nothing for `write_timeout` (noticed within twice that); then ends the
// other and closes both. What was read from `fd` before its end reaches the peer. Takes `fd` over.
// Thread: the calling coroutine's executor, which must be `tls`'s.
net::awaitable<void> Splice(std::unique_ptr<TlsStream> tls, int fd,
                            absl::Duration write_timeout = absl::Seconds(40));

// Joins `tls` with a new socketpair, on `tls`'s executor, and gives the other end for the library,
// which closes it. Errors: RESOURCE_EXHAUSTED no descriptor is left; `tls` is then closed.
absl::StatusOr<int> SpliceToFd(std::unique_ptr<TlsStream> tls);

}  // namespace fairlead::dataplane

#endif  // FAIRLEAD_DATAPLANE_FD_SPLICE_H_
