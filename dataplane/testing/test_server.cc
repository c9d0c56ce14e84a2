// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// See test_server.h.
#include "dataplane/testing/test_server.h"

#include <cstdio>
#include <cstdlib>

#include "dataplane/tls_stream.h"

namespace fairlead::dataplane::testing {
namespace {

constexpr absl::Duration kPatience = absl::Seconds(20);

// A test cannot go on without what was to be made.
template <class T>
T OrDie(absl::StatusOr<T> value) {
  if (value.ok()) return *std::move(value);
  std::fprintf(stderr, "%s\n", value.status().ToString().c_str());
  std::abort();
}

net::awaitable<std::string> ExchangeBytes(Endpoint endpoint, DialOptions options,
                                          std::string bytes) {
  auto dialled = co_await DialTls(endpoint, options);
  if (!dialled.ok()) co_return dialled.status().ToString();
  const std::unique_ptr<TlsStream> stream = *std::move(dialled);
  std::size_t written = 0;
  while (written < bytes.size()) {
    const net::const_buffer rest = net::buffer(bytes.data() + written, bytes.size() - written);
    auto [error, size] = co_await stream->async_write_some(rest, kToken);
    if (error) break;
    written += size;
  }
  std::string answer;
  char buffer[4096];
  const net::mutable_buffer room = net::buffer(buffer);
  for (;;) {
    auto [error, size] = co_await stream->async_read_some(room, kToken);
    if (error) break;
    answer.append(buffer, size);
  }
  co_return answer;
}

}  // namespace

TestServer::TestServer(const Router& router, ListenerLimits limits, RawHandler on_h2) {
  ListenerOptions options;
  options.addresses = {"127.0.0.1:0", "[::1]:0"};
  options.limits = limits;
  auto tls = OrDie(TlsServerContext::Create(ca_.Issue(LeafSpec()), ca_.pem()));
  listener_ =
      std::make_unique<Listener>(threads_, std::move(tls), router, std::move(on_h2), options);
  const absl::Status started = listener_->Start();
  if (!started.ok()) OrDie(absl::StatusOr<int>(started));
}

TestServer::~TestServer() {
  EndConnections();
  client_thread_.Stop();
  threads_.Stop();
}

void TestServer::EndConnections() {
  listener_->StopAccepting();
  listener_->CloseAll();
  if (!listener_->AwaitClosed(kPatience)) {
    std::fprintf(stderr, "a connection did not end within %s\n",
                 absl::FormatDuration(kPatience).c_str());
    std::abort();
  }
}

Endpoint TestServer::At(std::string target) const {
  Endpoint endpoint;
  endpoint.host = "127.0.0.1";
  endpoint.port = listener_->port();
  endpoint.target = std::move(target);
  return endpoint;
}

DialOptions TestServer::Options(std::vector<std::string> alpn, const TlsIdentity* identity) {
  TlsTrust trust;
  trust.ca_pem = ca_.pem();
  DialOptions options;
  options.tls = OrDie(TlsClientContext::Create(trust, identity, std::move(alpn)));
  return options;
}

std::string TestServer::Exchange(std::string bytes) {
  return Run(ExchangeBytes(At("/"), Options(), std::move(bytes)));
}

}  // namespace fairlead::dataplane::testing
