// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Which place a device tries next, and when: order by preference, what follows a failure, a refusal
// and a lost connection, and what a new list changes.
#include "device/connectors.h"

#include <set>

#include "absl/strings/str_join.h"
#include "base/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace fairlead::device {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::UnorderedElementsAre;
using ::testing::UnorderedElementsAreArray;

v1::ConnectorList List(const std::vector<std::string>& servers,
                       const std::vector<std::string>& icgs) {
  v1::ConnectorList list;
  for (const std::string& address : servers) {
    v1::Connector& connector = *list.add_connectors();
    connector.set_type(v1::Connector::SERVER);
    connector.set_address(address);
  }
  for (const std::string& address : icgs) {
    v1::Connector& connector = *list.add_connectors();
    connector.set_type(v1::Connector::ICG);
    connector.set_address(address);
  }
  return list;
}

class ConnectorsTest : public testing::Test {
 protected:
  ConnectorsTest() {
    options_.servers = *ParseEndpoints("first:1", "--server");
    options_.seed = 7;
  }

  // The hosts of the next attempts, all of which fail.
  std::vector<std::string> FailAll(Connectors& connectors, int count) {
    std::vector<std::string> hosts;
    for (int i = 0; i < count; ++i) {
      const Connectors::Attempt attempt = connectors.Next(now_);
      now_ += attempt.delay;
      delays_.push_back(attempt.delay);
      hosts.push_back(attempt.endpoint.host);
      connectors.OnFailed();
    }
    return hosts;
  }

  ConnectorsOptions options_;
  absl::Duration now_ = absl::Hours(1);
  std::vector<absl::Duration> delays_;
};

TEST_F(ConnectorsTest, BeginsWithWhatItWasGivenAndPausesAfterEachRound) {
  options_.servers = *ParseEndpoints("a:1, b:2,[::1]:3", "--server");
  Connectors connectors(options_);
  EXPECT_THAT(FailAll(connectors, 6), ElementsAre("a", "b", "::1", "a", "b", "::1"));
  EXPECT_EQ(delays_[0], absl::ZeroDuration());
  EXPECT_EQ(delays_[1], absl::ZeroDuration());
  EXPECT_EQ(delays_[2], absl::ZeroDuration());
  EXPECT_GT(delays_[3], absl::ZeroDuration());
  EXPECT_EQ(delays_[4], absl::ZeroDuration());
  FailAll(connectors, 30);
  EXPECT_LE(delays_.back(), absl::Seconds(60));
  EXPECT_GE(delays_[33], absl::Seconds(30));
}

TEST_F(ConnectorsTest, FallsBackToTheFirstServerAfterTheList) {
  Connectors connectors(options_);
  ASSERT_THAT(connectors.Update(List({"s:1"}, {"i:1"})), IsOk());
  const std::vector<std::string> hosts = FailAll(connectors, 3);
  EXPECT_EQ(hosts[2], "first");
  EXPECT_THAT(hosts, UnorderedElementsAre("s", "i", "first"));
}

TEST_F(ConnectorsTest, HeedsThePreference) {
  std::set<std::string> orders;
  for (options_.seed = 0; options_.seed < 20; ++options_.seed) {
    v1::ConnectorList list = List({"s1:1", "s2:1"}, {"i1:1", "i2:1"});
    list.set_preference(v1::Device::ICG);
    Connectors connectors(options_);
    ASSERT_THAT(connectors.Update(list), IsOk());
    const std::vector<std::string> hosts = FailAll(connectors, 5);
    EXPECT_THAT(std::vector<std::string>(hosts.begin(), hosts.begin() + 2),
                UnorderedElementsAre("i1", "i2"));
    EXPECT_EQ(hosts[4], "first");
    orders.insert(absl::StrJoin(hosts, " "));
  }
  // Two orders a kind.
  EXPECT_EQ(orders.size(), 4u);
}

TEST_F(ConnectorsTest, ThePushedPreferenceWinsOverTheFlag) {
  options_.preference = v1::Device::SERVER;
  Connectors connectors(options_);
  v1::ConnectorList list = List({"s:1"}, {"i:1"});
  ASSERT_THAT(connectors.Update(list), IsOk());
  EXPECT_THAT(FailAll(connectors, 3), ElementsAre("s", "i", "first"));
  list.set_preference(v1::Device::ICG);
  ASSERT_THAT(connectors.Update(list), IsOk());
  EXPECT_THAT(FailAll(connectors, 3), ElementsAre("i", "s", "first"));
}

TEST_F(ConnectorsTest, WithoutPreferenceAllOrdersOccur) {
  std::set<std::string> first;
  for (options_.seed = 0; options_.seed < 40; ++options_.seed) {
    Connectors connectors(options_);
    ASSERT_THAT(connectors.Update(List({"s:1"}, {"i:1"})), IsOk());
    first.insert(connectors.Next(now_).endpoint.host);
  }
  EXPECT_EQ(first.size(), 2u);
}

TEST_F(ConnectorsTest, ComesBackToTheOneItWasConnectedTo) {
  Connectors connectors(options_);
  ASSERT_THAT(connectors.Update(List({"s1:1", "s2:1", "s3:1"}, {"i1:1", "i2:1"})), IsOk());
  FailAll(connectors, 3);
  const std::string host = connectors.Next(now_).endpoint.host;
  connectors.OnDisconnected(absl::Hours(1));
  const Connectors::Attempt again = connectors.Next(now_);
  EXPECT_EQ(again.endpoint.host, host);
  // After a connection that was good, quickly.
  EXPECT_LE(again.delay, absl::Milliseconds(250));
  connectors.OnFailed();
  EXPECT_NE(connectors.Next(now_).endpoint.host, host);
}

