// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Covers whom the kernel knows to be alive: a peer that reads nothing is, and one whose side lets
// nothing in any more is not.
#include "dataplane/socket_liveness.h"

#include <linux/filter.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "base/clock.h"
#include "dataplane/testing/run.h"
#include "gtest/gtest.h"

namespace fairlead::dataplane {
namespace {

class SocketLivenessTest : public ::testing::Test {
 protected:
  int watched() { return pair_.client.native_handle(); }

  // Sends until the kernel takes no more.
  void Fill() {
    const std::string data(64 * 1024, 'x');
    while (::send(watched(), data.data(), data.size(), MSG_DONTWAIT | MSG_NOSIGNAL) > 0) {
    }
  }

  // The peer's kernel drops all that comes, as behind a cable that is pulled. False: a kernel lets
  // this user attach no filter.
  [[nodiscard]] bool BlackHole() {
    sock_filter drop = {BPF_RET | BPF_K, 0, 0, 0};
    sock_fprog program = {1, &drop};
    const int attached = ::setsockopt(pair_.server.native_handle(), SOL_SOCKET, SO_ATTACH_FILTER,
                                      &program, sizeof(program));
    if (attached != 0 && errno == EPERM && ::geteuid() != 0) return false;
    EXPECT_EQ(attached, 0) << std::strerror(errno);
    return true;
  }

  tcp_info Info() {
    tcp_info info = {};
    socklen_t size = sizeof(info);
    EXPECT_EQ(::getsockopt(watched(), IPPROTO_TCP, TCP_INFO, &info, &size), 0);
    return info;
  }

  template <class Predicate>
  void Await(Predicate done) {
    const absl::Duration deadline = SystemClock().Monotonic() + absl::Seconds(30);
    while (!done() && SystemClock().Monotonic() < deadline) {
    }
    ASSERT_TRUE(done());
  }

  net::io_context context_;
  testing::SocketPair pair_{context_};
};

TEST_F(SocketLivenessTest, AnIdlePeerIsAlive) { EXPECT_TRUE(PeerAnswers(watched())); }

TEST_F(SocketLivenessTest, APeerThatReadsNothingAnswersProbesOfItsWindow) {
  Fill();
  Await([this] { return Info().tcpi_unacked == 0; });
  // Nothing else comes from it: the time since the last one begins anew with each.
  int answers = 0;
  std::uint32_t before = 0;
  Await([&] {
    const std::uint32_t since = Info().tcpi_last_ack_recv;
    if (since < before) ++answers;
    before = since;
    return answers == 3;
  });

  EXPECT_TRUE(PeerAnswers(watched(), absl::ZeroDuration()));
  EXPECT_LT(Info().tcpi_probes, 2);
}

TEST_F(SocketLivenessTest, APeerThatAcknowledgesNothingIsGone) {
  if (!BlackHole()) GTEST_SKIP() << "wants to run as root: no filter may be attached to a socket";
  ASSERT_EQ(::send(watched(), "x", 1, MSG_NOSIGNAL), 1);
  EXPECT_TRUE(PeerAnswers(watched()));

  Await([this] { return !PeerAnswers(watched(), absl::Milliseconds(300)); });
  EXPECT_GE(Info().tcpi_retransmits, 2);
  // It may just be late.
  EXPECT_TRUE(PeerAnswers(watched(), absl::Hours(1)));
}

TEST_F(SocketLivenessTest, APeerThatGoesAfterItsWindowHasClosedIsGone) {
  Fill();
  Await([this] { return Info().tcpi_unacked == 0; });
  if (!BlackHole()) GTEST_SKIP() << "wants to run as root: no filter may be attached to a socket";

  Await([this] { return !PeerAnswers(watched(), absl::Milliseconds(300)); });
}

TEST_F(SocketLivenessTest, AConnectionThatIsOverHasNoPeer) {
  pair_.server.set_option(net::socket_base::linger(true, 0));
  pair_.server.close();
  Await([this] { return !PeerAnswers(watched()); });
  EXPECT_FALSE(PeerAnswers(-1));
}

}  // namespace
}  // namespace fairlead::dataplane
