// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Offers terminals on a device to outside clients (PuTTY, telnet, nc): listens on a TCP port and
// joins each client, one at a time, with a session of its own. Used by connect --listen.
#ifndef FAIRLEAD_CONSOLE_LISTEN_H_
#define FAIRLEAD_CONSOLE_LISTEN_H_

#include <boost/asio/ip/tcp.hpp>
#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "console/api_client.h"
#include "console/open_session.h"

namespace fairlead::console {

enum class RemoteClients { kRefused, kAllowed };

// "127.0.0.1:2323", "[::1]:0", "localhost:0", or "2323" for 127.0.0.1; port 0 takes a free one.
// Errors: INVALID_ARGUMENT not such an address; PERMISSION_DENIED others than this host could
// connect, and that is not allowed.
absl::StatusOr<dataplane::net::ip::tcp::endpoint> ParseListenAddress(absl::string_view text,
                                                                     RemoteClients remote);

struct ListenOptions {
  dataplane::net::ip::tcp::endpoint address;
  // Goes on after the first client's session, until the process is ended.
  bool keep = false;
  // Told where it listens, beside the line on standard error.
  std::function<void(const dataplane::net::ip::tcp::endpoint&)> on_listening = nullptr;
};

// Prints "listening on HOST:PORT" to standard error, and serves. The bytes of the tunnel are passed
// on untouched: Telnet for OS 11, those of a pseudo-terminal of 80x24 for OS 12. When the session
// ends, its client gets every byte and then the end of the stream; when the client hangs up, the
// session is hung up. A client that only ends its sending waits for the session's end.
// Returns the exit code for the process, as Connect does; 0 if the client hung up.
// Errors: UNAVAILABLE the port cannot be listened on, or a client not be accepted; those of
// CreateSession and of dialling unless `keep`, which tells them and goes on.
absl::StatusOr<int> Listen(ApiClient& api, const std::string& token, const ServerAddress& server,
                           const ConnectRequest& request, const ListenOptions& options);

}  // namespace fairlead::console

#endif  // FAIRLEAD_CONSOLE_LISTEN_H_
