// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// The device hub over WebSockets in memory: what devices say and are told, and how connections end.
// Who is let in is in device_hub_admission_test.cc.
#include "gateway/device_hub.h"

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "gateway/testing/device_hub_fixture.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace fairlead::gateway {
namespace {

using dataplane::CloseReason;
using dataplane::FakeWebSocketOptions;
using dataplane::Message;
using dataplane::WebSocket;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::string Heartbeat() {
  v1::DeviceMessage message;
  message.mutable_heartbeat();
  return message.SerializeAsString();
}

std::string Ended(const std::string& session) {
  v1::DeviceMessage message;
  message.mutable_terminal_ended()->set_session_id(session);
  return message.SerializeAsString();
}

v1::ServerMessage Close(const std::string& session) {
  v1::ServerMessage message;
  message.mutable_close_terminal()->set_session_id(session);
  return message;
}

dataplane::net::awaitable<void> SayAll(WebSocket& end, std::vector<std::string> messages) {
  for (const std::string& bytes : messages) {
    const absl::Status written = co_await end.WriteBinary(bytes);
    if (!written.ok()) co_return;
  }
}

TEST_F(DeviceHubTest, TellsOfADeviceThatComesSpeaksAndGoes) {
  Device device = Connect("a");
  const v1::DeviceConnected connected = sink_.events()[0].device_connected();
  EXPECT_EQ(connected.hello().agent_version(), "1.0");
  EXPECT_EQ(connected.peer_address(), "192.0.2.1:4711");
  EXPECT_EQ(connected.certificate_fingerprint(), "print-a");
  EXPECT_EQ(connected.since_time().seconds(), absl::ToUnixSeconds(clock_.Now()));

  Say(device, Ended("s1"));
  Say(device, Heartbeat());
  Say(device, std::string("\x9a\x06\x03"
                          "abc",
                          6));
  Await(io_, device.end->Close(CloseReason{1000, "done"}));
  RunUntil(io_, [&] { return *device.served; });

  EXPECT_THAT(Told(), ElementsAre("+a/1", "a/1:3", "-a/1"));
  EXPECT_THAT(sink_.events()[2].device_disconnected().reason(), HasSubstr("1000: done"));
  EXPECT_EQ(hub_->open_connections(), 0u);
  EXPECT_EQ(hub_->counters().messages_received, 3u);
}

TEST_F(DeviceHubTest, BringsMessagesInOrder) {
  Device device = Connect("a");

  EXPECT_THAT(hub_->Send("a", Close("s1")), IsOk());
  EXPECT_THAT(hub_->Send("a", Close("s2")), IsOk());
  EXPECT_THAT(hub_->Send("b", Close("s3")), StatusIs(absl::StatusCode::kNotFound));

  for (const char* session : {"s1", "s2"}) {
    const Message message = Await(io_, device.end->ReadMessage());
    EXPECT_EQ(message.kind, dataplane::FrameKind::kBinary);
    v1::ServerMessage parsed;
    ASSERT_TRUE(parsed.ParseFromString(message.payload));
    EXPECT_EQ(parsed.close_terminal().session_id(), session);
  }
}

TEST_F(DeviceHubTest, ClosesWhenTheHelloDoesNotCome) {
  options_.hello_timeout = absl::Milliseconds(1);
  Restart();
  Device device = Dial("a");

  const CloseReason end = End(device);

  EXPECT_EQ(end.code, 4408);
  EXPECT_THAT(end.text, HasSubstr("hello"));
  EXPECT_THAT(Told(), IsEmpty());
}

struct BadMessage {
  const char* name;
  std::string bytes;
  bool after_hello;
  std::uint16_t code;
};

class DeviceHubBadMessageTest : public DeviceHubTest,
                                public ::testing::WithParamInterface<BadMessage> {};

TEST_P(DeviceHubBadMessageTest, IsClosed) {
  Device device = GetParam().after_hello ? Connect("a") : Dial("a");

  Say(device, GetParam().bytes);

  EXPECT_EQ(End(device).code, GetParam().code);
  if (GetParam().after_hello) {
    EXPECT_THAT(Told(), ElementsAre("+a/1", "-a/1"));
  } else {
    EXPECT_THAT(Told(), IsEmpty());
  }
  EXPECT_EQ(hub_->open_connections(), 0u);
}

INSTANTIATE_TEST_SUITE_P(
    All, DeviceHubBadMessageTest,
    ::testing::Values(BadMessage{"GarbageFirst", "\xff\xff", false, 4400},
                      BadMessage{"EmptyFirst", "", false, 4400},
                      BadMessage{"HeartbeatFirst", Heartbeat(), false, 4400},
                      BadMessage{"GarbageLater", "\xff\xff", true, 4400},
                      BadMessage{"HelloTwice", Hello(), true, 4400},
                      BadMessage{"TooBigFirst", std::string(64 * 1024 + 1, 'x'), false, 1009},
                      BadMessage{"TooBigLater", std::string(64 * 1024 + 1, 'x'), true, 1009}),
    [](const auto& info) { return info.param.name; });

TEST_F(DeviceHubTest, ATextFrameIsMalformed) {
  Device device = Connect("a");

  EXPECT_THAT(Await(io_, device.end->WriteText("{}")), IsOk());

  const CloseReason end = End(device);
  EXPECT_EQ(end.code, 4400);
  EXPECT_THAT(end.text, HasSubstr("binary"));
}

TEST_F(DeviceHubTest, ANewerConnectionTakesThePlace) {
  Device first = Connect("a");
  Device second = Connect("a");

  const CloseReason end = End(first);

  EXPECT_EQ(end.code, 4409);
  EXPECT_THAT(end.text, HasSubstr("newer connection"));
  EXPECT_THAT(Told(), ElementsAre("+a/1", "-a/1", "+a/2"));
  EXPECT_EQ(hub_->counters().connected_now, 1u);

  // Messages go to the newer one.
  EXPECT_THAT(hub_->Send("a", Close("s1")), IsOk());
  EXPECT_TRUE(Await(io_, second.end->ReadMessage()).open);
}

TEST_F(DeviceHubTest, ARevokedCertificateIsClosedAndRefused) {
  Device device = Connect("a");
  Device other = Connect("b");

  hub_->Revoke({"print-a"});

  EXPECT_THAT(Told(), ElementsAre("+a/1", "+b/2", "-a/1"));
  EXPECT_EQ(End(device).code, 4403);
  EXPECT_TRUE(hub_->IsRevoked("print-a"));

  Device again = Dial("a");
  Say(again, Hello());
  EXPECT_EQ(End(again).code, 4403);
  EXPECT_EQ(Told().size(), 3u);

  hub_->SetRevoked({"print-b"});
  EXPECT_EQ(End(other).code, 4403);
  EXPECT_FALSE(hub_->IsRevoked("print-a"));
}

TEST_F(DeviceHubTest, DropTellsAtOnce) {
  Device device = Connect("a");

  hub_->Drop("a", CloseReason{4410, "The device was deleted."});
  hub_->Drop("b", CloseReason{4410, "The device was deleted."});

  EXPECT_THAT(Told(), ElementsAre("+a/1", "-a/1"));
  EXPECT_EQ(sink_.events()[1].device_disconnected().reason(), "The device was deleted.");
  EXPECT_THAT(hub_->Send("a", Close("s1")), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_EQ(End(device).code, 4410);
}

TEST_F(DeviceHubTest, AFullQueueClosesTheConnection) {
  options_.queue.max_messages = 4;
  Restart();
  FakeWebSocketOptions narrow;
  narrow.buffer_bytes = 8;
  Device device = Dial("a", narrow);
  Say(device, Hello());
  RunUntil(io_, [&] { return Told().size() == 1; });

  for (int i = 0; i < 4; ++i) EXPECT_THAT(hub_->Send("a", Close("session")), IsOk());
  EXPECT_THAT(hub_->Send("a", Close("session")), StatusIs(absl::StatusCode::kResourceExhausted));

  const CloseReason end = End(device);
  EXPECT_EQ(end.code, 4429);
  EXPECT_THAT(Told(), ElementsAre("+a/1", "-a/1"));
}

TEST_F(DeviceHubTest, TheQueueIsBoundedInBytesToo) {
  options_.queue.max_bytes = 20;
  Restart();
  Device device = Connect("a");

  EXPECT_THAT(hub_->Send("a", Close(std::string(30, 's'))),
              StatusIs(absl::StatusCode::kResourceExhausted));
  EXPECT_EQ(End(device).code, 4429);
}

TEST_F(DeviceHubTest, ADeviceThatNeverReadsIsCut) {
  options_.queue.max_messages = 2;
  options_.queue.close_grace = absl::Milliseconds(5);
  Restart();
  FakeWebSocketOptions narrow;
  narrow.buffer_bytes = 1;
  Device device = Dial("a", narrow);
  // Hello must fit through the narrow pipe: the hub reads it piece by piece.
  Say(device, Hello());
  RunUntil(io_, [&] { return Told().size() == 1; });

  while (hub_->Send("a", Close("session")).ok()) io_.poll();
  RunUntil(io_, [&] { return *device.served; });

  EXPECT_THAT(Told(), ElementsAre("+a/1", "-a/1"));
  EXPECT_EQ(hub_->open_connections(), 0u);
}

TEST_F(DeviceHubTest, CloseAllEndsEveryoneAndLetsNobodyIn) {
  Device entered = Connect("a");
  Device silent = Dial("b");
  RunUntil(io_, [&] { return hub_->open_connections() == 2; });

  hub_->CloseAll(CloseReason{1001, "The server is stopping."});

  EXPECT_EQ(End(entered).code, 1001);
  EXPECT_EQ(End(silent).code, 1001);
  Device late = Dial("c");
  EXPECT_EQ(End(late).code, 1001);
  EXPECT_EQ(hub_->open_connections(), 0u);
}

TEST_F(DeviceHubTest, TooManyConnections) {
  options_.max_connections = 1;
  Restart();
  Device first = Connect("a");
  Device second = Dial("b");

  EXPECT_EQ(End(second).code, 4429);
  EXPECT_THAT(hub_->Send("a", Close("s1")), IsOk());
}

TEST_F(DeviceHubTest, EveryLossLeavesNothingBehind) {
  int operations = 1;
  for (int fail_at = 1; fail_at <= operations; ++fail_at) {
    SCOPED_TRACE(fail_at);
    FakeWebSocketOptions faulty;
    faulty.first_faults = std::make_shared<dataplane::FaultPlan>(fail_at);
    Device device = Dial("a", faulty);
    Spawn(io_, SayAll(*device.end, {Hello(), Ended("s1")}));
    for (int i = 0; i < 100; ++i) io_.poll(), io_.restart();
    (void)hub_->Send("a", Close("s1"));
    for (int i = 0; i < 100; ++i) io_.poll(), io_.restart();
    Await(io_, device.end->Close(CloseReason{1000, ""}));
    RunUntil(io_, [&] { return *device.served; });
    EXPECT_EQ(hub_->open_connections(), 0u);
    EXPECT_EQ(hub_->counters().connected_now, 0u);
    operations = std::max(operations, faulty.first_faults->operations());
  }
  EXPECT_GT(operations, 3);
}

TEST_F(DeviceHubTest, EndsSafelyAfterTheHubIsGone) {
  Device device = Connect("a");

  hub_.reset();
  device.end->Abort();
  RunUntil(io_, [&] { return *device.served; });

  EXPECT_THAT(Told(), ElementsAre("+a/1"));
}

}  // namespace
}  // namespace fairlead::gateway
