// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// A listener on a free port of the loopback interface with a certificate of its own, and what a
// test needs to talk to it. For tests of HTTP, WebSockets and the listener.
#ifndef FAIRLEAD_DATAPLANE_TESTING_TEST_SERVER_H_
#define FAIRLEAD_DATAPLANE_TESTING_TEST_SERVER_H_

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "dataplane/client.h"
#include "dataplane/io_threads.h"
#include "dataplane/listener.h"
#include "dataplane/router.h"
#include "dataplane/testing/test_pki.h"

namespace fairlead::dataplane::testing {

// Thread: that of the test; handlers run on the server's.
class TestServer {
 public:
  // `router` must outlive it.
  explicit TestServer(const Router& router, ListenerLimits limits = ListenerLimits(),
                      RawHandler on_h2 = nullptr);
  // Ends all connections and waits for them.
  ~TestServer();

  Listener& listener() { return *listener_; }
  // Accepts no more, and ends what is connected. The destructor does it too.
  void EndConnections();
  IoThreads& threads() { return threads_; }
  const TestCa& ca() const { return ca_; }

  Endpoint At(std::string target) const;
  // Trusts the server; offers `alpn` and shows `identity` unless null.
  DialOptions Options(std::vector<std::string> alpn = {}, const TlsIdentity* identity = nullptr);

  // Runs a coroutine on the client's thread and waits for its result.
  template <class T>
  T Run(net::awaitable<T> work) {
    return net::co_spawn(client_thread_.executor(0), std::move(work), net::use_future).get();
  }
  net::any_io_executor client_executor() { return client_thread_.executor(0); }

  // Dials, sends `bytes`, and gives all that the server sends until it closes.
  std::string Exchange(std::string bytes);

 private:
  TestCa ca_;
  IoThreads threads_{2};
  IoThreads client_thread_{1};
  std::unique_ptr<Listener> listener_;
};

}  // namespace fairlead::dataplane::testing

#endif  // FAIRLEAD_DATAPLANE_TESTING_TEST_SERVER_H_
