// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Control frames of a tunnel as text: one TerminalControl in proto3 JSON each
// (proto/terminal.proto). Used by both ends of a terminal, DeviceEnd and ConsoleEnd. Sans-I/O.
#ifndef FAIRLEAD_TERMINAL_CONTROL_FRAME_H_
#define FAIRLEAD_TERMINAL_CONTROL_FRAME_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "proto/terminal.pb.h"

namespace fairlead::terminal {

// The longest control frame that is read, in bytes.
inline constexpr std::size_t kMaxControlFrameBytes = 64 * 1024;

// A window size within the limits of the contract.
struct WindowSize {
  std::uint32_t columns = 80;
  std::uint32_t rows = 24;

  friend bool operator==(const WindowSize&, const WindowSize&) = default;
};

// Clamps both to 1..1000.
WindowSize ClampWindowSize(std::uint32_t columns, std::uint32_t rows);

// Reads a text frame. Fields, enum values and cases that are not known are ignored, so that newer
// peers work: such a frame gives CONTROL_NOT_SET, or the fields that are known.
// Errors: INVALID_ARGUMENT not JSON, not of this shape, or longer than kMaxControlFrameBytes.
absl::StatusOr<v1::TerminalControl> ParseControlFrame(absl::string_view text);

// The text frame for `control`. Plain fields are printed even at their default.
std::string PrintControlFrame(const v1::TerminalControl& control);

// The frames that the two ends send.
std::string AckFrame(std::uint64_t received_bytes);
std::string ResizeFrame(WindowSize size);
std::string CloseFrame();

}  // namespace fairlead::terminal

#endif  // FAIRLEAD_TERMINAL_CONTROL_FRAME_H_
