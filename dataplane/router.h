// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Routing by path: the gateway registers handlers, the listener's connections call them. Sans-I/O.
#ifndef FAIRLEAD_DATAPLANE_ROUTER_H_
#define FAIRLEAD_DATAPLANE_ROUTER_H_

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "dataplane/asio.h"
#include "dataplane/http.h"
#include "dataplane/websocket.h"

namespace fairlead::dataplane {

class TunnelLeg;

// A WebSocket handshake that has been read and not yet answered.
// Thread: the connection's. Lifetime: owned by the upgrade handler; dropping it answers 500.
class PendingUpgrade {
 public:
  virtual ~PendingUpgrade() = default;

  // The subprotocols that the client offered, in order.
  virtual const std::vector<std::string>& offered_subprotocols() const = 0;

  // Hands the connection to `executor`'s thread (so that both legs of a session share one). The
  // caller must itself continue on that executor before it calls any of the following.
  virtual void MoveTo(net::any_io_executor executor) = 0;

  // Answers 101, selecting `subprotocol` if not empty. At most one of Accept,
  // AcceptTunnel and Refuse, once.
  // Errors: UNAVAILABLE the connection was lost.
  virtual net::awaitable<absl::StatusOr<std::unique_ptr<WebSocket>>> Accept(
      absl::string_view subprotocol) = 0;

  // The same, for a leg of the relay, which sends the answer with what it sends first, and is the
  // one to find out if the connection was lost.
  virtual std::unique_ptr<TunnelLeg> AcceptTunnel(absl::string_view subprotocol) = 0;

  // Answers with an HTTP response instead; the connection then closes.
  virtual net::awaitable<void> Refuse(HttpResponse response) = 0;
};

using RequestHandler = std::function<net::awaitable<HttpResponse>(HttpRequest)>;
using UpgradeHandler =
    std::function<net::awaitable<void>(HttpRequest, std::unique_ptr<PendingUpgrade>)>;

// What a path is served by. A request for which the route has no handler (a plain GET of a
// WebSocket path, an upgrade of a REST path) is answered with 426 or 400 by the connection.
struct Route {
  // "/exact" or, ending in '*', a prefix: "/api/v1/*".
  std::string pattern;
  RequestHandler on_request;
  UpgradeHandler on_upgrade;
  // The largest request body, in bytes; a larger one is answered with 413.
  std::size_t max_body_bytes = 1 << 20;
};

// All routes of a listener. An exact pattern wins over a prefix, a longer prefix over a shorter.
// Thread: filled before the listener starts, then read from any thread.
class Router {
 public:
  void Add(Route route);

  // Serves what no route matches: by default 404 with a JSON error.
  void SetFallback(RequestHandler handler);

  // The route for `path`, or null: then the fallback serves it.
  const Route* Find(absl::string_view path) const;
  const RequestHandler& fallback() const { return fallback_; }
  const std::vector<Route>& routes() const { return routes_; }

 private:
  std::vector<Route> routes_;
  RequestHandler fallback_;
};

// A response with body {"code":…,"message":"…","details":[]}, as REST errors have.
HttpResponse ErrorResponse(const absl::Status& status);

// The same, for HTTP statuses that no gRPC code stands for (405, 413, 426, 431 and the like).
HttpResponse ErrorResponse(int http_status, const absl::Status& status);

}  // namespace fairlead::dataplane

#endif  // FAIRLEAD_DATAPLANE_ROUTER_H_
