// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// See open_session.h.
#include "console/open_session.h"

#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "dataplane/client.h"

namespace fairlead::console {

using dataplane::net::awaitable;

namespace {

constexpr char kSubprotocol[] = "fairlead.terminal.v1";

}  // namespace

absl::StatusOr<v1::Session> OpenSession(ApiClient& api, const std::string& token,
                                        const ConnectRequest& request, terminal::WindowSize size) {
  v1::CreateSessionRequest create;
  create.set_device(absl::StartsWith(request.device, "devices/")
                        ? request.device
                        : absl::StrCat("devices/", request.device));
  create.set_columns(size.columns);
  create.set_rows(size.rows);
  create.set_profile(request.profile);
  create.set_reason(request.reason);
  v1::Session session;
  FAIRLEAD_RETURN_IF_ERROR(
      api.Call("fairlead.v1.SessionService.CreateSession", token, create, &session));
  return session;
}

dataplane::TlsTrust TunnelTrust(const ServerAddress& server, const std::string& console_url) {
  const auto at_server = dataplane::ParseUrl(server.url);
  const auto tunnel = dataplane::ParseUrl(console_url);
  const bool elsewhere =
      at_server.ok() && tunnel.ok() &&
      (!absl::EqualsIgnoreCase(at_server->host, tunnel->host) || at_server->port != tunnel->port);
  dataplane::TlsTrust trust = server.trust;
  if (elsewhere && !trust.ca_pem.empty()) trust.sha256_fingerprint.clear();
  return trust;
}

awaitable<absl::StatusOr<std::unique_ptr<dataplane::WebSocket>>> DialTunnel(
    const ServerAddress& server, const v1::Session& session) {
  const auto endpoint = dataplane::ParseUrl(session.console_url());
  if (!endpoint.ok()) co_return endpoint.status();
  const dataplane::TlsTrust trust = TunnelTrust(server, session.console_url());
  auto tls = dataplane::TlsClientContext::Create(trust, nullptr, {"http/1.1"});
  if (!tls.ok()) co_return tls.status();
  dataplane::DialOptions options;
  options.tls = *std::move(tls);
  options.proxy = server.proxy;
  std::vector<std::string> offered;
  offered.push_back(kSubprotocol);
  offered.push_back(absl::StrCat("fairlead.ticket.", session.console_ticket()));
  auto dialled =
      co_await dataplane::DialWebSocket(*endpoint, options, offered, dataplane::HttpHeaders());
  if (!dialled.ok()) {
    co_return Annotate(dialled.status(),
                       absl::StrCat("opening the tunnel to ", session.console_url()));
  }
  dialled->websocket->Tune(dataplane::kMaxMessageBytes, dataplane::PatientKeepAlive());
  co_return std::move(dialled->websocket);
}

}  // namespace fairlead::console
