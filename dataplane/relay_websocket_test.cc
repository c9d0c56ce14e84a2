// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// The relay over real WebSockets, TLS and sockets: the bytes that a device sent before it closed
// reach the Console whatever the Console sends meanwhile, also when the device is long gone.
#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/clock.h"
#include "base/status_matchers.h"
#include "dataplane/beast_websocket.h"
#include "dataplane/relay.h"
#include "dataplane/testing/run.h"
#include "dataplane/testing/test_pki.h"
#include "dataplane/ticket_register.h"
#include "dataplane/tls_context.h"
#include "dataplane/tls_stream.h"
#include "dataplane/tunnel_accept.h"
#include "gtest/gtest.h"

namespace fairlead::dataplane {
namespace {

using ::fairlead::dataplane::testing::SocketPair;
using ::fairlead::dataplane::testing::Task;
using ::fairlead::dataplane::testing::TestCa;
using Role = TlsStream::Role;

constexpr absl::Duration kLong = absl::Seconds(30);

class EndObserver : public RelayObserver {
 public:
  void OnAttached(absl::string_view, Side) override {}
  void OnDataFlowing(absl::string_view) override {}
  void OnEnded(absl::string_view, const RelayEnd& end) override { last_end = end; }
  void OnRefused(absl::string_view, Side, const PeerInfo&, const CloseReason&) override {}

  RelayEnd last_end;
};

// What the Console read in all.
struct Received {
  std::string bytes;
  CloseReason close;
};

// Reads the request of a WebSocket handshake and gives its key.
net::awaitable<std::string> ReadKey(TlsStream& stream) {
  std::string head;
  while (head.find("\r\n\r\n") == std::string::npos) {
    char byte = 0;
    auto [error, size] = co_await stream.async_read_some(net::buffer(&byte, 1), kToken);
    if (error) co_return "";
    head.push_back(byte);
  }
  const std::string name = "Sec-WebSocket-Key: ";
  const std::size_t begin = head.find(name) + name.size();
  co_return head.substr(begin, head.find("\r\n", begin) - begin);
}

// The relay's end: true once the leg was served. Its handshake is answered when the relay has it.
net::awaitable<bool> Serve(Relay& relay, Claim claim, std::unique_ptr<TlsStream> stream) {
  const absl::Status status = co_await stream->Handshake(kLong, "", nullptr);
  if (!status.ok()) co_return false;
  const std::string key = co_await ReadKey(*stream);
  PeerInfo peer;
  std::unique_ptr<TunnelLeg> leg = AcceptTunnel(std::move(stream), peer, key, "");
  co_await relay.Serve(std::move(claim), std::move(leg));
  co_return true;
}

net::awaitable<std::unique_ptr<WebSocket>> Dial(std::unique_ptr<TlsStream> stream,
                                                KeepAliveOptions keep_alive) {
  const absl::Status status = co_await stream->Handshake(kLong, "localhost", nullptr);
  if (!status.ok()) co_return nullptr;
  WebSocketHandshake handshake;
  handshake.host = "localhost";
  handshake.target = "/";
  PeerInfo peer;
  auto result = co_await HandshakeWebSocket(std::move(stream), peer, handshake, keep_alive);
  co_return result.ok() ? std::move(result->websocket) : nullptr;
}

net::awaitable<Received> ReadAll(WebSocket& websocket) {
  Received received;
  for (;;) {
    const Message message = co_await websocket.ReadMessage();
    if (!message.open) {
      received.close = message.close;
      co_return received;
    }
    if (message.kind == FrameKind::kBinary) received.bytes += message.payload;
  }
}

net::awaitable<int> WriteMany(WebSocket& websocket, std::string message, int count) {
  int written = 0;
  while (written < count) {
    const absl::Status status = co_await websocket.WriteBinary(message);
    if (!status.ok()) break;
    ++written;
  }
  co_return written;
}

net::awaitable<bool> WriteAndClose(std::unique_ptr<WebSocket> websocket, std::string message) {
  const absl::Status status = co_await websocket->WriteBinary(message);
  CloseReason reason;
  reason.code = kCloseNormal;
  reason.text = "exited";
  co_await websocket->Close(reason);
  co_return status.ok();
}

class RelayWebSocketTest : public ::testing::Test {
 protected:
  RelayWebSocketTest() {
    server_tls_ = TlsServerContext::Create(ca_.Issue({}), ca_.pem()).value();
    TlsTrust trust;
    trust.ca_pem = ca_.pem();
    client_tls_ = TlsClientContext::Create(trust, nullptr, {}).value();
  }

