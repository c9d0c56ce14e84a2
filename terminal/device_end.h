// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// The device's end of a terminal stream: counts bytes both ways, keeps the send window, answers
// control frames, and ends the stream so that nothing is lost. Used by the agent's terminal
// session, which does the I/O. Sans-I/O.
#ifndef FAIRLEAD_TERMINAL_DEVICE_END_H_
#define FAIRLEAD_TERMINAL_DEVICE_END_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "terminal/control_frame.h"

namespace fairlead::terminal {

// The most output that is sent and not yet acknowledged, in bytes. As little as the contract
// allows: a key's echo and Ctrl-C wait behind it, and a browser draws some megabytes a second only.
inline constexpr std::uint64_t kSendWindow = 256 * 1024;
// Received bytes after which an acknowledgement must not wait any longer.
inline constexpr std::uint64_t kAckEveryBytes = 64 * 1024;
// How long after `end` the device waits for the acknowledgement of everything.
inline constexpr absl::Duration kEndAckTimeout = absl::Seconds(2);

// How the program ended: an exit code, or a signal's name, or neither if that is not known.
struct ProgramResult {
  std::optional<int> exit_code;
  std::string signal;

  friend bool operator==(const ProgramResult&, const ProgramResult&) = default;
};

// What a control frame asks of the device.
struct DeviceEvent {
  enum class Kind {
    // Nothing to do.
    kNone,
    // This leg is in place at the relay.
    kAttached,
    // The Console came, or went.
    kPeerAttached,
    kPeerDetached,
    // Set the window size to `size`.
    kResize,
    // The Console has handled more: the send window may have opened, or done() may hold.
    kAcknowledged,
    // End the program.
    kHangUp,
    // Show `text`.
    kNotice,
  };
  Kind kind = Kind::kNone;
  WindowSize size;
  std::string text;
};

// Thread: one. Offsets are 64-bit counts of payload bytes since the start of the stream.
class DeviceEnd {
 public:
  // Output.

  // How many bytes of output may be sent now. The window counts only after the first
  // acknowledgement: a Console that never sends one is limited by TCP alone.
  std::uint64_t SendAllowance() const;
  // `bytes` of output were given to the tunnel. Not after End.
  void OnSent(std::size_t bytes) { sent_ += bytes; }
  std::uint64_t sent_bytes() const { return sent_; }

  // Input.

  // `bytes` of input were accepted into the input queue.
  void OnInputAccepted(std::size_t bytes) { received_ += bytes; }
  // Whether the input queue is empty: then an acknowledgement does not wait for more.
  enum class Queue { kEmpty, kWaiting };
  // The acknowledgement to send now, if one is due.
  std::optional<std::string> TakeAck(Queue queue);
  std::uint64_t received_bytes() const { return received_; }

  // Control frames from the relay and the Console.
  // Errors: INVALID_ARGUMENT malformed, or acknowledges more than was sent: close with 4400.
  absl::StatusOr<DeviceEvent> OnText(absl::string_view text);

  // The program ended and everything it wrote was sent: returns the `end` frame. Once.
  // `now` is monotonic.
  std::string End(const ProgramResult& result, absl::Duration now);
  bool ended() const { return deadline_.has_value(); }
  // When to close although not everything was acknowledged. Only after End.
  absl::Duration deadline() const { return *deadline_; }
  // Whether the stream may be closed with 1000: all is acknowledged, or it is too late.
  bool done(absl::Duration now) const;

 private:
  absl::StatusOr<DeviceEvent> OnAck(std::uint64_t received_bytes);

  std::uint64_t sent_ = 0;
  bool peer_acknowledges_ = false;
  std::uint64_t acknowledged_ = 0;
  std::uint64_t received_ = 0;
  std::uint64_t ack_sent_ = 0;
  std::optional<absl::Duration> deadline_;
};

}  // namespace fairlead::terminal

#endif  // FAIRLEAD_TERMINAL_DEVICE_END_H_
