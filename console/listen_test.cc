// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Covers terminals for outside clients: a scripted TCP client on one side, a scripted device behind
// a real listener on the other. Bytes untouched both ways, ends of either side, back-pressure.
#include "console/listen.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <future>
#include <string>

#include "base/status_matchers.h"
#include "console/testing/fake_api_client.h"
#include "dataplane/testing/test_server.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace fairlead::console {
namespace {

using dataplane::FrameKind;
using dataplane::WebSocket;
using dataplane::net::awaitable;
using dataplane::net::ip::tcp;
using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr char kPath[] = "/console-connector/terminal";

// What the device does, and what it has seen.
struct Device {
  // Reads this much before it sends.
  std::size_t await_input = 0;
  std::string output;
  std::string end_text;
  // A text frame sent first.
  std::string notice;
  // 0 waits for the Console to close.
  std::uint16_t close_code = 1000;
  std::string close_text;
  // Set by the test before the device reads on.
  std::shared_future<void> may_read;

  std::string input;
  std::vector<std::string> controls;
  std::promise<std::uint16_t> closed;
};

awaitable<bool> ReadOne(WebSocket& tunnel, Device& device) {
  const dataplane::Message message = co_await tunnel.ReadMessage();
  if (!message.open) {
    device.closed.set_value(message.close.code);
    co_return false;
  }
  if (message.kind == FrameKind::kText) {
    device.controls.push_back(message.payload);
  } else {
    device.input += message.payload;
  }
  co_return true;
}

awaitable<void> Play(std::unique_ptr<WebSocket> tunnel, Device& device) {
  absl::Status written = co_await tunnel->WriteText("{\"attached\":{\"resumeWindow\":\"0s\"}}");
  if (!written.ok()) co_return;
  if (!device.notice.empty()) written = co_await tunnel->WriteText(device.notice);
  if (!written.ok()) co_return;
  if (device.may_read.valid()) device.may_read.wait();
  while (device.input.size() < device.await_input) {
    if (!co_await ReadOne(*tunnel, device)) co_return;
  }
  for (std::size_t at = 0; at < device.output.size(); at += 100'000) {
    written = co_await tunnel->WriteBinary(device.output.substr(at, 100'000));
    if (!written.ok()) co_return;
  }
  if (!device.end_text.empty()) {
    written = co_await tunnel->WriteText(device.end_text);
    if (!written.ok()) co_return;
    const std::string all = "\"" + std::to_string(device.output.size()) + "\"";
    while (device.controls.empty() || device.controls.back().find(all) == std::string::npos) {
      if (!co_await ReadOne(*tunnel, device)) co_return;
    }
  }
  dataplane::CloseReason close;
  close.code = device.close_code;
  close.text = device.close_text;
  while (close.code == 0) {
    if (!co_await ReadOne(*tunnel, device)) co_return;
  }
  co_await tunnel->Close(close);
}

awaitable<void> Upgrade(std::unique_ptr<dataplane::PendingUpgrade> upgrade, Device& device) {
  auto accepted = co_await upgrade->Accept("fairlead.terminal.v1");
  if (accepted.ok()) co_await Play(*std::move(accepted), device);
}

dataplane::Router RouterOf(Device& device) {
  dataplane::Route route;
  route.pattern = kPath;
  route.on_upgrade = [&device](dataplane::HttpRequest,
                               std::unique_ptr<dataplane::PendingUpgrade> upgrade) {
    return Upgrade(std::move(upgrade), device);
  };
  dataplane::Router router;
  router.Add(std::move(route));
  return router;
}

// The outside client.
class Client {
 public:
  explicit Client(const tcp::endpoint& address) : fd_(socket(AF_INET, SOCK_STREAM, 0)) {
    EXPECT_EQ(connect(fd_, address.data(), static_cast<socklen_t>(address.size())), 0);
  }
  ~Client() { Close(); }

  void Send(const std::string& bytes) {
    ASSERT_EQ(send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(bytes.size()));
  }
  // Sends until nothing more is taken for a while, at most `limit` bytes; gives how many were.
  std::size_t SendUntilFull(std::size_t limit) {
    const std::string chunk(64 * 1024, 'x');
    std::size_t sent = 0;
    pollfd ready{fd_, POLLOUT, 0};
    while (sent < limit && poll(&ready, 1, 1000) == 1) {
      const ssize_t n = send(fd_, chunk.data(), chunk.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
      if (n > 0) sent += static_cast<std::size_t>(n);
    }
    return sent;
  }
  void EndSending() { shutdown(fd_, SHUT_WR); }
  void Close() {
    if (fd_ >= 0) close(fd_);
    fd_ = -1;
  }
  std::string ReadToEnd() {
    std::string all;
    char bytes[65536];
    ssize_t n = 0;
    while ((n = read(fd_, bytes, sizeof(bytes))) > 0)
      all.append(bytes, static_cast<std::size_t>(n));
    EXPECT_EQ(n, 0) << "reset";
    Close();
    return all;
  }

 private:
  int fd_;
};

class ListenTest : public ::testing::Test {
 protected:
  ListenTest() : router_(RouterOf(device_)), server_(router_) {
    api_.Answer<v1::CreateSessionRequest, v1::Session>(
        "SessionService.CreateSession",
        [this](const v1::CreateSessionRequest& request, v1::Session& session) {
          session.set_name("sessions/1");
          session.set_device(request.device());
          session.set_stream(stream_);
          session.set_console_ticket(std::string(43, 'a'));
          session.set_console_url("wss://" + dataplane::HostHeader(server_.At("/")) + kPath);
          return refusal_;
        });
    address_.trust.ca_pem = server_.ca().pem();
    address_.url = "https://" + dataplane::HostHeader(server_.At("/"));
  }

  // Listens in a thread; gives where.
  tcp::endpoint Start() {
    std::promise<tcp::endpoint> listening;
    ListenOptions options;
    options.address = *ParseListenAddress("127.0.0.1:0", RemoteClients::kRefused);
    options.on_listening = [&listening](const tcp::endpoint& at) { listening.set_value(at); };
    served_ = std::async(std::launch::async, [this, options] {
      return Listen(api_, "token", address_, {"unit", "", ""}, options);
    });
    return listening.get_future().get();
  }

  Device device_;
  dataplane::Router router_;
  dataplane::testing::TestServer server_;
  FakeApiClient api_;
  ServerAddress address_;
  v1::Session::Stream stream_ = v1::Session::PTY;
  absl::Status refusal_;
  std::future<absl::StatusOr<int>> served_;
};

std::string AllBytes(std::size_t size) {
  std::string bytes;
  for (std::size_t i = 0; i < size; ++i) bytes.push_back(static_cast<char>(i * 7 + i / 256));
  return bytes;
}

TEST_F(ListenTest, PassesTheBytesOfAPseudoTerminalAndAcknowledgesThem) {
  device_.await_input = 256;
  device_.output = AllBytes(3'000'000);
  device_.end_text = R"({"end":{"exitCode":7,"totalBytes":"3000000"}})";
  Client client(Start());
  client.Send(AllBytes(256));

  EXPECT_TRUE(client.ReadToEnd() == device_.output);
  EXPECT_EQ(*served_.get(), 7);
  EXPECT_EQ(device_.input, AllBytes(256));
}

TEST_F(ListenTest, PassesATelnetStreamUntouchedAndWithoutTextFrames) {
  stream_ = v1::Session::TELNET;
  device_.await_input = 6;
  device_.output = std::string("\xff\xfb\x01\xff\xfd\x1f\r\0\xff\xff$ ", 12);
  Client client(Start());
  client.Send("\xff\xfd\x01ls\r");

  EXPECT_EQ(client.ReadToEnd(), device_.output);
  EXPECT_EQ(*served_.get(), 255);
  EXPECT_EQ(device_.input, "\xff\xfd\x01ls\r");
  EXPECT_TRUE(device_.controls.empty());
}

TEST_F(ListenTest, ATelnetProgramsEndIsWhatTheServerSays) {
  stream_ = v1::Session::TELNET;
  api_.Answer<v1::GetSessionRequest, v1::Session>(
      "SessionService.GetSession", [](const v1::GetSessionRequest& request, v1::Session& session) {
        EXPECT_EQ(request.name(), "sessions/1");
        session.set_state(v1::Session::ENDED);
        session.mutable_end()->set_exit_code(7);
        return absl::OkStatus();
      });
  Client client(Start());
  client.ReadToEnd();

  EXPECT_EQ(*served_.get(), 7);
}

TEST_F(ListenTest, WhatADeviceSaysDoesNotDriveTheTerminal) {
  const std::string hostile = "a\x1b[2J\r\n\a\xC2\x9B\xE2\x80\xAEz";
  device_.notice = R"({"notice":{"text":"a\u001b[2J\r\n\u0007\u009b\u202ez"}})";
  device_.close_code = 4410;
  device_.close_text = hostile;
  ::testing::internal::CaptureStderr();
  Client client(Start());
  client.ReadToEnd();
  EXPECT_EQ(*served_.get(), 255);

  EXPECT_THAT(::testing::internal::GetCapturedStderr(),
              AllOf(HasSubstr("fairlead: a?[2J?????z\n"),
                    HasSubstr("fairlead: a?[2J?????z (code 4410)\n")));
}

TEST_F(ListenTest, AClientThatEndsItsSendingWaitsForTheSessionsEnd) {
  device_.await_input = 5;
  device_.output = AllBytes(500'000);
  device_.end_text = R"({"end":{"exitCode":0,"totalBytes":"500000"}})";
  Client client(Start());
  client.Send("exit\n");
  client.EndSending();

  EXPECT_TRUE(client.ReadToEnd() == device_.output);
  EXPECT_EQ(*served_.get(), 0);
  EXPECT_EQ(device_.input, "exit\n");
}

TEST_F(ListenTest, AClientThatHangsUpHangsUpTheSession) {
  device_.close_code = 0;
  Client client(Start());
  client.Send("half a li");
  client.Close();

  EXPECT_EQ(*served_.get(), 0);
  EXPECT_EQ(device_.closed.get_future().get(), 1000);
  EXPECT_EQ(device_.input, "half a li");
}

TEST_F(ListenTest, AClientThatVanishesWhileOutputFlowsHangsUpTheSession) {
  device_.output = AllBytes(40'000'000);
  device_.close_code = 0;
  {
    Client client(Start());
    client.Send("x");
  }

  EXPECT_EQ(*served_.get(), 0);
}

TEST_F(ListenTest, ADeviceThatDoesNotReadStopsTheClient) {
  constexpr std::size_t kLimit = 256 << 20;
  std::promise<void> read_on;
  device_.may_read = read_on.get_future().share();
  device_.close_code = 0;
  Client client(Start());
  const std::size_t sent = client.SendUntilFull(kLimit);
  EXPECT_LT(sent, kLimit / 2);
  read_on.set_value();
  client.EndSending();
  client.Close();

  EXPECT_EQ(*served_.get(), 0);
  EXPECT_EQ(device_.closed.get_future().get(), 1000);
  EXPECT_EQ(device_.input.size(), sent);
}

TEST_F(ListenTest, ARefusedSessionIsToldAndEndsTheClient) {
  refusal_ = absl::FailedPreconditionError("devices/unit is offline");
  Client client(Start());

  EXPECT_EQ(client.ReadToEnd(), "");
  EXPECT_THAT(served_.get(),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("is offline")));
}

TEST(ParseListenAddress, TakesLoopbackAddressesAndOthersOnlyIfAllowed) {
  const auto text = [](absl::string_view address, RemoteClients remote) {
    const auto parsed = ParseListenAddress(address, remote);
    return parsed.ok() ? parsed->address().to_string() + " " + std::to_string(parsed->port())
                       : std::string(parsed.status().message());
  };
  EXPECT_EQ(text("127.0.0.1:2323", RemoteClients::kRefused), "127.0.0.1 2323");
  EXPECT_EQ(text("[::1]:0", RemoteClients::kRefused), "::1 0");
  EXPECT_EQ(text("localhost:5", RemoteClients::kRefused), "127.0.0.1 5");
  EXPECT_EQ(text("2323", RemoteClients::kRefused), "127.0.0.1 2323");
  EXPECT_EQ(text("0.0.0.0:1", RemoteClients::kAllowed), "0.0.0.0 1");
  EXPECT_THAT(text("0.0.0.0:1", RemoteClients::kRefused), HasSubstr("--allow_remote"));
  EXPECT_THAT(text("192.0.2.1:1", RemoteClients::kRefused), HasSubstr("without a password"));
  for (const char* bad : {"", "x", "127.0.0.1:", "127.0.0.1:65536", "host:1", "127.0.0.1:-1"}) {
    EXPECT_THAT(ParseListenAddress(bad, RemoteClients::kAllowed),
                StatusIs(absl::StatusCode::kInvalidArgument))
        << bad;
  }
}

}  // namespace
}  // namespace fairlead::console
