// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Arbitrary bytes for the device's side of Telnet: what comes of them does not depend on how they
// are cut, sizes stay within their bounds, and answers in proportion.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>

#include "terminal/telnet_server.h"

namespace {

void Require(bool fact) {
  if (!fact) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace fairlead::terminal;
  const absl::string_view bytes(reinterpret_cast<const char*>(data), size);

  TelnetServer whole;
  const std::size_t offers = whole.waiting_for_network();
  whole.Receive(bytes);
  Require(whole.waiting_for_network() <= offers + 6 * size + 6);
  const std::string input = whole.TakeInput();
  Require(input.size() <= size);
  Require(whole.terminal_type().size() <= 40);
  const std::optional<WindowSize> window = whole.TakeWindowSize();
  if (window.has_value()) {
    Require(window->columns >= 1 && window->columns <= 1000);
    Require(window->rows >= 1 && window->rows <= 1000);
  }

  TelnetServer pieces;
  std::optional<WindowSize> last;
  std::size_t step = 1;
  for (std::size_t at = 0; at < size; at += step) {
    step = 1 + data[at] % 3;
    pieces.Receive(bytes.substr(at, step));
    if (const auto told = pieces.TakeWindowSize(); told.has_value()) last = told;
  }
  Require(pieces.TakeInput() == input);
  Require(pieces.TakeNetwork() == whole.TakeNetwork());
  Require(pieces.terminal_type() == whole.terminal_type());
  Require(last == window);

  // The same bytes as output.
  TelnetServer sender;
  sender.Send(bytes);
  Require(sender.waiting_for_network() >= offers + size);
  Require(sender.waiting_for_network() <= offers + 2 * size);
  return 0;
}