  // A leg over loopback: the peer's end.
  std::unique_ptr<WebSocket> Connect(Side side, const std::string& id,
                                     KeepAliveOptions keep_alive = KeepAliveOptions()) {
    SocketPair sockets(context_);
    auto server = std::make_unique<TlsStream>(std::move(sockets.server), server_tls_->Acquire(),
                                              Role::kServer);
    auto client = std::make_unique<TlsStream>(std::move(sockets.client), client_tls_->Acquire(),
                                              Role::kClient);
    served_.push_back(std::make_unique<Task<bool>>(
        context_, Serve(relay_, ClaimSide(side, id), std::move(server))));
    return Task<std::unique_ptr<WebSocket>>(context_, Dial(std::move(client), keep_alive)).Get();
  }

  void Register(const std::string& id) {
    SessionSpec spec;
    spec.session_id = id;
    spec.console_ticket_sha256 = HashTicket("console-" + id);
    spec.device_ticket_sha256 = HashTicket("device-" + id);
    ASSERT_THAT(relay_.Register(spec), IsOk());
  }

  Claim ClaimSide(Side side, const std::string& id) {
    const std::string ticket = (side == Side::kConsole ? "console-" : "device-") + id;
    return relay_.ClaimTicket(ticket, side, "", PeerInfo());
  }

  enum class DeviceGoes { kBeforeTheConsoleComes, kWhileTheConsoleSends };

  // A session in which the device sends `output`, closes, and takes no input.
  void RunSession(const std::string& id, const std::string& output, DeviceGoes goes) {
    Register(id);
    // A closing device does not wait long.
    KeepAliveOptions hasty;
    hasty.close_timeout = absl::Milliseconds(20);
    std::unique_ptr<WebSocket> device = Connect(Side::kDevice, id, hasty);
    ASSERT_NE(device, nullptr);
    std::unique_ptr<WebSocket> console;
    if (goes == DeviceGoes::kWhileTheConsoleSends) console = Connect(Side::kConsole, id);
    Task<bool> device_done(context_, WriteAndClose(std::move(device), output));
    if (goes == DeviceGoes::kBeforeTheConsoleComes) {
      ASSERT_TRUE(device_done.Get());
      console = Connect(Side::kConsole, id);
    }
    ASSERT_NE(console, nullptr);
    Task<int> input(context_, WriteMany(*console, std::string(50, 'i'), 200));
    const Received received = Task<Received>(context_, ReadAll(*console)).Get();
    input.Get();
    for (const auto& served : served_) ASSERT_TRUE(served->Get());
    served_.clear();
    AwaitNoLegs();

    ASSERT_EQ(received.bytes.size(), output.size()) << id;
    ASSERT_TRUE(received.bytes == output) << id;
    EXPECT_EQ(received.close.code, kCloseNormal) << id << ": " << received.close.text;
    EXPECT_EQ(received.close.text, "exited") << id;
    EXPECT_EQ(observer_.last_end.bytes_to_console, output.size()) << id;
    EXPECT_EQ(relay_.counters().legs_now, 0u);
  }

  void AwaitNoLegs() {
    const absl::Duration deadline = SystemClock().Monotonic() + absl::Seconds(10);
    while (relay_.counters().legs_now > 0 && SystemClock().Monotonic() < deadline) {
      context_.restart();
      context_.run_one_for(std::chrono::milliseconds(100));
    }
  }

  static RelayOptions Options() {
    RelayOptions options;
    options.attached_text = "{\"attached\":{}}";
    options.peer_attached_text = "{\"peer\":{}}";
    return options;
  }

  const TestCa ca_;
  std::shared_ptr<TlsServerContext> server_tls_;
  std::shared_ptr<TlsClientContext> client_tls_;
  net::io_context context_;
  EndObserver observer_;
  Relay relay_{
      [this](absl::string_view) -> net::any_io_executor { return context_.get_executor(); },
      observer_, SystemClock(), Options()};
  std::vector<std::unique_ptr<Task<bool>>> served_;
};

TEST_F(RelayWebSocketTest, DeliversAllOfADeviceThatIsLongGone) {
  for (int run = 0; run < 20; ++run) {
    RunSession(absl::StrCat("s", run), std::string(1 + run * 2000, 'x'),
               DeviceGoes::kBeforeTheConsoleComes);
    if (HasFailure()) return;
  }
}

TEST_F(RelayWebSocketTest, DeliversTheTailWhileTheConsoleSends) {
  for (int run = 0; run < 100; ++run) {
    const std::size_t size = run % 10 == 9 ? 1'000'000 : 1 + run;
    RunSession(absl::StrCat("s", run), std::string(size, 'x'), DeviceGoes::kWhileTheConsoleSends);
    if (HasFailure()) return;
  }
}

}  // namespace
}  // namespace fairlead::dataplane
