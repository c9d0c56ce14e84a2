// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// A listener for one kind of peer on one thread: shakes hands with every connection, within a
// deadline and caps on those that have not done so yet, and hands the TLS stream over. It knows no
// HTTP. Used by the agent of an OS 11 device.
#ifndef FAIRLEAD_DATAPLANE_STREAM_LISTENER_H_
#define FAIRLEAD_DATAPLANE_STREAM_LISTENER_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "dataplane/asio.h"
#include "dataplane/peer.h"
#include "dataplane/tls_context.h"

namespace fairlead::dataplane {

class TlsStream;

struct StreamListenerOptions {
  // As for acceptor.h's Listen.
  std::vector<std::string> addresses;
  absl::Duration handshake_timeout = absl::Seconds(10);
  // Connections whose handshake is not over: in all, per address.
  std::size_t max_unauthenticated = 8;
  std::size_t max_unauthenticated_per_host = 4;
};

// Thread: the executor's. Lifetime: goes with its connections' coroutines; what `tls` and `handler`
// refer to must outlive the executor's last run.
class StreamListener {
 public:
  // The configuration for the next handshake; null refuses the connection.
  using TlsSource = std::function<std::shared_ptr<SSL_CTX>()>;
  // Takes over a connection whose handshake succeeded.
  using Handler = std::function<net::awaitable<void>(std::unique_ptr<TlsStream>, PeerInfo)>;

  StreamListener(net::any_io_executor executor, TlsSource tls, Handler handler,
                 StreamListenerOptions options);
  ~StreamListener();

  // Binds and begins to accept. Errors: as acceptor.h's Listen.
  absl::Status Start();
  // The ports of all addresses, in order. After Start.
  std::vector<std::uint16_t> ports() const;
  // Stops accepting; connections go on.
  void Stop();

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace fairlead::dataplane

#endif  // FAIRLEAD_DATAPLANE_STREAM_LISTENER_H_
