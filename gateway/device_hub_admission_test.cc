// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Whom the device hub lets in: certificates, subprotocols, generations, and how many.
#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gateway/testing/device_hub_fixture.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace fairlead::gateway {
namespace {

using dataplane::CloseReason;
using dataplane::FakeWebSocketPair;
using dataplane::MakeFakeWebSocketPair;
using dataplane::Message;
using dataplane::WebSocket;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

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
