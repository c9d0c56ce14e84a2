// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
#include "device/input_queue.h"

#include <algorithm>

namespace fairlead::device {
namespace {

// Below this, moving what is left to the front costs more calls than it saves memory.
constexpr std::size_t kCompactBytes = 64 * 1024;

bool IsKey(unsigned char byte, const InterruptKeys& keys) {
  return byte != 0 && (byte == keys.interrupt || byte == keys.quit || byte == keys.suspend);
}

}  // namespace

void InputQueue::Append(absl::string_view bytes) { buffer_.append(bytes.data(), bytes.size()); }

absl::string_view InputQueue::front() const { return absl::string_view(buffer_).substr(head_); }

void InputQueue::Consume(std::size_t count) {
  head_ += std::min(count, size());
  if (empty()) {
    Clear();
  } else if (head_ >= kCompactBytes && head_ >= buffer_.size() / 2) {
    buffer_.erase(0, head_);
    head_ = 0;
  }
}

void InputQueue::Clear() {
  head_ = 0;
  buffer_.clear();
  // A paste of megabytes must not be paid for until the session's end.
  if (buffer_.capacity() > kCompactBytes) buffer_.shrink_to_fit();
}

InterruptSplit SplitAtInterrupts(absl::string_view chunk, const InterruptKeys& keys) {
  InterruptSplit split;
  split.rest = chunk;
  if (!keys.enabled) return split;
  for (std::size_t i = 0; i < chunk.size(); ++i) {
    const auto byte = static_cast<unsigned char>(chunk[i]);
    if (byte != 0 && byte == keys.literal_next) {
      ++i;
    } else if (IsKey(byte, keys)) {
      split.keys.push_back(chunk[i]);
      split.rest = chunk.substr(i + 1);
    }
  }
  return split;
}

}  // namespace fairlead::device
