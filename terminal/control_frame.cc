// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
#include "terminal/control_frame.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "google/protobuf/util/json_util.h"

namespace fairlead::terminal {
namespace {

namespace json = ::google::protobuf::util;

constexpr std::uint32_t kMaxCells = 1000;

}  // namespace

WindowSize ClampWindowSize(std::uint32_t columns, std::uint32_t rows) {
  WindowSize size;
  size.columns = std::clamp(columns, 1u, kMaxCells);
  size.rows = std::clamp(rows, 1u, kMaxCells);
  return size;
}

absl::StatusOr<v1::TerminalControl> ParseControlFrame(absl::string_view text) {
  if (text.size() > kMaxControlFrameBytes) {
    return absl::InvalidArgumentError(absl::StrCat("a control frame of ", text.size(),
                                                   " bytes is longer than the ",
                                                   kMaxControlFrameBytes, " bytes allowed"));
  }
  json::JsonParseOptions options;
  options.ignore_unknown_fields = true;
  v1::TerminalControl control;
  const auto status = json::JsonStringToMessage(
      google::protobuf::StringPiece(text.data(), text.size()), &control, options);
  if (!status.ok()) {
    return absl::InvalidArgumentError(
        "a text frame must be one JSON object with one field, such as "
        "{\"resize\":{\"columns\":80,\"rows\":24}}");
  }
  return control;
}

std::string PrintControlFrame(const v1::TerminalControl& control) {
  json::JsonPrintOptions options;
  options.always_print_primitive_fields = true;
  std::string text;
  // Fails only for messages that hold an Any or an out-of-range time, which this one does not.
  if (!json::MessageToJsonString(control, &text, options).ok()) return "{}";
  return text;
}

std::string AckFrame(std::uint64_t received_bytes) {
  return absl::StrCat("{\"ack\":{\"receivedBytes\":\"", received_bytes, "\"}}");
}

std::string ResizeFrame(WindowSize size) {
  return absl::StrCat("{\"resize\":{\"columns\":", size.columns, ",\"rows\":", size.rows, "}}");
}

std::string CloseFrame() { return "{\"close\":{}}"; }

}  // namespace fairlead::terminal
