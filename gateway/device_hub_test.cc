// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// The device hub over WebSockets in memory: who is let in, what the server is told, how
// connections end.
#include "gateway/device_hub.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/status_matchers.h"
#include "dataplane/testing/fake_websocket.h"
#include "gateway/testing/fakes.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace fairlead::gateway {
namespace {

using dataplane::CloseReason;
using dataplane::FakeWebSocketOptions;
using dataplane::FakeWebSocketPair;
using dataplane::MakeFakeWebSocketPair;
using dataplane::Message;
using dataplane::WebSocket;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::string Hello() {
  v1::DeviceMessage message;
  message.mutable_hello()->set_protocol_version(1);
  message.mutable_hello()->set_agent_version("1.0");
  return message.SerializeAsString();
}

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

class DeviceHubTest : public ::testing::Test {
 protected:
  // A device that dials: its end of the WebSocket, and whether the hub has done with it.
  struct Device {
    std::unique_ptr<WebSocket> end;
    std::shared_ptr<bool> served;
  };

  Device Dial(const std::string& unit, FakeWebSocketOptions options = FakeWebSocketOptions()) {
    options.first_peer.address = "192.0.2.1:4711";
    FakeWebSocketPair pair = MakeFakeWebSocketPair(io_.get_executor(), options);
    Device device;
    device.end = std::move(pair.second);
    device.served =
        Spawn(io_, hub_->Serve(DeviceIdentity{unit, "print-" + unit}, std::move(pair.first)));
    return device;
  }

  void Say(Device& device, const std::string& bytes) {
    EXPECT_THAT(Await(io_, device.end->WriteBinary(bytes)), IsOk());
  }

  // Reads until the end, which is returned.
  CloseReason End(Device& device) {
    for (;;) {
      const Message message = Await(io_, device.end->ReadMessage());
      if (!message.open) {
        RunUntil(io_, [&] { return *device.served; });
        return message.close;
      }
    }
  }

  Device Connect(const std::string& unit) {
    const std::size_t before = sink_.events().size();
    Device device = Dial(unit);
    Say(device, Hello());
    RunUntil(io_, [&] { return sink_.events().size() > before; });
    return device;
  }

  // "+a/1" came, "-a/1" went, "a/1:4" said something of case 4.
  std::vector<std::string> Told() const {
    std::vector<std::string> told;
    for (const v1::EdgeEvent& event : sink_.events()) {
      if (event.has_device_connected()) {
        told.push_back(absl::StrCat("+", event.device_connected().unit_id(), "/",
                                    event.device_connected().connection_id()));
      } else if (event.has_device_disconnected()) {
        told.push_back(absl::StrCat("-", event.device_disconnected().unit_id(), "/",
                                    event.device_disconnected().connection_id()));
      } else {
        told.push_back(absl::StrCat(event.device_report().unit_id(), "/",
                                    event.device_report().connection_id(), ":",
                                    event.device_report().message().message_case()));
      }
    }
    return told;
  }

  dataplane::net::io_context io_;
  FakeClock clock_;
  RecordingSink sink_;
  DeviceHubOptions options_;
  std::unique_ptr<DeviceHub> hub_ = std::make_unique<DeviceHub>(sink_, clock_, options_);

