// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// A Telnet stream that was opened to the device (OS 11 direct), as a terminal session sees it: a
// tunnel that need not be dialled, and an observer that has only the stream itself to tell things
// to. Used by Terminals.
#ifndef FAIRLEAD_DEVICE_DIRECT_STREAM_H_
#define FAIRLEAD_DEVICE_DIRECT_STREAM_H_

#include <memory>
#include <string>

#include "device/terminal_session.h"

namespace fairlead::device {

// "exit code 7", "SIGKILL", or that it is not known.
std::string DescribeResult(const terminal::ProgramResult& result);

// Thread: one. Lifetime: must outlive the session's Run.
class DirectStream : public TunnelDialer, public TerminalObserver {
 public:
  explicit DirectStream(std::unique_ptr<dataplane::WebSocket> stream)
      : stream_(std::move(stream)) {}

  // Gives the stream, once. The ticket is not used.
  net::awaitable<absl::StatusOr<std::unique_ptr<dataplane::WebSocket>>> Dial(
      std::string ticket) override;

  void OnRunning(const std::string& session_id) override;
  void OnRefused(const std::string& session_id, Refusal refusal,
                 absl::string_view message) override;
  void OnEnded(const std::string& session_id, const terminal::ProgramResult& result,
               std::uint64_t total_bytes) override;

  // Writes why there is no terminal to a stream that nobody took, and closes it.
  net::awaitable<void> TellRefusal();

 private:
  std::unique_ptr<dataplane::WebSocket> stream_;
  std::string refusal_;
};

}  // namespace fairlead::device

#endif  // FAIRLEAD_DEVICE_DIRECT_STREAM_H_
