// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// A TCP proxy on loopback that can stop forwarding without closing anything (a black-holed
// network), and counts what passes. Used by the tests of presence, of half-open connections, and of
// addresses that differ from those on which a process listens.
#ifndef FAIRLEAD_TESTS_SUPPORT_TCP_PROXY_H_
#define FAIRLEAD_TESTS_SUPPORT_TCP_PROXY_H_

#include <cstdint>
#include <memory>

namespace fairlead::tests {

// Thread: any. Lifetime: the destructor closes everything.
class TcpProxy {
 public:
  // Forwards connections to 127.0.0.1:`target_port`; 0 for nowhere yet: connections are closed.
  explicit TcpProxy(std::uint16_t target_port = 0);
  ~TcpProxy();

  std::uint16_t port() const;

  // New connections go there.
  void SetTarget(std::uint16_t target_port);

  // Bytes forwarded so far, both ways together.
  std::uint64_t bytes() const;

  // From now on swallows nothing and forwards nothing, on connections old and new: bytes stay
  // unread and no connection is closed.
  void BlackHole();

  // Closes all connections; new ones are forwarded again.
  void Recover();

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace fairlead::tests

#endif  // FAIRLEAD_TESTS_SUPPORT_TCP_PROXY_H_
