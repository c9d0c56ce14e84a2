// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Which Consoles the relay asks how far they have read: browsers, which answer whatever they do,
// and no others, who may stop to read until their answer is taken.
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/clock.h"
#include "base/status_matchers.h"
#include "dataplane/client.h"
#include "dataplane/frame_codec.h"
#include "dataplane/io_threads.h"
#include "dataplane/relay.h"
#include "dataplane/send_window.h"
#include "dataplane/testing/relay_fixture.h"
#include "dataplane/testing/test_server.h"
#include "dataplane/ticket_register.h"
#include "dataplane/tls_stream.h"
#include "gtest/gtest.h"

namespace fairlead::dataplane {
namespace {

// More than is sent between two pings, less than what is sent without an answer.
constexpr std::size_t kOutputBytes = SendWindow::kBytes - 1;

// What a Console read of the output.
struct Seen {
  std::size_t bytes = 0;
  int pings = 0;
};

// Upgrades with `headers` and reads all of the output, without an answer to any ping.
net::awaitable<Seen> ReadOutput(Endpoint endpoint, DialOptions options, std::string headers) {
  Seen seen;
  auto dialled = co_await DialTls(endpoint, options);
  if (!dialled.ok()) co_return seen;
  const std::unique_ptr<TlsStream> stream = *std::move(dialled);
  const std::string request =
      absl::StrCat("GET ", endpoint.target, " HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\n",
                   "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n",
                   "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n", headers, "\r\n");
  co_await stream->async_write_some(net::buffer(request), kToken);
  std::string head;
  while (head.find("\r\n\r\n") == std::string::npos) {
    char byte = 0;
    auto [error, size] = co_await stream->async_read_some(net::buffer(&byte, 1), kToken);
    if (error) co_return seen;
    head.push_back(byte);
  }
  FrameReader reader(FrameRole::kClient, kMaxMessageBytes);
  std::string buffer(64 * 1024, '\0');
  const net::mutable_buffer room = net::buffer(buffer);
  while (seen.bytes < kOutputBytes) {
    auto [error, size] = co_await stream->async_read_some(room, kToken);
    if (error) break;
    auto* const begin = reinterpret_cast<std::uint8_t*>(buffer.data());
    std::span<const std::uint8_t> input(begin, size);
    for (auto event = reader.Next(input); event != FrameReader::Event::kNeedsInput;
         event = reader.Next(input)) {
      if (event == FrameReader::Event::kClose || event == FrameReader::Event::kFailed) {
        co_return seen;
      }
      if (event == FrameReader::Event::kPing) ++seen.pings;
      if (event != FrameReader::Event::kData) continue;
      if (reader.kind() == FrameKind::kBinary) seen.bytes += reader.size();
      reader.Take(begin);
    }
  }
  stream->Close();
  co_return seen;
}

net::awaitable<absl::Status> WriteOutput(Endpoint endpoint, DialOptions options) {
  const std::vector<std::string> subprotocols;
  const HttpHeaders headers;
  auto device = co_await DialWebSocket(endpoint, options, subprotocols, headers);
  if (!device.ok()) co_return device.status();
  const std::string output(kOutputBytes, 'x');
  const absl::Status written = co_await device->websocket->WriteBinary(output);
  if (!written.ok()) co_return written;
  // The Console goes when it has all.
  Message message;
  do {
    message = co_await device->websocket->ReadMessage();
  } while (message.open);
  co_return absl::OkStatus();
}

class RelayBrowserTest : public ::testing::Test {
 protected:
  RelayBrowserTest() {
    for (const Side side : kSides) {
      Route route;
      route.pattern = absl::StrCat("/", TicketOf(side));
      route.on_upgrade = [this, side](HttpRequest, std::unique_ptr<PendingUpgrade> upgrade) {
        return Serve(side, std::move(upgrade));
      };
      router_.Add(std::move(route));
    }
    SessionSpec spec;
    spec.session_id = "s";
    spec.console_ticket_sha256 = HashTicket(TicketOf(Side::kConsole));
    spec.device_ticket_sha256 = HashTicket(TicketOf(Side::kDevice));
    spec.unacknowledged = true;
    EXPECT_THAT(relay_.Register(spec), IsOk());
  }

  // Nothing may run any more when the relay goes.
  void TearDown() override {
    server_.EndConnections();
    threads_.Stop();
  }

  static std::string TicketOf(Side side) { return side == Side::kConsole ? "console" : "device"; }

  net::awaitable<void> Serve(Side side, std::unique_ptr<PendingUpgrade> upgrade) {
    Claim claim = relay_.ClaimTicket(TicketOf(side), side, "", PeerInfo());
    const net::any_io_executor executor = claim.executor;
    upgrade->MoveTo(executor);
    co_await net::co_spawn(executor, Attach(std::move(claim), std::move(upgrade)), kToken);
  }

  net::awaitable<void> Attach(Claim claim, std::unique_ptr<PendingUpgrade> upgrade) {
    std::unique_ptr<TunnelLeg> leg = upgrade->AcceptTunnel("");
    co_await relay_.Serve(std::move(claim), std::move(leg));
  }

  // A session in which the device sends the output; what a Console with these headers saw.
  Seen SeenWith(const std::string& headers) {
    auto device =
        net::co_spawn(server_.client_executor(),
                      WriteOutput(server_.At("/device"), server_.Options()), net::use_future);
    const Seen seen = server_.Run(ReadOutput(server_.At("/console"), server_.Options(), headers));
    EXPECT_THAT(device.get(), IsOk());
    return seen;
  }

  IoThreads threads_{1};
  RecordingObserver observer_;
  Relay relay_{threads_, observer_, SystemClock(), RelayOptions()};
  Router router_;
  testing::TestServer server_{router_};
};

TEST_F(RelayBrowserTest, ABrowserIsAsked) {
  const Seen seen = SeenWith("Origin: https://localhost\r\n");
  EXPECT_EQ(seen.bytes, kOutputBytes);
  EXPECT_GE(seen.pings, 1);
}

TEST_F(RelayBrowserTest, AnotherConsoleIsNot) {
  const Seen seen = SeenWith("");
  EXPECT_EQ(seen.bytes, kOutputBytes);
  EXPECT_EQ(seen.pings, 0);
}

}  // namespace
}  // namespace fairlead::dataplane
