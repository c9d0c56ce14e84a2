// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// See listen.h.
#include "console/listen.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>
#include <future>
#include <optional>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "base/status.h"
#include "console/ask_outcome.h"
#include "console/socket_io.h"
#include "console/tell.h"
#include "console/terminal_client.h"

namespace fairlead::console {

using dataplane::error_code;
using dataplane::kToken;
using dataplane::net::awaitable;
using dataplane::net::ip::tcp;

namespace {

// For the client's last bytes to reach it.
constexpr absl::Duration kFinishTimeout = absl::Seconds(5);
// Clients beyond the one that is served wait in the kernel's queue.
constexpr int kBacklog = 8;

std::string AddressText(const tcp::endpoint& endpoint) {
  const std::string host = endpoint.address().to_string();
  return endpoint.address().is_v6() ? absl::StrCat("[", host, "]:", endpoint.port())
                                    : absl::StrCat(host, ":", endpoint.port());
}

absl::StatusOr<tcp::acceptor> OpenAcceptor(dataplane::net::io_context& context,
                                           const tcp::endpoint& address) {
  tcp::acceptor acceptor(context);
  error_code error;
  acceptor.open(address.protocol(), error);
  if (!error) acceptor.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error) acceptor.bind(address, error);
  if (!error) acceptor.listen(kBacklog, error);
  if (error) {
    return absl::UnavailableError(absl::StrCat("cannot listen on ", AddressText(address), ": ",
                                               error.message(),
                                               "; give another port, or 0 for a free one"));
  }
  return acceptor;
}

awaitable<absl::StatusOr<tcp::socket>> Accept(tcp::acceptor& acceptor) {
  auto [error, socket] = co_await acceptor.async_accept(kToken);
  if (error) {
    co_return absl::UnavailableError(absl::StrCat("cannot accept a client: ", error.message()));
  }
  co_return std::move(socket);
}

awaitable<absl::StatusOr<TerminalOutcome>> Serve(dataplane::net::io_context& context,
                                                 tcp::socket client, const v1::Session& session,
                                                 const ServerAddress& server) {
  auto tunnel = co_await DialTunnel(server, session);
  if (!tunnel.ok()) co_return tunnel.status();
  TerminalOptions options;
  options.input = InputKind::kClient;
  options.stream = session.stream() == v1::Session::TELNET ? StreamKind::kTelnet : StreamKind::kPty;
  SocketIo io(std::move(client));
  TerminalClient terminal(context, *std::move(tunnel), io, options);
  TerminalOutcome outcome = co_await terminal.Serve();
  co_await io.Finish(kFinishTimeout);
  co_return outcome;
}

// Runs `task` to its end on this thread.
template <typename T>
T RunIn(dataplane::net::io_context& context, awaitable<T> task) {
  std::future<T> result =
      dataplane::net::co_spawn(context, std::move(task), dataplane::net::use_future);
  context.restart();
  context.run();
  return result.get();
}

// Opens a session for `client` and serves it. If there is none, `client` stays with the caller.
absl::StatusOr<int> ServeOne(dataplane::net::io_context& context, tcp::socket& client,
                             ApiClient& api, const std::string& token, const ServerAddress& server,
                             const ConnectRequest& request) {
  FAIRLEAD_ASSIGN_OR_RETURN(const v1::Session session,
                            OpenSession(api, token, request, terminal::WindowSize()));
  FAIRLEAD_ASSIGN_OR_RETURN(TerminalOutcome served,
                            RunIn(context, Serve(context, std::move(client), session, server)));
  const TerminalOutcome outcome = AskOutcome(api, token, session, std::move(served));
  if (!outcome.message.empty()) Tell(outcome.message);
  return outcome.exit_code;
}

}  // namespace

absl::StatusOr<tcp::endpoint> ParseListenAddress(absl::string_view text, RemoteClients remote) {
  const std::size_t colon = text.rfind(':');
  absl::string_view host = colon == absl::string_view::npos ? "127.0.0.1" : text.substr(0, colon);
  const absl::string_view port = colon == absl::string_view::npos ? text : text.substr(colon + 1);
  if (absl::StartsWith(host, "[") && absl::EndsWith(host, "]")) {
    host = host.substr(1, host.size() - 2);
  }
  if (host == "localhost") host = "127.0.0.1";
  error_code error;
  const auto address = dataplane::net::ip::make_address(std::string(host), error);
  std::uint32_t number = 0;
  if (error || !absl::SimpleAtoi(port, &number) || number > 65535) {
    return absl::InvalidArgumentError(absl::StrCat(
        "\"", text, "\" is not an address to listen on: give HOST:PORT, for example 127.0.0.1:0"));
  }
  if (!address.is_loopback() && remote == RemoteClients::kRefused) {
    return absl::PermissionDeniedError(absl::StrCat(
        "whoever can reach ", host,
        " would get a terminal in your name, without a password and "
        "unencrypted: listen on 127.0.0.1, or give --allow_remote if that is what you want"));
  }
  return tcp::endpoint(address, static_cast<std::uint16_t>(number));
}

absl::StatusOr<int> Listen(ApiClient& api, const std::string& token, const ServerAddress& server,
                           const ConnectRequest& request, const ListenOptions& options) {
  dataplane::net::io_context context(1);
  FAIRLEAD_ASSIGN_OR_RETURN(tcp::acceptor acceptor, OpenAcceptor(context, options.address));
  TellCalmly(absl::StrCat("listening on ", AddressText(acceptor.local_endpoint())));
  if (options.on_listening) options.on_listening(acceptor.local_endpoint());
  while (true) {
    FAIRLEAD_ASSIGN_OR_RETURN(tcp::socket client, RunIn(context, Accept(acceptor)));
    const absl::StatusOr<int> served = ServeOne(context, client, api, token, server, request);
    if (!options.keep) return served;
    // Before the client sees its end.
    if (!served.ok()) Tell(served.status().message());
  }
}

}  // namespace fairlead::console