  void Restart() { hub_ = std::make_unique<DeviceHub>(sink_, clock_, options_); }
};

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

// The handshake.

dataplane::HttpRequest RequestWith(std::vector<std::string> uris) {
  dataplane::HttpRequest request;
  request.peer.address = "192.0.2.1:4711";
  if (!uris.empty()) {
    request.peer.certificate.emplace();
    request.peer.certificate->uris = std::move(uris);
    request.peer.certificate->fingerprint = "print-a";
  }
  return request;
}

struct RefusedCase {
  const char* name;
  std::vector<std::string> uris;
  std::vector<std::string> offered;
  int status;
  // Empty: not in the audit log.
  const char* actor;
};

class DeviceHubRefusalTest : public DeviceHubTest,
                             public ::testing::WithParamInterface<RefusedCase> {};

TEST_P(DeviceHubRefusalTest, AnswersWithAnHttpStatus) {
  hub_->SetRevoked({"print-a"});
  if (GetParam().status == 400) hub_->SetRevoked({});
  auto upgrade = std::make_unique<FakeUpgrade>(GetParam().offered, nullptr);
  const auto outcome = upgrade->outcome();

  Await(io_, hub_->HandleUpgrade(RequestWith(GetParam().uris), std::move(upgrade)));

  ASSERT_TRUE(outcome->refused.has_value());
  EXPECT_EQ(outcome->refused->status, GetParam().status);
  EXPECT_FALSE(outcome->accepted);
  if (*GetParam().actor == '\0') {
    EXPECT_THAT(sink_.refusals(), IsEmpty());
  } else {
    ASSERT_EQ(sink_.refusals().size(), 1u);
    EXPECT_EQ(sink_.refusals()[0].action(), "device.connect");
    EXPECT_EQ(sink_.refusals()[0].actor(), GetParam().actor);
    EXPECT_EQ(sink_.refusals()[0].peer_address(), "192.0.2.1:4711");
  }
}

INSTANTIATE_TEST_SUITE_P(
    All, DeviceHubRefusalTest,
    ::testing::Values(
        RefusedCase{"NoCertificate", {}, {kUnifiedSubprotocol}, 401, "anonymous"},
        RefusedCase{"Server", {"urn:fairlead:server:ums"}, {kUnifiedSubprotocol}, 403, "anonymous"},
        RefusedCase{"Revoked", {"urn:fairlead:device:a"}, {kUnifiedSubprotocol}, 403, "devices/a"},
        RefusedCase{"NoSubprotocol", {"urn:fairlead:device:a"}, {}, 400, ""},
        RefusedCase{"OtherSubprotocol", {"urn:fairlead:device:a"}, {"chat"}, 400, ""}),
    [](const auto& info) { return info.param.name; });

TEST_F(DeviceHubTest, AcceptsAndServes) {
  FakeWebSocketPair pair = MakeFakeWebSocketPair(io_.get_executor());
  auto upgrade = std::make_unique<FakeUpgrade>(std::vector<std::string>{"x", kUnifiedSubprotocol},
                                               std::move(pair.first));
  const auto outcome = upgrade->outcome();
  const auto served =
      Spawn(io_, hub_->HandleUpgrade(RequestWith({"urn:fairlead:device:a"}), std::move(upgrade)));

  EXPECT_THAT(Await(io_, pair.second->WriteBinary(Hello())), IsOk());
  RunUntil(io_, [&] { return !Told().empty(); });
  pair.second->Abort();
  RunUntil(io_, [&] { return *served; });

  EXPECT_EQ(outcome->subprotocol, kUnifiedSubprotocol);
  EXPECT_THAT(Told(), ElementsAre("+a/1", "-a/1"));
}

std::string Os11Hello() {
  v1::DeviceMessage message;
  message.mutable_hello()->set_protocol_version(1);
  message.mutable_hello()->set_os_generation(v1::Device::OS_11);
  return message.SerializeAsString();
}

TEST_F(DeviceHubTest, AnOs11DeviceIsSentAwayWhereTheServerDialsIt) {
  options_.accept_os_11 = false;
  Restart();
  Device device = Dial("a");
  Say(device, Os11Hello());

  const CloseReason end = End(device);

  EXPECT_EQ(end.code, dataplane::kCloseDenied);
  EXPECT_EQ(end.text,
            "An OS 11 device is dialled by the server at its address; it holds a standing "
            "connection to an ICG only.");
  EXPECT_THAT(Told(), IsEmpty());
  EXPECT_THAT(sink_.refusals(), IsEmpty());
  EXPECT_FALSE(hub_->IsConnected("a"));
  EXPECT_EQ(hub_->counters().refused, 1u);
}

TEST_F(DeviceHubTest, AnOs11DeviceIsLetInAtAnIcg) {
  Device device = Dial("a");
  Say(device, Os11Hello());
  RunUntil(io_, [&] { return hub_->IsConnected("a"); });

  EXPECT_THAT(Told(), ElementsAre("+a/1"));
  device.end->Abort();
  RunUntil(io_, [&] { return *device.served; });
  EXPECT_FALSE(hub_->IsConnected("a"));
}

// What a device gets that tries to come in.
struct Answer {
  int status = 101;
  std::string retry_after;
  std::string body;
};

class DeviceHubLimitTest : public DeviceHubTest {
 protected:
  // A device in the midst of its handshake; null if it was refused, and `answer` tells how.
  std::unique_ptr<WebSocket> Knock(const std::string& unit, Answer& answer) {
    FakeWebSocketPair pair = MakeFakeWebSocketPair(io_.get_executor());
    auto upgrade = std::make_unique<FakeUpgrade>(std::vector<std::string>{kUnifiedSubprotocol},
                                                 std::move(pair.first));
    const auto outcome = upgrade->outcome();
    const auto served = Spawn(
        io_, hub_->HandleUpgrade(RequestWith({"urn:fairlead:device:" + unit}), std::move(upgrade)));
    served_.push_back(served);
    RunUntil(io_, [&] { return outcome->accepted || outcome->refused.has_value(); });
    answer = Answer();
    if (!outcome->refused.has_value()) return std::move(pair.second);
    answer.status = outcome->refused->status;
    answer.retry_after =
        std::string(dataplane::FindHeader(outcome->refused->headers, "Retry-After"));
    answer.body = outcome->refused->body;
    return nullptr;
  }
  void Enter(const std::string& unit, WebSocket& device) {
    const std::uint64_t before = hub_->counters().connected;
    EXPECT_THAT(Await(io_, device.WriteBinary(Hello())), IsOk()) << unit;
    RunUntil(io_, [&] { return hub_->counters().connected > before; });
  }
  void AllGo() {
    hub_->CloseAll({1001, "end of the test"});
    for (auto& device : devices_) device->Abort();
    RunUntil(io_, [&] {
      return std::all_of(served_.begin(), served_.end(), [](const auto& done) { return *done; });
    });
  }

