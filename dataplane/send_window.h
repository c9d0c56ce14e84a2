// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// How much of what was sent to a WebSocket's peer it may leave unread. The kernel takes in more
// than anybody reads, so the peer is asked by pings how far it has read: it answers each after what
// came before it (RFC 6455 section 5.5.2). Used for output that its ends do not acknowledge.
#ifndef FAIRLEAD_DATAPLANE_SEND_WINDOW_H_
#define FAIRLEAD_DATAPLANE_SEND_WINDOW_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"

namespace fairlead::dataplane {

class SendWindow {
 public:
  // Over a link with a round trip of 100 ms it still makes up to 2.6 MB/s.
  static constexpr std::size_t kBytes = 256 * 1024;
  // So much is sent between two pings.
  static constexpr std::size_t kStepBytes = 64 * 1024;

  // So many bytes were sent. Whether a ping with Mark() is to follow them.
  bool OnSent(std::size_t bytes);
  // The payload of a ping: how much was sent before it, as a decimal number.
  std::string Mark();
  // A pong came. Anything but the answer to a ping of ours since the last one is ignored; pings in
  // between may have been skipped (section 5.5.3).
  void OnPong(absl::string_view payload);

  // More is to be sent only when a pong has come. There is a ping on its way whose answer opens it.
  bool full() const { return sent_ - read_ >= kBytes; }
  // A ping was not answered yet.
  bool awaits_pong() const { return marked_ > read_; }

 private:
  std::uint64_t sent_ = 0;
  // What the last ping said, and the last answer.
  std::uint64_t marked_ = 0;
  std::uint64_t read_ = 0;
};

}  // namespace fairlead::dataplane

#endif  // FAIRLEAD_DATAPLANE_SEND_WINDOW_H_
