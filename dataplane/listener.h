// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// The one listener of a process: accepts on IPv4 and IPv6, terminates TLS, and hands each
// connection on by ALPN: h2 to the gRPC bridge, all else to HTTP/1.1 and the router. Used by the
// gateway.
#ifndef FAIRLEAD_DATAPLANE_LISTENER_H_
#define FAIRLEAD_DATAPLANE_LISTENER_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "dataplane/asio.h"
#include "dataplane/listener_limits.h"
#include "dataplane/peer.h"
#include "dataplane/router.h"
#include "dataplane/tls_context.h"

namespace fairlead::dataplane {

class IoThreads;
class TlsStream;

struct ListenerOptions {
  // "0.0.0.0:8443", "[::]:8443"; port 0 picks one. An IPv6 socket takes IPv6 only.
  std::vector<std::string> addresses;
  ListenerLimits limits;
};

// Takes over a connection whose client speaks h2.
using RawHandler = std::function<net::awaitable<void>(std::unique_ptr<TlsStream>, PeerInfo)>;

// Counters for /metrics; read from any thread. A connection is open from accept until whoever
// serves it has returned.
struct ListenerCounters {
  std::uint64_t accepted = 0;
  std::uint64_t refused_too_many = 0;
  std::uint64_t handshake_failed = 0;
  std::uint64_t open_now = 0;
};

// Thread: construct, Start and Stop on one thread; handlers run on the I/O threads.
// Lifetime: `threads`, `tls` and `router` must outlive it.
class Listener {
 public:
  Listener(IoThreads& threads, std::shared_ptr<TlsServerContext> tls, const Router& router,
           RawHandler on_h2, ListenerOptions options);
  ~Listener();

  // Binds and begins to accept.
  // Errors: INVALID_ARGUMENT a bad address; UNAVAILABLE an address is in use (names it), or
  // PERMISSION_DENIED a privileged port.
  absl::Status Start();

  // The port of the first address. After Start.
  std::uint16_t port() const;
  // The ports of all addresses, in order.
  std::vector<std::uint16_t> ports() const;

  // Stops accepting; connections go on.
  void StopAccepting();

  // Ends every connection that is left, whoever serves it by now, and every one that is yet to
  // come. What was pending on them ends soon on the I/O threads.
  void CloseAll();

  // Waits, blocking the caller, until no connection is open. Before the I/O threads are stopped:
  // StopAccepting, CloseAll, AwaitClosed. False if some are still open after `timeout`.
  bool AwaitClosed(absl::Duration timeout);

  ListenerCounters counters() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace fairlead::dataplane

#endif  // FAIRLEAD_DATAPLANE_LISTENER_H_
