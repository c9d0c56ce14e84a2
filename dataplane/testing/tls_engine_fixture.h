// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Two TLS engines back to back, and their contexts. Used by the tests of the engine.
#ifndef FAIRLEAD_DATAPLANE_TESTING_TLS_ENGINE_FIXTURE_H_
#define FAIRLEAD_DATAPLANE_TESTING_TLS_ENGINE_FIXTURE_H_

#include <algorithm>
#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/status_matchers.h"
#include "dataplane/testing/test_pki.h"
#include "dataplane/tls_context.h"
#include "dataplane/tls_engine.h"
#include "gtest/gtest.h"

namespace fairlead::dataplane {

using Bytes = TlsEngine::Bytes;
using ByteView = TlsEngine::ByteView;
using Outcome = TlsEngine::Outcome;

// Two engines joined back to back; bytes travel in pieces of at most `step`.
struct Pair {
  Pair(std::shared_ptr<SSL_CTX> server_context, std::shared_ptr<SSL_CTX> client_context,
       const std::string& name = "localhost")
      : server(server_context.get(), TlsEngine::Role::kServer),
        client(client_context.get(), TlsEngine::Role::kClient) {
    client.SetServerName(name, nullptr);
  }

  // Lets `engine` go on with what came from the other side.
  static Outcome Step(TlsEngine& engine, Bytes& from, Bytes& to, std::size_t step) {
    const std::size_t size = std::min(step, from.size());
    ByteView input(from.data(), size);
    const Outcome outcome = engine.Handshake(input, to);
    from.erase(from.begin(), from.begin() + static_cast<std::ptrdiff_t>(size - input.size()));
    return outcome;
  }

  // True if both sides are done. Then what is left in the buffers are bytes after the handshake.
  bool Shake(std::size_t step = 1 << 20) {
    Outcome server_outcome = Outcome::kNeedsInput;
    Outcome client_outcome = Outcome::kNeedsInput;
    for (int idle = 0; idle < 2; ++idle) {
      const std::size_t before = to_server.size() + to_client.size();
      if (client_outcome == Outcome::kNeedsInput) {
        client_outcome = Step(client, to_client, to_server, step);
      }
      if (server_outcome == Outcome::kNeedsInput) {
        server_outcome = Step(server, to_server, to_client, step);
      }
      if (to_server.size() + to_client.size() != before) idle = -1;
    }
    return server_outcome == Outcome::kDone && client_outcome == Outcome::kDone;
  }

  TlsEngine server;
  TlsEngine client;
  Bytes to_server;
  Bytes to_client;
};

inline std::shared_ptr<TlsServerContext> Server(const TlsIdentity& identity,
                                                const std::string& ca = "") {
  auto context = TlsServerContext::Create(identity, ca);
  EXPECT_THAT(context, IsOk());
  return std::move(context).value();
}

inline std::shared_ptr<TlsClientContext> Client(const TlsTrust& trust,
                                                const TlsIdentity* identity = nullptr,
                                                std::vector<std::string> alpn = {}) {
  auto context = TlsClientContext::Create(trust, identity, std::move(alpn));
  EXPECT_THAT(context, IsOk());
  return std::move(context).value();
}

inline TlsTrust ByCa(const testing::TestCa& ca) { return {ca.pem(), ""}; }
inline TlsTrust ByFingerprint(std::string fingerprint) { return {"", std::move(fingerprint)}; }

inline const testing::TestCa& Ca() {
  static const testing::TestCa* const ca = new testing::TestCa();
  return *ca;
}

}  // namespace fairlead::dataplane

#endif  // FAIRLEAD_DATAPLANE_TESTING_TLS_ENGINE_FIXTURE_H_