TEST_F(ConnectorsTest, AConnectorThatWasRemovedIsLeftAtTheNextDisconnection) {
  Connectors connectors(options_);
  ASSERT_THAT(connectors.Update(List({"s:1"}, {})), IsOk());
  EXPECT_EQ(connectors.Next(now_).endpoint.host, "s");
  ASSERT_THAT(connectors.Update(List({}, {"i:1"})), IsOk());
  connectors.OnDisconnected(absl::Hours(1));
  EXPECT_THAT(FailAll(connectors, 3), ElementsAre("i", "first", "i"));
}

TEST_F(ConnectorsTest, ARefusalIsNotRepeatedSoon) {
  Connectors connectors(options_);
  EXPECT_EQ(connectors.Next(now_).endpoint.host, "first");
  connectors.OnRefused(now_, absl::Minutes(10));
  const Connectors::Attempt attempt = connectors.Next(now_ + absl::Seconds(5));
  EXPECT_EQ(attempt.delay, absl::Minutes(10) - absl::Seconds(5));
  // Asked again while waiting.
  EXPECT_EQ(connectors.Next(now_ + absl::Minutes(9)).delay, absl::Minutes(1));
}

TEST_F(ConnectorsTest, ARefusalLeavesTheOthersToBeTried) {
  Connectors connectors(options_);
  ASSERT_THAT(connectors.Update(List({}, {"i:1"})), IsOk());
  EXPECT_EQ(connectors.Next(now_).endpoint.host, "i");
  connectors.OnFailed();
  EXPECT_EQ(connectors.Next(now_).endpoint.host, "first");
  connectors.OnRefused(now_, absl::Minutes(10));
  EXPECT_THAT(FailAll(connectors, 3), ElementsAre("i", "i", "i"));
  EXPECT_GT(delays_[0], absl::ZeroDuration());
  EXPECT_LE(delays_[2], absl::Seconds(60));
  now_ += absl::Minutes(10);
  EXPECT_THAT(FailAll(connectors, 2), UnorderedElementsAre("i", "first"));
  // A new list gives everybody another chance.
  connectors.Next(now_);
  connectors.OnRefused(now_, absl::Minutes(10));
  ASSERT_THAT(connectors.Update(List({}, {"i:1"})), IsOk());
  EXPECT_THAT(FailAll(connectors, 2), UnorderedElementsAre("i", "first"));
}

TEST_F(ConnectorsTest, AnOs11DeviceLeavesServersOut) {
  options_.icgs_only = true;
  options_.servers = *ParseEndpoints("s1:1,other:1", "--server");
  Connectors connectors(options_);
  ASSERT_THAT(connectors.Update(List({"s1:1", "s2:1"}, {"i:1"})), IsOk());
  EXPECT_THAT(FailAll(connectors, 3), ElementsAre("i", "other", "i"));
  // Where there is nothing else, it asks whether that changed.
  options_.servers = *ParseEndpoints("s1:1", "--server");
  Connectors alone(options_);
  ASSERT_THAT(alone.Update(List({"s1:1"}, {})), IsOk());
  EXPECT_EQ(alone.Next(now_).endpoint.host, "s1");
}

TEST_F(ConnectorsTest, KnowsWhatCameByAList) {
  Connectors connectors(options_);
  ASSERT_THAT(connectors.Update(List({"s:1", "first:1"}, {})), IsOk());
  for (int i = 0; i < 2; ++i) {
    const Connectors::Attempt attempt = connectors.Next(now_);
    EXPECT_EQ(attempt.listed, attempt.endpoint.host == "s");
    connectors.OnFailed();
  }
  // Not twice, though it is in both.
  EXPECT_GT(connectors.Next(now_).delay, absl::ZeroDuration());
}

TEST_F(ConnectorsTest, RefusesAListOfNonsense) {
  Connectors connectors(options_);
  ASSERT_THAT(connectors.Update(List({}, {"i:1"})), IsOk());
  EXPECT_THAT(connectors.Update(List({"no port"}, {})),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("no connector of the list")));
  EXPECT_EQ(connectors.Next(now_).endpoint.host, "i");
  // What can be used of a list is used; an empty one is one too.
  ASSERT_THAT(connectors.Update(List({"x y:1"}, {"i2:1"})), IsOk());
  connectors.OnFailed();
  FailAll(connectors, 1);
  EXPECT_THAT(FailAll(connectors, 2), ElementsAre("i2", "first"));
  ASSERT_THAT(connectors.Update(v1::ConnectorList()), IsOk());
  EXPECT_THAT(FailAll(connectors, 2), ElementsAre("first", "first"));
}

TEST(ParseEndpointsTest, SaysWhatIsWrong) {
  EXPECT_THAT(ParseEndpoints("a:1,b", "--server"),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("--server=a:1,b is not")));
  EXPECT_THAT(ParseEndpoints("", "--server"), StatusIs(absl::StatusCode::kInvalidArgument));
}

}  // namespace
}  // namespace fairlead::device
