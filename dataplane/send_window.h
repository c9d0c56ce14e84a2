// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// How much of its output a Console may leave unhandled where no device looks at that: the edge
// reads the Console's acknowledgements (proto/terminal.proto, `ack`) in the device's place and
// holds the device back by them. Sans-I/O; used by TunnelLeg.
#ifndef FAIRLEAD_DATAPLANE_SEND_WINDOW_H_
#define FAIRLEAD_DATAPLANE_SEND_WINDOW_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "dataplane/frame_codec.h"

namespace fairlead::dataplane {

// What a text message acknowledges: payload bytes handled since the leg began. Nothing if it is
// another message. Handed in because the data plane knows no proto.
using AckReader = absl::optional<std::uint64_t> (*)(absl::string_view text);

class SendWindow {
 public:
  // Over a link with a round trip of 100 ms it still makes up to 2.6 MB/s. A Console acknowledges
  // at least every 64 KiB.
  static constexpr std::size_t kBytes = 256 * 1024;
  // No acknowledgement is longer.
  static constexpr std::size_t kMaxAckBytes = 128;

  explicit SendWindow(AckReader read_ack) : read_ack_(read_ack) {}

  // So many bytes of output were sent.
  void OnSent(std::size_t bytes) { sent_ += bytes; }
  // The next piece of a text message of the Console's; `fin` tells whether it is the last one. An
  // acknowledgement of what was not sent is ignored.
  void OnText(absl::string_view piece, Fin fin);

  // More is to be sent only when something was acknowledged. Never before the first time, so that
  // a Console that does not acknowledge is limited by TCP alone.
  bool full() const { return acknowledges_ && sent_ - handled_ >= kBytes; }
  // An acknowledgement may still be on its way.
  bool awaits_ack() const { return acknowledges_ && handled_ < sent_; }

 private:
  const AckReader read_ack_;
  std::uint64_t sent_ = 0;
  std::uint64_t handled_ = 0;
  // The message so far, up to what is certainly too long.
  std::string text_;
  bool acknowledges_ = false;
};

}  // namespace fairlead::dataplane

#endif  // FAIRLEAD_DATAPLANE_SEND_WINDOW_H_
