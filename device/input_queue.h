// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Input on its way to a program that may be slow to read it: a bounded queue of bytes, and the rule
// by which an interrupt key overtakes what waits before it. Used by TerminalSession. Sans-I/O.
#ifndef FAIRLEAD_DEVICE_INPUT_QUEUE_H_
#define FAIRLEAD_DEVICE_INPUT_QUEUE_H_

#include <cstddef>
#include <string>

#include "absl/strings/string_view.h"
#include "device/pty.h"

namespace fairlead::device {

// What is held at most, in bytes; the reader stops while there is no room for a read.
inline constexpr std::size_t kMaxQueuedInput = 16 * 1024 * 1024;
// Above this, input is no longer acknowledged: a Console that heeds acknowledgements (256 KiB)
// stops before the queue is full, so that resizes, hang-ups and interrupts still get through.
inline constexpr std::size_t kAckQueuedInput = kMaxQueuedInput - 1024 * 1024;

// Thread: one.
class InputQueue {
 public:
  void Append(absl::string_view bytes);
  // All that waits; valid until the next call that is not const.
  absl::string_view front() const;
  // Removes the first `count` bytes, at most size().
  void Consume(std::size_t count);
  void Clear();
  std::size_t size() const { return buffer_.size() - head_; }
  bool empty() const { return size() == 0; }

 private:
  std::string buffer_;
  std::size_t head_ = 0;
};

// A chunk of input as split by the interrupt keys in it.
struct InterruptSplit {
  // The interrupt keys, in order; empty if there are none.
  std::string keys;
  // What follows the last of them; all of the chunk if there are none.
  absl::string_view rest;
};

// Finds the interrupt keys in `chunk`. A key right after a literal-next is a plain byte.
InterruptSplit SplitAtInterrupts(absl::string_view chunk, const InterruptKeys& keys);

}  // namespace fairlead::device

#endif  // FAIRLEAD_DEVICE_INPUT_QUEUE_H_
