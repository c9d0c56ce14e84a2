// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Arbitrary texts of a Console to an OS 11 device, cut anywhere: the relay reads the same from them
// whole and in pieces, and never takes more to be handled than was sent.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "dataplane/send_window.h"
#include "gateway/relay_notices.h"

namespace {

using fairlead::dataplane::Fin;
using fairlead::dataplane::SendWindow;

void Require(bool fact) {
  if (!fact) std::abort();
}

}  // namespace

// The first byte says how long the pieces are.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const absl::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  SendWindow whole(&fairlead::gateway::AcknowledgedBytes);
  whole.OnSent(SendWindow::kBytes);
  whole.OnText(text, Fin::kLast);

  SendWindow pieces(&fairlead::gateway::AcknowledgedBytes);
  pieces.OnSent(SendWindow::kBytes);
  const std::size_t step = data[0] + std::size_t{1};
  for (std::size_t at = 0; at < text.size(); at += step) {
    pieces.OnText(text.substr(at, step), Fin::kMore);
  }
  pieces.OnText("", Fin::kLast);
  Require(whole.full() == pieces.full());
  Require(whole.awaits_ack() == pieces.awaits_ack());

  // It cannot have acknowledged more than was sent.
  whole.OnText(R"({"ack":{"receivedBytes":"0"}})", Fin::kLast);
  whole.OnSent(SendWindow::kBytes);
  Require(whole.full());
  return 0;
}
