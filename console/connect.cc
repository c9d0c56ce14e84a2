// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// See connect.h.
#include "console/connect.h"

#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>
#include <cstdio>
#include <cstdlib>
#include <future>

#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "console/ask_outcome.h"
#include "console/blocking_io.h"
#include "console/tell.h"
#include "console/terminal_client.h"
#include "console/tty.h"

namespace fairlead::console {

using dataplane::net::awaitable;

namespace {

TerminalOptions OptionsFor(const v1::Session& session) {
  TerminalOptions options;
  options.input = isatty(STDIN_FILENO) != 0 ? InputKind::kTerminal : InputKind::kScript;
  options.stream = session.stream() == v1::Session::TELNET ? StreamKind::kTelnet : StreamKind::kPty;
  const char* type = std::getenv("TERM");
  if (type != nullptr && *type != '\0') options.terminal_type = type;
  return options;
}

awaitable<absl::StatusOr<TerminalOutcome>> Serve(dataplane::net::io_context& context,
                                                 const v1::Session& session,
                                                 const ServerAddress& server) {
  auto tunnel = co_await DialTunnel(server, session);
  if (!tunnel.ok()) co_return tunnel.status();
  BlockingIo io(STDIN_FILENO, STDOUT_FILENO);
  TerminalClient client(context, *std::move(tunnel), io, OptionsFor(session));
  // Not before: while the tunnel is dialled, and until the client minds signals, Ctrl-C ends this.
  const RawMode raw;
  co_return co_await client.Serve();
}

// Below what the terminal showed last.
void TellOutcome(const TerminalOutcome& outcome, bool person) {
  if (outcome.message.empty()) return;
  std::fputc('\n', stderr);
  if (outcome.ended_untold && person) {
    // A person who typed "exit" did nothing wrong, and neither did the device.
    TellCalmly(absl::StrCat("[", outcome.message, "]"));
  } else {
    Tell(outcome.message);
  }
}

}  // namespace

absl::StatusOr<int> Connect(ApiClient& api, const std::string& token, const ServerAddress& server,
                            const ConnectRequest& request) {
  FAIRLEAD_ASSIGN_OR_RETURN(const v1::Session session, OpenSession(api, token, request, TtySize()));
  const bool person = isatty(STDIN_FILENO) != 0;
  if (person) {
    TellCalmly(
        absl::StrCat("Connected to ", session.device(), ". Type ~? after a new line for help."));
  }
  absl::StatusOr<TerminalOutcome> outcome;
  {
    dataplane::net::io_context context(1);
    auto task = Serve(context, session, server);
    auto result = dataplane::net::co_spawn(context, std::move(task), dataplane::net::use_future);
    context.run();
    outcome = result.get();
  }
  if (!outcome.ok()) return outcome.status();
  const TerminalOutcome told = AskOutcome(api, token, session, *std::move(outcome));
  TellOutcome(told, person);
  return told.exit_code;
}

}  // namespace fairlead::console
