// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Who is behind "fd:N": entries come and go with their connections, numbers are not used again
// soon.
#include "gateway/call_peers.h"

#include <fcntl.h>
#include <unistd.h>

#include <set>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace fairlead::gateway {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

dataplane::PeerInfo Peer(const std::string& address, const std::string& uri = "") {
  dataplane::PeerInfo peer;
  peer.address = address;
  if (!uri.empty()) {
    peer.certificate.emplace();
    peer.certificate->uris = {uri};
  }
  return peer;
}

TEST(CallPeers, ResolvesAConnectionWhileItLasts) {
  CallPeers peers;
  const auto entry = peers.Add(7, Peer("192.0.2.1:1", "urn:fairlead:server:ums"));

  const auto peer = peers.Resolve("fd:7");
  ASSERT_TRUE(peer.has_value());
  EXPECT_EQ(peer->address, "192.0.2.1:1");
  EXPECT_THAT(peer->certificate_uris, ElementsAre("urn:fairlead:server:ums"));

  peers.Remove(7, entry);
  EXPECT_FALSE(peers.Resolve("fd:7").has_value());
}

TEST(CallPeers, KeepsTheLaterConnectionOfAReusedNumber) {
  CallPeers peers;
  const auto first = peers.Add(7, Peer("192.0.2.1:1", "urn:fairlead:server:ums"));
  peers.Add(7, Peer("192.0.2.2:2"));

  peers.Remove(7, first);

  const auto peer = peers.Resolve("fd:7");
  ASSERT_TRUE(peer.has_value());
  EXPECT_EQ(peer->address, "192.0.2.2:2");
  EXPECT_THAT(peer->certificate_uris, IsEmpty());
}

TEST(CallPeers, ResolvesNothingElse) {
  CallPeers peers;
  peers.Add(7, Peer("192.0.2.1:1"));

  for (const char* name :
       {"", "fd:", "fd:8", "fd:7x", "fd:-1", "inproc", "ipv4:127.0.0.1:7", "7"}) {
    EXPECT_FALSE(peers.Resolve(name).has_value()) << name;
  }
}

TEST(CallPeers, UsesEachNumberOnceForALongTime) {
  CallPeers peers;
  std::set<int> numbers;
  for (int i = 0; i < 200; ++i) {
    const int fd = peers.Renumber(open("/dev/null", O_RDONLY | O_CLOEXEC));
    ASSERT_GE(fd, 0);
    EXPECT_NE(fcntl(fd, F_GETFD) & FD_CLOEXEC, 0);
    EXPECT_TRUE(numbers.insert(fd).second) << fd << " was used before";
    close(fd);
  }
}

}  // namespace
}  // namespace fairlead::gateway
