// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// The first two steps of every terminal: asks the server for a session, and dials its tunnel. Used
// by connect and listen.
#ifndef FAIRLEAD_CONSOLE_OPEN_SESSION_H_
#define FAIRLEAD_CONSOLE_OPEN_SESSION_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "console/api_client.h"
#include "dataplane/asio.h"
#include "dataplane/websocket.h"
#include "proto/session.pb.h"
#include "terminal/control_frame.h"

namespace fairlead::console {

struct ConnectRequest {
  // The unit ID, or "devices/{unit_id}".
  std::string device;
  std::string profile;
  std::string reason;
};

// Errors: those of SessionService.CreateSession.
// Source: design, the four flows, step 1.
absl::StatusOr<v1::Session> OpenSession(ApiClient& api, const std::string& token,
                                        const ConnectRequest& request, terminal::WindowSize size);

// How a tunnel at `console_url` is trusted: as `server` if it is at the server; elsewhere, at an
// ICG, a fingerprint says nothing, and the CA that was learned over the pinned connection decides.
dataplane::TlsTrust TunnelTrust(const ServerAddress& server, const std::string& console_url);

// Dials the session's tunnel with its ticket.
// Errors: those of dataplane::DialWebSocket, with the URL.
// Source: design, flow OS 12 direct, step 5; OS 12 over ICG, step 4.
dataplane::net::awaitable<absl::StatusOr<std::unique_ptr<dataplane::WebSocket>>> DialTunnel(
    const ServerAddress& server, const v1::Session& session);

}  // namespace fairlead::console

#endif  // FAIRLEAD_CONSOLE_OPEN_SESSION_H_
