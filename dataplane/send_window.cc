// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
#include "dataplane/send_window.h"

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace fairlead::dataplane {

bool SendWindow::OnSent(std::size_t bytes) {
  sent_ += bytes;
  return sent_ - marked_ >= kStepBytes;
}

std::string SendWindow::Mark() {
  marked_ = sent_;
  return absl::StrCat(marked_);
}

void SendWindow::OnPong(absl::string_view payload) {
  std::uint64_t mark = 0;
  if (!absl::SimpleAtoi(payload, &mark)) return;
  if (mark > read_ && mark <= marked_) read_ = mark;
}

}  // namespace fairlead::dataplane
