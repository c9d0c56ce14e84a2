// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Feeds the server's side of TLS what a client might send. The first byte chooses how the rest is
// cut into pieces: no outcome may depend on it, and nothing may be read that was not sent.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>

#include "dataplane/testing/test_pki.h"
#include "dataplane/tls_context.h"
#include "dataplane/tls_engine.h"

namespace {

using fairlead::dataplane::TlsEngine;
using fairlead::dataplane::TlsServerContext;
using fairlead::dataplane::testing::TestCa;
using Outcome = TlsEngine::Outcome;

std::shared_ptr<SSL_CTX> Context() {
  static const TestCa* const ca = new TestCa();
  static const auto server = TlsServerContext::Create(ca->Issue({}), ca->pem());
  return server.value()->Acquire();
}

// How far a connection gets with `data`, cut into pieces of at most `step`.
Outcome Drive(const uint8_t* data, size_t size, size_t step) {
  TlsEngine engine(Context().get(), TlsEngine::Role::kServer);
  TlsEngine::Bytes output;
  Outcome outcome = Outcome::kNeedsInput;
  while (size > 0 && outcome == Outcome::kNeedsInput) {
    const size_t piece = std::min(size, step);
    TlsEngine::ByteView input(data, piece);
    outcome = engine.Handshake(input, output);
    if (outcome == Outcome::kNeedsInput && !input.empty()) std::abort();
    data += piece;
    size -= piece;
  }
  // A client cannot know the keys of a connection before it has read from it.
  if (outcome == Outcome::kDone) std::abort();
  if ((outcome == Outcome::kFailed) == engine.failure().ok()) std::abort();
  engine.CloseNotify(output);
  return outcome;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const size_t step = 1 + data[0];
  if (Drive(data + 1, size - 1, size) != Drive(data + 1, size - 1, step)) {
    std::fprintf(stderr, "the outcome depends on how the input is cut\n");
    std::abort();
  }
  return 0;
}
