// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// An HTTP proxy on a free port of the loopback interface that knows CONNECT alone, for tests of
// everything that dials through one.
#ifndef FAIRLEAD_DATAPLANE_TESTING_CONNECT_PROXY_H_
#define FAIRLEAD_DATAPLANE_TESTING_CONNECT_PROXY_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace fairlead::dataplane::testing {

// Thread: any; it has one of its own. Lifetime: destroying it cuts the tunnels.
// Connections stay with it until they are cut or it is destroyed.
class ConnectProxy {
 public:
  ConnectProxy();
  ~ConnectProxy();
  ConnectProxy(const ConnectProxy&) = delete;
  ConnectProxy& operator=(const ConnectProxy&) = delete;

  // "http://127.0.0.1:port".
  std::string url() const;
  std::uint16_t port() const;

  // From now on every request is answered with exactly these bytes, after which the connection
  // stays open; empty connects again.
  void AnswerWith(std::string bytes);
  // The same with a status.
  void Refuse(int status);
  // From now on no request is answered.
  void FallSilent();

  // Tunnels that were ever opened, and where to ("host:port"), in order.
  int tunnels() const;
  std::vector<std::string> targets() const;
  // The bytes that went through all tunnels, both ways.
  std::uint64_t bytes() const;
  // Cuts the tunnels that there are, and all other connections; returns when their peers can see
  // it.
  void CutAll();

 private:
  struct State;
  const std::shared_ptr<State> state_;
};

}  // namespace fairlead::dataplane::testing

#endif  // FAIRLEAD_DATAPLANE_TESTING_CONNECT_PROXY_H_
