// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Covers how much the kernel takes of a connection whose other end reads nothing.
#include "dataplane/send_queue.h"

#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>

#include "gtest/gtest.h"

namespace fairlead::dataplane {
namespace {

// Two ends of a TCP connection; the reading end's window is small, and it never reads.
class SendQueueTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int window = 8 * 1024;
    ASSERT_EQ(::setsockopt(listener, SOL_SOCKET, SO_RCVBUF, &window, sizeof(window)), 0);
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    ASSERT_EQ(::bind(listener, generic, size), 0);
    ASSERT_EQ(::listen(listener, 1), 0);
    ASSERT_EQ(::getsockname(listener, generic, &size), 0);
    writer_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ASSERT_EQ(::connect(writer_, generic, size), 0);
    reader_ = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
    ASSERT_GE(reader_, 0);
    ::close(listener);
  }
  void TearDown() override {
    ::close(writer_);
    ::close(reader_);
  }

  // Writes until the kernel takes no more, and gives what it holds then: sent or not, and not
  // acknowledged.
  int Fill() {
    const std::string data(16 * 1024, 'x');
    while (::send(writer_, data.data(), data.size(), MSG_DONTWAIT | MSG_NOSIGNAL) > 0) {
    }
    int held = 0;
    EXPECT_EQ(::ioctl(writer_, SIOCOUTQ, &held), 0);
    return held;
  }

  int writer_ = -1;
  int reader_ = -1;
};

TEST_F(SendQueueTest, AShortOneHoldsLittle) {
  SetSendQueue(writer_, SendQueue::kShort);
  const int held = Fill();
  // A write that finds room below 64 KiB is taken up to the next segment's end.
  EXPECT_GE(held, 32 * 1024);
  EXPECT_LE(held, 192 * 1024);
}

TEST_F(SendQueueTest, TheSystemsIsLeftAlone) {
  int before = 0;
  socklen_t size = sizeof(before);
  ASSERT_EQ(::getsockopt(writer_, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &before, &size), 0);
  SetSendQueue(writer_, SendQueue::kSystems);
  int after = 0;
  ASSERT_EQ(::getsockopt(writer_, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &after, &size), 0);
  EXPECT_EQ(after, before);
}

}  // namespace
}  // namespace fairlead::dataplane
