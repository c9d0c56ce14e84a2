// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// What the tunnel of a terminal carries: a pseudo-terminal's bytes with control frames beside them
// (OS 12), or a Telnet stream without any (OS 11). Used by TerminalSession. Sans-I/O.
#ifndef FAIRLEAD_DEVICE_TERMINAL_STREAM_H_
#define FAIRLEAD_DEVICE_TERMINAL_STREAM_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "dataplane/websocket.h"
#include "terminal/device_end.h"

namespace fairlead::device {

enum class StreamKind { kPty, kTelnet };

// Thread: one.
class TerminalStream {
 public:
  // A whole message for the tunnel.
  struct Frame {
    dataplane::FrameKind kind = dataplane::FrameKind::kBinary;
    std::string payload;
  };
  // How much input waits for the program: none, some, or so much that the peer must pause.
  enum class Queue { kEmpty, kWaiting, kFull };

  virtual ~TerminalStream() = default;

  // What the stream has to say itself, if anything. Before Encode: a Telnet stream begins so.
  virtual std::optional<Frame> TakeFrame(Queue queue) = 0;
  // How many bytes of output may be encoded now.
  virtual std::uint64_t Allowance() const = 0;
  // The program's output as it goes into the tunnel, as one binary frame. Valid until the next
  // Encode or TakeFrame, and while `output` is.
  virtual absl::string_view Encode(absl::string_view output) = 0;
  // Payload bytes of binary frames so far.
  virtual std::uint64_t sent_bytes() const = 0;

  // Whether more may be decoded; if not, take frames first.
  virtual bool TakesInput() const = 0;
  // The program's input in a binary frame's bytes. Valid until the next Decode, and while `bytes`
  // are.
  virtual absl::string_view Decode(absl::string_view bytes) = 0;
  // A window size that came with what was decoded.
  virtual std::optional<terminal::WindowSize> TakeWindowSize() = 0;
  // A text frame. Errors: INVALID_ARGUMENT close with 4400.
  virtual absl::StatusOr<terminal::DeviceEvent> OnText(absl::string_view text) = 0;

  // The program ended and all its output was encoded and written: the text frame that tells it, if
  // there is one. Once.
  virtual std::optional<std::string> End(const terminal::ProgramResult& result,
                                         absl::Duration now) = 0;
  virtual bool ended() const = 0;
  // Whether the tunnel may be closed; at the latest at deadline(). Only after End.
  virtual bool done(absl::Duration now) const = 0;
  virtual absl::Duration deadline() const = 0;
};

// `size` is the window's until the peer tells another.
std::unique_ptr<TerminalStream> MakeTerminalStream(StreamKind kind, terminal::WindowSize size);

}  // namespace fairlead::device

#endif  // FAIRLEAD_DEVICE_TERMINAL_STREAM_H_
