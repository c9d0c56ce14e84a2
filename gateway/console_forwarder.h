// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Lets Consoles that cannot reach a session's ICG through to it: joins the WebSocket that a Console
// opens at the server's own edge to one that it opens to the ICG. Used by the tunnel routes.
#ifndef FAIRLEAD_GATEWAY_CONSOLE_FORWARDER_H_
#define FAIRLEAD_GATEWAY_CONSOLE_FORWARDER_H_

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "base/clock.h"
#include "dataplane/asio.h"
#include "dataplane/router.h"
#include "gateway/edge_events.h"
#include "proto/edge.pb.h"

namespace fairlead::gateway {

// The path of a Console's tunnel, at every edge.
inline constexpr char kConsoleTunnelPath[] = "/console-connector/terminal";

// Whom the forwarder believes. Called from I/O threads; must return soon.
struct ConsoleForwarderSources {
  // The CA certificates that sign ICGs, PEM.
  std::function<std::string()> icg_ca;
  // Whether the certificate with this SHA-256 fingerprint, 32 bytes, is revoked.
  std::function<bool(absl::string_view fingerprint)> is_revoked;
};

// The ICG decides on the ticket; here it only tells which ICG is meant. Frames pass unread, each
// side is read as fast as the other takes, and either end's close code reaches the other.
//
// Thread: any. Lifetime: what it was made with must outlive it, and it the coroutines of Serve.
class ConsoleForwarder {
 public:
  ConsoleForwarder(EdgeEventSink& sink, const Clock& clock, ConsoleForwarderSources sources);
  ~ConsoleForwarder();

  // Expects a Console with the ticket from now on, for the ticket's time. Ignores what is
  // malformed.
  void Expect(const v1::ForwardConsole& forward);

  // The way of the Console with `ticket`, once.
  absl::optional<v1::ForwardConsole> Take(const std::string& ticket);

  // Opens the tunnel to the ICG, accepts `upgrade`, and carries frames until either side ends.
  // `subprotocol` is what to accept it with. Thread: the upgrade's.
  dataplane::net::awaitable<void> Serve(v1::ForwardConsole forward, std::string ticket,
                                        std::string subprotocol,
                                        std::unique_ptr<dataplane::PendingUpgrade> upgrade);

  // Ends all with 4503, and lets nobody through any more.
  void Stop();

  // Consoles that go through now.
  std::size_t open_now() const;

 private:
  struct Splice;
  struct Expected {
    v1::ForwardConsole forward;
    absl::Duration until;
  };

  dataplane::net::awaitable<absl::StatusOr<std::unique_ptr<dataplane::WebSocket>>> Dial(
      v1::ForwardConsole forward, std::string ticket);
  // False once stopped.
  bool Enter(const std::shared_ptr<Splice>& splice);

  EdgeEventSink& sink_;
  const Clock& clock_;
  const ConsoleForwarderSources sources_;
  mutable absl::Mutex mutex_;
  bool stopped_ ABSL_GUARDED_BY(mutex_) = false;
  // By the ticket's hash.
  std::map<std::string, Expected> expected_ ABSL_GUARDED_BY(mutex_);
  std::set<std::shared_ptr<Splice>> splices_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace fairlead::gateway

#endif  // FAIRLEAD_GATEWAY_CONSOLE_FORWARDER_H_
