// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Covers what a person at a terminal meets before there is one on the device: a tunnel's server
// that does not answer.
#include "console/connect.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <string>

#include "absl/strings/str_cat.h"
#include "console/testing/fake_api_client.h"
#include "console/testing/process_on_terminal.h"
#include "dataplane/asio.h"
#include "dataplane/testing/run.h"
#include "gtest/gtest.h"
#include "proto/session.pb.h"

namespace fairlead::console {
namespace {

using dataplane::net::ip::tcp;

// Connects to a device whose tunnel is at `port`.
int ConnectAt(int port) {
  ServerAddress server;
  server.url = absl::StrCat("https://127.0.0.1:", port);
  server.trust.sha256_fingerprint = std::string(64, 'a');
  FakeApiClient api;
  api.Answer<v1::CreateSessionRequest, v1::Session>(
      "SessionService.CreateSession", [port](const auto& request, auto& session) {
        session.set_device(request.device());
        session.set_console_url(
            absl::StrCat("wss://127.0.0.1:", port, "/console-connector/terminal"));
        session.set_console_ticket(std::string(43, 't'));
        return absl::OkStatus();
      });
  ConnectRequest request;
  request.device = "00E0C5000001";
  return Connect(api, "token", server, request).value_or(1);
}

TEST(Connect, AnInterruptWhileTheTunnelIsDialledEndsItAtOnce) {
  dataplane::net::io_context context;
  tcp::acceptor acceptor(context, tcp::endpoint(dataplane::net::ip::address_v4::loopback(), 0));
  const int port = acceptor.local_endpoint().port();
  ProcessOnTerminal process([port] { return ConnectAt(port); });
  process.AwaitShown("Connected to devices/00E0C5000001.");
  // Who is connected to, and says nothing, is being dialled.
  bool dialled = false;
  tcp::socket silent(context);
  acceptor.async_accept(silent, [&dialled](dataplane::error_code error) { dialled = !error; });
  ASSERT_TRUE(dataplane::testing::RunUntil(context, [&dialled] { return dialled; }));
  EXPECT_TRUE(process.IsCooked());

  process.Type("\x03");
  EXPECT_EQ(process.Wait(), 130);
  EXPECT_TRUE(process.IsCooked());
  EXPECT_TRUE(process.Echoes());
}

}  // namespace
}  // namespace fairlead::console
