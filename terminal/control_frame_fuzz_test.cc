// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Arbitrary text frames: neither end crashes, what parses prints and parses again to the same, and
// the windows stay within their bounds.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "google/protobuf/util/message_differencer.h"
#include "terminal/console_end.h"
#include "terminal/control_frame.h"
#include "terminal/device_end.h"

namespace {

void Require(bool fact) {
  if (!fact) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace fairlead::terminal;
  const absl::string_view text(reinterpret_cast<const char*>(data), size);

  DeviceEnd device;
  device.OnSent(5000);
  const auto device_event = device.OnText(text);
  if (device_event.ok() && device_event->kind == DeviceEvent::Kind::kResize) {
    Require(device_event->size.columns >= 1 && device_event->size.columns <= 1000);
    Require(device_event->size.rows >= 1 && device_event->size.rows <= 1000);
  }
  Require(device.SendAllowance() >= kSendWindow - 5000);

  ConsoleEnd console;
  console.OnInputSent(5000);
  (void)console.OnText(text);
  Require(console.result().has_value() || console.InputAllowance() >= 256 * 1024 - 5000);

  const auto control = ParseControlFrame(text);
  if (!control.ok()) return 0;
  const auto again = ParseControlFrame(PrintControlFrame(*control));
  // A duration outside the range of JSON's mapping parses to an error only when printed.
  if (again.ok() && control->control_case() != fairlead::v1::TerminalControl::kAttached) {
    Require(google::protobuf::util::MessageDifferencer::Equals(*control, *again));
  }
  return 0;
}
