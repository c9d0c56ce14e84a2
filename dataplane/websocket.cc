// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// See websocket.h: what all implementations share.
#include "dataplane/websocket.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

namespace fairlead::dataplane {
namespace {

// What a growing payload is extended by before each read, at most.
constexpr std::size_t kReadStepBytes = 16 * 1024;

}  // namespace

net::awaitable<Message> WebSocket::ReadMessage(std::size_t max_bytes) {
  Message message;
  for (;;) {
    const std::size_t have = message.payload.size();
    // One byte more than allowed tells a message that is too big from one that just fits.
    const std::size_t step = std::min(kReadStepBytes, max_bytes - have + 1);
    message.payload.resize(have + step);
    const ReadResult got = co_await ReadSome(net::buffer(message.payload.data() + have, step));
    if (!got.open) {
      message.open = false;
      message.payload.clear();
      message.close = got.close;
      co_return message;
    }
    message.kind = got.kind;
    message.payload.resize(have + got.size);
    if (message.payload.size() > max_bytes) break;
    if (got.fin == Fin::kLast) co_return message;
  }
  message.open = false;
  message.payload.clear();
  message.close.code = kCloseTooBig;
  message.close.text =
      absl::StrCat("a message may have at most ", max_bytes, " bytes here; send smaller ones");
  const CloseReason reason = message.close;
  co_await Close(reason);
  co_return message;
}

net::awaitable<absl::Status> WebSocket::WriteText(absl::string_view text) {
  return WriteSome(net::buffer(text.data(), text.size()), FrameKind::kText, Fin::kLast);
}

net::awaitable<absl::Status> WebSocket::WriteBinary(absl::string_view bytes) {
  return WriteSome(net::buffer(bytes.data(), bytes.size()), FrameKind::kBinary, Fin::kLast);
}

}  // namespace fairlead::dataplane
