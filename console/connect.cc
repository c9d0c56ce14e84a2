// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// See connect.h.
#include "console/connect.h"

#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>
#include <cstdio>
#include <future>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "console/terminal_client.h"
#include "console/tty.h"
#include "dataplane/client.h"
#include "proto/session.pb.h"

namespace fairlead::console {

using dataplane::net::awaitable;

namespace {

constexpr char kSubprotocol[] = "fairlead.terminal.v1";

absl::StatusOr<v1::Session> CreateSession(ApiClient& api, const std::string& token,
                                          const ConnectRequest& request) {
  v1::CreateSessionRequest create;
  create.set_device(absl::StartsWith(request.device, "devices/")
                        ? request.device
                        : absl::StrCat("devices/", request.device));
  const terminal::WindowSize size = TtySize();
  create.set_columns(size.columns);
  create.set_rows(size.rows);
  create.set_profile(request.profile);
  create.set_reason(request.reason);
  v1::Session session;
  FAIRLEAD_RETURN_IF_ERROR(
      api.Call("fairlead.v1.SessionService.CreateSession", token, create, &session));
  return session;
}

awaitable<absl::StatusOr<TerminalOutcome>> Serve(dataplane::net::io_context& context,
                                                 v1::Session session, dataplane::TlsTrust trust,
                                                 RawMode& raw) {
  const auto endpoint = dataplane::ParseUrl(session.console_url());
  if (!endpoint.ok()) co_return endpoint.status();
  dataplane::DialOptions options;
  auto tls = dataplane::TlsClientContext::Create(trust, nullptr, {"http/1.1"});
  if (!tls.ok()) co_return tls.status();
  options.tls = *std::move(tls);
  std::vector<std::string> offered;
  offered.push_back(kSubprotocol);
  offered.push_back(absl::StrCat("fairlead.ticket.", session.console_ticket()));
  auto dialled =
      co_await dataplane::DialWebSocket(*endpoint, options, offered, dataplane::HttpHeaders());
  if (!dialled.ok()) {
    co_return Annotate(dialled.status(),
                       absl::StrCat("opening the tunnel to ", session.console_url()));
  }
  const InputKind kind = isatty(STDIN_FILENO) != 0 ? InputKind::kTerminal : InputKind::kScript;
  TerminalClient client(context, std::move(dialled->websocket), kind, STDIN_FILENO, STDOUT_FILENO);
  TerminalOutcome outcome = co_await client.Serve();
  raw.Restore();
  co_return outcome;
}

}  // namespace

absl::StatusOr<int> Connect(ApiClient& api, const std::string& token,
                            const dataplane::TlsTrust& trust, const ConnectRequest& request) {
  FAIRLEAD_ASSIGN_OR_RETURN(const v1::Session session, CreateSession(api, token, request));
  const bool person = isatty(STDIN_FILENO) != 0;
  if (person) {
    std::fprintf(stderr, "Connected to %s. Type ~? after a new line for help.\n",
                 session.device().c_str());
  }
  absl::StatusOr<TerminalOutcome> outcome;
  {
    RawMode raw;
    dataplane::net::io_context context(1);
    auto task = Serve(context, session, trust, raw);
    auto result = dataplane::net::co_spawn(context, std::move(task), dataplane::net::use_future);
    context.run();
    outcome = result.get();
  }
  if (!outcome.ok()) return outcome.status();
  if (!outcome->message.empty()) std::fprintf(stderr, "\nfairlead: %s\n", outcome->message.c_str());
  return outcome->exit_code;
}

}  // namespace fairlead::console
