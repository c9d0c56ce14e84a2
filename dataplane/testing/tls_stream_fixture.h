// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Two TLS streams over a real connection, and data that is sent and received in pieces of random
// sizes. Used by the tests of the TLS stream.
#ifndef FAIRLEAD_DATAPLANE_TESTING_TLS_STREAM_FIXTURE_H_
#define FAIRLEAD_DATAPLANE_TESTING_TLS_STREAM_FIXTURE_H_

#include <algorithm>
#include <array>
#include <boost/asio/io_context.hpp>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "base/status_matchers.h"
#include "dataplane/testing/run.h"
#include "dataplane/testing/test_pki.h"
#include "dataplane/tls_stream.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace fairlead::dataplane::testing {

inline constexpr absl::Duration kLong = absl::Seconds(30);

inline const TestCa& Ca() {
  static const TestCa* const ca = new TestCa();
  return *ca;
}

inline std::shared_ptr<TlsServerContext> ServerContext() {
  return TlsServerContext::Create(Ca().Issue({}), Ca().pem()).value();
}

inline std::shared_ptr<TlsClientContext> ClientContext(const TlsIdentity* identity = nullptr) {
  return TlsClientContext::Create({Ca().pem(), ""}, identity, {}).value();
}

class TlsStreamFixture : public ::testing::Test {
 protected:
  TlsStreamFixture() { Join(ServerContext()->Acquire(), ClientContext()->Acquire()); }

  void Join(std::shared_ptr<SSL_CTX> server_context, std::shared_ptr<SSL_CTX> client_context) {
    SocketPair pair(context_);
    server_ = std::make_unique<TlsStream>(std::move(pair.server), server_context,
                                          TlsStream::Role::kServer);
    client_ = std::make_unique<TlsStream>(std::move(pair.client), client_context,
                                          TlsStream::Role::kClient);
  }

  void Shake() {
    Task<absl::Status> server(context_, server_->Handshake(kLong, "", nullptr));
    Task<absl::Status> client(context_, client_->Handshake(kLong, "localhost", nullptr));
    ASSERT_THAT(client.Get(), IsOk());
    ASSERT_THAT(server.Get(), IsOk());
  }

  net::io_context context_;
  std::unique_ptr<TlsStream> server_;
  std::unique_ptr<TlsStream> client_;
};

inline std::string Data(std::size_t size, unsigned seed) {
  std::mt19937 random(seed);
  std::string data(size, '\0');
  for (char& c : data) c = static_cast<char>(random());
  return data;
}

// Writes all of `data` in gather lists of random cuts.
inline net::awaitable<error_code> Send(TlsStream& stream, const std::string& data, unsigned seed) {
  std::mt19937 random(seed);
  std::size_t at = 0;
  while (at < data.size()) {
    std::vector<net::const_buffer> buffers;
    std::size_t end = at;
    for (std::size_t i = 0, count = 1 + random() % 20; i < count && end < data.size(); ++i) {
      const std::size_t size = std::min<std::size_t>(random() % 30'000, data.size() - end);
      buffers.push_back(net::buffer(data.data() + end, size));
      end += size;
    }
    auto [error, size] = co_await stream.async_write_some(buffers, kToken);
    if (error) co_return error;
    at += size;
  }
  co_return error_code();
}

struct Received {
  std::string data;
  error_code error;
};

// Reads until `size` bytes are there or the stream ends, with scattered buffers of random sizes.
inline net::awaitable<Received> Receive(TlsStream& stream, std::size_t size, unsigned seed) {
  std::mt19937 random(seed);
  Received received;
  std::vector<char> first(1 + random() % 50'000);
  std::vector<char> second(1 + random() % 100'000);
  while (received.data.size() < size) {
    const std::size_t room = 1 + random() % first.size();
    const std::array<net::mutable_buffer, 2> buffers = {net::buffer(first.data(), room),
                                                        net::buffer(second)};
    auto [error, count] = co_await stream.async_read_some(buffers, kToken);
    received.data.append(first.data(), std::min(count, room));
    if (count > room) received.data.append(second.data(), count - room);
    received.error = error;
    if (error) break;
  }
  co_return received;
}

}  // namespace fairlead::dataplane::testing

#endif  // FAIRLEAD_DATAPLANE_TESTING_TLS_STREAM_FIXTURE_H_