  std::vector<std::unique_ptr<WebSocket>> devices_;
  std::vector<std::shared_ptr<bool>> served_;
};

TEST_F(DeviceHubLimitTest, NoMoreDevicesThanMayBe) {
  hub_->SetMaxDevices(2);
  Answer answer;
  devices_.push_back(Knock("a", answer));
  devices_.push_back(Knock("b", answer));
  ASSERT_EQ(answer.status, 101);
  Enter("a", *devices_[0]);

  // One is in, one is about to be.
  EXPECT_EQ(Knock("c", answer), nullptr);
  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(answer.retry_after, "10");
  EXPECT_THAT(answer.body, HasSubstr("As many devices are connected here as may be"));
  ASSERT_EQ(sink_.refusals().size(), 1u);
  EXPECT_EQ(sink_.refusals()[0].actor(), "devices/c");
  EXPECT_EQ(hub_->counters().refused_limit, 1u);
  EXPECT_EQ(hub_->counters().refused, 1u);

  // Both may come anew.
  devices_.push_back(Knock("a", answer));
  EXPECT_EQ(answer.status, 101);
  devices_.push_back(Knock("b", answer));
  EXPECT_EQ(answer.status, 101);
  Enter("a", *devices_[2]);
  Enter("b", *devices_[3]);
  EXPECT_EQ(Knock("c", answer), nullptr);

  // A place that becomes free is there for the next.
  hub_->Drop("a", {4403, "gone"});
  devices_.push_back(Knock("c", answer));
  EXPECT_EQ(answer.status, 101);
  AllGo();
}

TEST_F(DeviceHubLimitTest, AHandshakeThatIsLostGivesItsPlaceBack) {
  hub_->SetMaxDevices(1);
  Answer answer;
  devices_.push_back(Knock("a", answer));
  ASSERT_EQ(answer.status, 101);
  EXPECT_EQ(Knock("b", answer), nullptr);
  devices_[0]->Abort();
  RunUntil(io_, [&] { return *served_[0]; });

  auto upgrade =
      std::make_unique<FakeUpgrade>(std::vector<std::string>{kUnifiedSubprotocol}, nullptr);
  Await(io_, hub_->HandleUpgrade(RequestWith({"urn:fairlead:device:b"}), std::move(upgrade)));

  devices_.push_back(Knock("c", answer));
  EXPECT_EQ(answer.status, 101);
  AllGo();
}

TEST_F(DeviceHubLimitTest, ALowerLimitThrowsNobodyOut) {
  Answer answer;
  devices_.push_back(Knock("a", answer));
  devices_.push_back(Knock("b", answer));
  Enter("a", *devices_[0]);
  Enter("b", *devices_[1]);

  hub_->SetMaxDevices(1);

  EXPECT_EQ(hub_->counters().connected_now, 2u);
  EXPECT_EQ(Knock("c", answer), nullptr);
  hub_->SetMaxDevices(0);
  devices_.push_back(Knock("c", answer));
  EXPECT_EQ(answer.status, 101);
  AllGo();
}

TEST_F(DeviceHubLimitTest, NobodyComesInWhenNobodyMay) {
  hub_->SetAdmission([] { return absl::UnavailableError("Not now."); });
  Answer answer;

  EXPECT_EQ(Knock("a", answer), nullptr);

  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(answer.retry_after, "10");
  EXPECT_THAT(answer.body, HasSubstr("Not now."));
  EXPECT_THAT(sink_.refusals(), IsEmpty());
  EXPECT_EQ(hub_->counters().refused, 1u);
  EXPECT_EQ(hub_->counters().refused_limit, 0u);
}

TEST_F(DeviceHubLimitTest, AllCanBeSentAway) {
  Answer answer;
  devices_.push_back(Knock("a", answer));
  devices_.push_back(Knock("b", answer));
  Enter("a", *devices_[0]);
  Enter("b", *devices_[1]);

  hub_->DropAll({1001, "later"});

  EXPECT_EQ(hub_->counters().connected_now, 0u);
  for (const auto& device : devices_) {
    const Message message = Await(io_, device->ReadMessage());
    EXPECT_EQ(message.close.code, 1001);
    EXPECT_EQ(message.close.text, "later");
  }
  // Not for ever.
  devices_.push_back(Knock("a", answer));
  EXPECT_EQ(answer.status, 101);
  AllGo();
}

TEST_F(DeviceHubTest, AHandshakeThatIsLostIsNobodysFault) {
  auto upgrade =
      std::make_unique<FakeUpgrade>(std::vector<std::string>{kUnifiedSubprotocol}, nullptr);

  Await(io_, hub_->HandleUpgrade(RequestWith({"urn:fairlead:device:a"}), std::move(upgrade)));

  EXPECT_EQ(hub_->open_connections(), 0u);
}

}  // namespace
}  // namespace fairlead::gateway
