// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// The Console's end of a terminal stream: acknowledges output, limits its own unacknowledged input,
// and tells how the terminal ended and whether all of its output arrived. Used by the command line;
// the web console mirrors it. Sans-I/O.
#ifndef FAIRLEAD_TERMINAL_CONSOLE_END_H_
#define FAIRLEAD_TERMINAL_CONSOLE_END_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "terminal/control_frame.h"
#include "terminal/device_end.h"

namespace fairlead::terminal {

// The most input that a Console keeps unacknowledged, in bytes.
inline constexpr std::uint64_t kMaxUnacknowledgedInput = 256 * 1024;

// What may be believed of a result that a peer claims: an exit code out of 0 to 255 and a text that
// cannot be a signal's name ("SIG" and capitals, digits, '+' or '-') are unknown.
ProgramResult PlausibleResult(const ProgramResult& claimed);

// What a control frame tells the Console.
struct ConsoleEvent {
  enum class Kind {
    // Nothing to do.
    kNone,
    // This leg is in place at the relay.
    kAttached,
    // The device came, or went.
    kPeerAttached,
    kPeerDetached,
    // The device has accepted more input: InputAllowance may have grown.
    kAcknowledged,
    // The program ended; see result(). Acknowledge with TakeAck(kIdle) at once.
    kEnded,
    // Show `text`, which is plain (PlainText).
    kNotice,
  };
  Kind kind = Kind::kNone;
  std::string text;
};

// Thread: one. Offsets are 64-bit counts of payload bytes since the start of the stream.
class ConsoleEnd {
 public:
  // Output.

  // `bytes` of output were received and handled (shown, or written to a file).
  void OnOutputHandled(std::size_t bytes) { received_ += bytes; }
  // Whether more output is waiting to be read: when idle, an acknowledgement goes out at once.
  enum class Output { kIdle, kMore };
  // The acknowledgement to send now, if one is due.
  std::optional<std::string> TakeAck(Output output);
  std::uint64_t received_bytes() const { return received_; }

  // Input.

  // How many bytes of input may be sent now. A device that has not acknowledged anything yet may
  // be one that never does, and is not limited.
  std::uint64_t InputAllowance() const;
  void OnInputSent(std::size_t bytes) { sent_ += bytes; }
  std::uint64_t sent_bytes() const { return sent_; }

  // Control frames from the relay and the device.
  // Errors: INVALID_ARGUMENT malformed, acknowledges more than was sent, or a second `end`.
  absl::StatusOr<ConsoleEvent> OnText(absl::string_view text);

  // How the program ended; absent before the `end` frame. Both of its fields are empty if the
  // device does not know.
  const std::optional<ProgramResult>& result() const { return result_; }

  // What is known once the tunnel is closed.
  struct Outcome {
    enum class Kind {
      // The program ended and every byte of its output arrived.
      kComplete,
      // The program ended; `missing_bytes` of its output did not arrive.
      kTruncated,
      // The tunnel went away before the program's end was told.
      kNoEnd,
    };
    Kind kind = Kind::kNoEnd;
    std::uint64_t missing_bytes = 0;
  };
  Outcome outcome() const;

 private:
  absl::StatusOr<ConsoleEvent> OnAck(std::uint64_t received_bytes);
  absl::StatusOr<ConsoleEvent> OnEnd(const v1::End& end);

  std::uint64_t received_ = 0;
  std::uint64_t ack_sent_ = 0;
  std::uint64_t sent_ = 0;
  bool peer_acknowledges_ = false;
  std::uint64_t acknowledged_ = 0;
  std::optional<ProgramResult> result_;
  std::uint64_t total_bytes_ = 0;
  bool end_acknowledged_ = false;
};

}  // namespace fairlead::terminal

#endif  // FAIRLEAD_TERMINAL_CONSOLE_END_H_
