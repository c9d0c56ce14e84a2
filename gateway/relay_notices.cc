// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
#include "gateway/relay_notices.h"

#include <google/protobuf/util/json_util.h>

#include "base/log.h"
#include "proto/terminal.pb.h"

namespace fairlead::gateway {
namespace {

std::string ToJson(const v1::TerminalControl& control) {
  google::protobuf::util::JsonPrintOptions options;
  options.always_print_primitive_fields = true;
  std::string json;
  const auto printed = google::protobuf::util::MessageToJsonString(control, &json, options);
  if (!printed.ok()) {
    spdlog::critical("a control frame cannot be printed as JSON");
    std::abort();
  }
  return json;
}

}  // namespace

std::string AttachedText() {
  v1::TerminalControl control;
  control.mutable_attached()->mutable_resume_window();
  return ToJson(control);
}

std::string PeerAttachedText() {
  v1::TerminalControl control;
  control.mutable_peer()->set_state(v1::Peer::ATTACHED);
  return ToJson(control);
}

absl::optional<std::uint64_t> AcknowledgedBytes(absl::string_view text) {
  google::protobuf::util::JsonParseOptions options;
  options.ignore_unknown_fields = true;
  v1::TerminalControl control;
  const auto parsed = google::protobuf::util::JsonStringToMessage(
      google::protobuf::StringPiece(text.data(), text.size()), &control, options);
  if (!parsed.ok() || !control.has_ack()) return absl::nullopt;
  return control.ack().received_bytes();
}

}  // namespace fairlead::gateway
