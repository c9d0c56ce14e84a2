// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Feeds the server's side of an established TLS connection what a client may send then: the input
// is a list of acts (data, key updates, close_notify, altered and lost bytes). What was sent
// arrives and nothing else, all of it unless it was tampered with, however the records are cut.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <span>

#include "dataplane/testing/test_pki.h"
#include "dataplane/tls_context.h"
#include "dataplane/tls_engine.h"

namespace {

using fairlead::dataplane::TlsClientContext;
using fairlead::dataplane::TlsEngine;
using fairlead::dataplane::TlsServerContext;
using fairlead::dataplane::testing::TestCa;
using Bytes = TlsEngine::Bytes;
using ByteView = TlsEngine::ByteView;
using Outcome = TlsEngine::Outcome;

struct Contexts {
  TestCa ca;
  std::shared_ptr<SSL_CTX> server =
      TlsServerContext::Create(ca.Issue({}), ca.pem()).value()->Acquire();
  std::shared_ptr<SSL_CTX> client =
      TlsClientContext::Create({ca.pem(), ""}, nullptr, {}).value()->Acquire();
};

void Check(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "%s\n", what);
  std::abort();
}

struct Connection {
  explicit Connection(const Contexts& contexts)
      : server(contexts.server.get(), TlsEngine::Role::kServer),
        client(contexts.client.get(), TlsEngine::Role::kClient) {
    client.SetServerName("localhost", nullptr);
    Bytes to_server;
    Bytes to_client;
    bool done = false;
    for (int flight = 0; flight < 4 && !done; ++flight) {
      const bool client_done = Step(client, to_client, to_server);
      done = Step(server, to_server, to_client) && client_done;
    }
    Check(done, "the handshake does not end");
  }

  static bool Step(TlsEngine& engine, Bytes& from, Bytes& to) {
    ByteView input(from);
    const Outcome outcome = engine.Handshake(input, to);
    from.erase(from.begin(), from.end() - static_cast<std::ptrdiff_t>(input.size()));
    return outcome == Outcome::kDone;
  }

  TlsEngine server;
  TlsEngine client;
};

// What the client has sent.
struct Sent {
  Bytes wire;
  Bytes data;
  bool faulty = false;
  bool ended = false;
};

// Two bytes an act: what, and with what.
Sent Act(TlsEngine& client, std::span<const std::uint8_t> acts) {
  Sent sent;
  for (; acts.size() >= 2 && !sent.ended; acts = acts.subspan(2)) {
    const std::size_t much = acts[1];
    switch (acts[0] % 6) {
      case 0:
      case 1: {
        // Up to several records.
        const Bytes data(acts[0] % 6 == 0 ? much : much * 200, acts[1]);
        Check(client.Write(data, sent.wire) == Outcome::kDone, "a write failed");
        sent.data.insert(sent.data.end(), data.begin(), data.end());
        break;
      }
      case 2:
        SSL_key_update(client.ssl(),
                       much % 2 == 0 ? SSL_KEY_UPDATE_REQUESTED : SSL_KEY_UPDATE_NOT_REQUESTED);
        break;
      case 3:
        client.CloseNotify(sent.wire);
        sent.ended = true;
        break;
      case 4:
        // The last record is no more what it was. One whose length grew waits for more.
        if (sent.wire.empty()) break;
        sent.wire[sent.wire.size() - 1 - much % std::min<std::size_t>(sent.wire.size(), 16)] ^= 1;
        sent.faulty = true;
        break;
      case 5:
        sent.wire.resize(sent.wire.size() - std::min(sent.wire.size(), much));
        sent.faulty = sent.faulty || much > 0;
        break;
    }
  }
  return sent;
}

// All that the server reads of `wire`, cut into pieces of at most `step`, and how that ends.
Outcome Read(TlsEngine& server, const Bytes& wire, std::size_t step, Bytes& data) {
  Bytes output;
  Bytes room(20'000);
  std::size_t fed = 0;
  ByteView input;
  for (;;) {
    std::size_t size = 0;
    const Outcome outcome = server.Read(input, room, size, output);
    data.insert(data.end(), room.begin(), room.begin() + static_cast<std::ptrdiff_t>(size));
    if (outcome == Outcome::kDone) continue;
    if (outcome != Outcome::kNeedsInput || fed == wire.size()) return outcome;
    Check(input.empty(), "input is left though more is wanted");
    const std::size_t piece = std::min(step, wire.size() - fed);
    input = ByteView(wire).subspan(fed, piece);
    fed += piece;
  }
}

Outcome Drive(std::span<const std::uint8_t> acts, std::size_t step) {
  static const Contexts* const contexts = new Contexts();
  Connection connection(*contexts);
  const Sent sent = Act(connection.client, acts);
  Bytes data;
  const Outcome outcome = Read(connection.server, sent.wire, step, data);
  Check(data.size() <= sent.data.size() && std::equal(data.begin(), data.end(), sent.data.begin()),
        "the server read what was not sent");
  if (!sent.faulty) {
    Check(data.size() == sent.data.size(), "the server did not read all that was sent");
    Check(outcome == (sent.ended ? Outcome::kEnd : Outcome::kNeedsInput), "another end");
  }
  Check((outcome == Outcome::kFailed) != connection.server.failure().ok(), "no reason is told");
  return outcome;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::span<const std::uint8_t> acts(data + 1, std::min<std::size_t>(size - 1, 64));
  const Outcome whole = Drive(acts, static_cast<std::size_t>(-1));
  Check(whole == Drive(acts, 1 + data[0]), "the outcome depends on how the input is cut");
  return 0;
}
