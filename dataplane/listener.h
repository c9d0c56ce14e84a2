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
#include "dataplane/peer.h"
#include "dataplane/router.h"
#include "dataplane/tls_context.h"

namespace fairlead::dataplane {

class IoThreads;
class TlsStream;

// Limits of a listener; the defaults are the product's.
struct ListenerLimits {
  absl::Duration handshake_timeout = absl::Seconds(10);
  absl::Duration head_timeout = absl::Seconds(10);
  // From the head's end to the body's, and between requests of a kept-alive connection.
  absl::Duration body_timeout = absl::Seconds(30);
  absl::Duration idle_timeout = absl::Seconds(60);
  std::size_t max_head_bytes = 16 * 1024;
  // Connections that have not shown a certificate, a ticket or a token yet: in all, per address.
  std::size_t max_unauthenticated = 4096;
  std::size_t max_unauthenticated_per_host = 256;
};

struct ListenerOptions {
  // "0.0.0.0:8443", "[::]:8443"; port 0 picks one. An IPv6 socket takes IPv6 only.
  std::vector<std::string> addresses;
  ListenerLimits limits;
};

// Takes over a connection whose client speaks h2.
using RawHandler = std::function<net::awaitable<void>(std::unique_ptr<TlsStream>, PeerInfo)>;

// Counters for /metrics; read from any thread.
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

  // Stops accepting; connections go on.
  void StopAccepting();

  // Closes every connection that is left, at once.
  void CloseAll();

  ListenerCounters counters() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace fairlead::dataplane

#endif  // FAIRLEAD_DATAPLANE_LISTENER_H_
