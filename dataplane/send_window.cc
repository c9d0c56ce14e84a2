// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
#include "dataplane/send_window.h"

#include <algorithm>
#include <utility>

namespace fairlead::dataplane {

void SendWindow::OnText(absl::string_view piece, Fin fin) {
  const std::size_t room = kMaxAckBytes + 1 - text_.size();
  text_.append(piece.data(), std::min(piece.size(), room));
  if (fin != Fin::kLast) return;
  const std::string text = std::exchange(text_, std::string());
  if (text.size() > kMaxAckBytes) return;
  const absl::optional<std::uint64_t> handled = read_ack_(text);
  if (!handled.has_value() || *handled > sent_) return;
  acknowledges_ = true;
  handled_ = std::max(handled_, *handled);
}

}  // namespace fairlead::dataplane
