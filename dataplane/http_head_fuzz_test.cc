// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Any bytes as pipelined requests: fed whole and in small steps they must be understood alike, and
// never more than the limits may be held.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "dataplane/request_reader.h"

namespace fairlead::dataplane {
namespace {

using State = RequestReader::State;

constexpr std::size_t kMaxHead = 2048;
constexpr std::size_t kMaxBody = 64;

void Check(bool holds) {
  if (!holds) std::abort();
}

// What was understood, as one text.
std::string Understand(absl::string_view bytes, std::size_t step) {
  std::string log;
  std::string held;
  auto reader = std::make_unique<RequestReader>(kMaxHead);
  for (;;) {
    const State before = reader->state();
    const std::size_t consumed = reader->Feed(held);
    Check(consumed <= held.size());
    held.erase(0, consumed);
    if (reader->state() == State::kHeadDone) {
      log += reader->request().method + " " + reader->request().path + "\n";
      if (reader->is_websocket_upgrade()) {
        log += std::to_string(CheckWebSocketHandshake(reader->request()).status);
      }
      reader->StartBody(kMaxBody);
      continue;
    }
    if (reader->state() == State::kFailed) {
      // A fault in a head that is not complete may be seen at once or only at its end.
      Check(reader->error().status >= 400);
      return log;
    }
    if (reader->state() == State::kDone) {
      Check(reader->request().body.size() <= kMaxBody);
      log += reader->request().body + (reader->body_too_large() ? "!" : ".");
      reader = std::make_unique<RequestReader>(kMaxHead);
      continue;
    }
    if (consumed > 0 || reader->state() != before) continue;
    if (bytes.empty()) return log;
    held += std::string(bytes.substr(0, step));
    bytes.remove_prefix(std::min(step, bytes.size()));
  }
}

}  // namespace
}  // namespace fairlead::dataplane

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using fairlead::dataplane::Understand;
  if (size > 8192) return 0;
  const absl::string_view bytes(reinterpret_cast<const char*>(data), size);
  const std::string whole = Understand(bytes, bytes.size() + 1);
  if (Understand(bytes, 3) != whole) std::abort();
  return 0;
}
