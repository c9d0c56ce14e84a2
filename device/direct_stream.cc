// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
#include "device/direct_stream.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "base/log.h"
#include "terminal/telnet_server.h"

namespace fairlead::device {

std::string DescribeResult(const terminal::ProgramResult& result) {
  if (result.exit_code.has_value()) return absl::StrCat("exit code ", *result.exit_code);
  return result.signal.empty() ? "end not known" : result.signal;
}

net::awaitable<absl::StatusOr<std::unique_ptr<dataplane::WebSocket>>> DirectStream::Dial(
    std::string /*ticket*/) {
  co_return std::move(stream_);
}

void DirectStream::OnRunning(const std::string& session_id) {
  spdlog::info("session {}: the terminal runs", session_id);
}

void DirectStream::OnRefused(const std::string& session_id, Refusal /*refusal*/,
                             absl::string_view message) {
  spdlog::warn("session {}: {}", session_id, Printable(message));
  refusal_ = std::string(message);
}

void DirectStream::OnEnded(const std::string& session_id, const terminal::ProgramResult& result,
                           std::uint64_t total_bytes) {
  spdlog::info("session {}: the terminal ended, {}, {} bytes sent", session_id,
               DescribeResult(result), total_bytes);
}

net::awaitable<void> DirectStream::TellRefusal() {
  if (stream_ == nullptr) co_return;
  terminal::TelnetServer telnet;
  telnet.Send(absl::StrCat(refusal_, "\r\n"));
  const std::string bytes = telnet.TakeNetwork();
  dataplane::CloseReason reason;
  reason.code = dataplane::kCloseNormal;
  const absl::Status written = co_await stream_->WriteBinary(bytes);
  if (written.ok()) co_await stream_->Close(reason);
}

}  // namespace fairlead::device
