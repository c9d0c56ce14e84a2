// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Any bytes as a proxy's answer: fed whole and in small steps they must be understood alike, and
// what is said of them must be safe to show.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "absl/strings/ascii.h"
#include "dataplane/proxy_connect.h"

namespace fairlead::dataplane {
namespace {

using State = ProxyAnswer::State;

void Check(bool holds) {
  if (!holds) std::abort();
}

// What was understood, as one text.
std::string Understand(absl::string_view bytes, std::size_t step) {
  ProxyAnswer answer;
  std::size_t fed = 0;
  while (answer.state() == State::kReading && fed < bytes.size()) {
    const absl::string_view next = bytes.substr(fed, step);
    fed += next.size();
    answer.Feed(next);
  }
  Check(answer.excess() <= fed);
  Check(answer.state() != State::kReading || bytes.size() < ProxyAnswer::kMaxHeadBytes);
  for (const char c : answer.phrase()) Check(absl::ascii_isprint(static_cast<unsigned char>(c)));
  if (answer.state() == State::kDone) Check(answer.status() >= 100 && answer.status() <= 599);
  const bool is_tunnel = TunnelStatus(Endpoint(), Endpoint(), answer).ok();
  Check(!is_tunnel || (answer.status() / 100 == 2 && answer.excess() == 0));
  return std::to_string(static_cast<int>(answer.state())) + " " + std::to_string(answer.status()) +
         answer.phrase() + answer.problem();
}

}  // namespace
}  // namespace fairlead::dataplane

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using fairlead::dataplane::Understand;
  if (size > 16384) return 0;
  const absl::string_view bytes(reinterpret_cast<const char*>(data), size);
  const std::string whole = Understand(bytes, bytes.size() + 1);
  if (Understand(bytes, 1) != whole || Understand(bytes, 3) != whole) std::abort();
  return 0;
}
