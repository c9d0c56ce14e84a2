// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
#include "gateway/device_connection.h"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"
#include "gateway/refusal.h"
#include "gateway/unified_message.h"

namespace fairlead::gateway {
namespace {

namespace net = dataplane::net;
using dataplane::CloseReason;
using dataplane::error_code;
using dataplane::kToken;
using dataplane::Message;
using dataplane::ReadResult;

// What a growing message is extended by before each read, at most.
constexpr std::size_t kReadStepBytes = 4096;

constexpr auto kNever = std::chrono::steady_clock::time_point::max();

}  // namespace

DeviceConnection::DeviceConnection(std::unique_ptr<dataplane::WebSocket> websocket,
                                   DeviceQueueLimits limits)
    : websocket_(std::move(websocket)),
      limits_(limits),
      executor_(websocket_->executor()),
      wake_(executor_, kNever),
      deadline_(executor_),
      close_deadline_(executor_),
      writer_ended_timer_(executor_, kNever) {}

void DeviceConnection::Start() {
  writer_ended_ = false;
  net::co_spawn(executor_, RunWriter(shared_from_this()), net::detached);
}

bool DeviceConnection::Send(std::string bytes) {
  bool full = false;
  {
    absl::MutexLock lock(&mutex_);
    if (closing_.has_value()) return false;
    full =
        queue_.size() >= limits_.max_messages || queued_bytes_ + bytes.size() > limits_.max_bytes;
    if (!full) {
      queued_bytes_ += bytes.size();
      queue_.push_back(std::move(bytes));
    }
  }
  if (full) {
    Close({dataplane::kCloseTooMany,
           "The device reads too slowly: too many messages wait. Connect again."});
    return false;
  }
  net::post(executor_, [self = shared_from_this()] { self->Wake(); });
  return true;
}

void DeviceConnection::Close(CloseReason reason) {
  {
    absl::MutexLock lock(&mutex_);
    if (closing_.has_value()) return;
    closing_ = std::move(reason);
    queue_.clear();
    queued_bytes_ = 0;
  }
  net::post(executor_, [self = shared_from_this()] { self->BeginClosing(); });
}

void DeviceConnection::SetDeadline(absl::Duration delay, CloseReason reason) {
  deadline_.expires_after(absl::ToChronoNanoseconds(delay));
  deadline_.async_wait([weak = weak_from_this(), reason = std::move(reason)](error_code error) {
    const auto self = weak.lock();
    if (!error && self != nullptr) self->Close(reason);
  });
}

void DeviceConnection::CancelDeadline() { deadline_.cancel(); }

void DeviceConnection::Wake() { wake_.cancel(); }

void DeviceConnection::BeginClosing() {
  Wake();
  close_deadline_.expires_after(absl::ToChronoNanoseconds(limits_.close_grace));
  close_deadline_.async_wait([weak = weak_from_this()](error_code error) {
    const auto self = weak.lock();
    if (!error && self != nullptr && !self->writer_ended_) self->websocket_->Abort();
  });
}

net::awaitable<Message> DeviceConnection::Read(std::size_t max_bytes) {
  Message message;
  for (;;) {
    const std::size_t have = message.payload.size();
    const std::size_t step = std::min(kReadStepBytes, max_bytes - have + 1);
    message.payload.resize(have + step);
    const net::mutable_buffer buffer(message.payload.data() + have, step);
    const ReadResult got = co_await websocket_->ReadSome(buffer);
    if (!got.open) {
      message.open = false;
      message.close = got.close;
      co_return message;
    }
    message.kind = got.kind;
    message.payload.resize(have + got.size);
    if (message.payload.size() > max_bytes) break;
    if (got.fin == dataplane::Fin::kLast) co_return message;
  }
  message.open = false;
  message.close.code = dataplane::kCloseTooBig;
  message.close.text = absl::StrCat("A message may have at most ", max_bytes, " bytes here.");
  Close(message.close);
  co_return message;
}

DeviceConnection::Work DeviceConnection::TakeWork() {
  Work work;
  absl::MutexLock lock(&mutex_);
  if (closing_.has_value()) {
    work.close = closing_;
  } else if (!queue_.empty()) {
    work.message = std::move(queue_.front());
    queue_.pop_front();
    queued_bytes_ -= work.message->size();
  }
  return work;
}

net::awaitable<void> DeviceConnection::RunWriter(std::shared_ptr<DeviceConnection> self) {
  for (;;) {
    const Work work = self->TakeWork();
    if (work.close.has_value()) {
      const CloseReason reason = *work.close;
      co_await self->websocket_->Close(reason);
      break;
    }
    if (!work.message.has_value()) {
      self->wake_.expires_at(kNever);
      co_await self->wake_.async_wait(kToken);
      continue;
    }
    const absl::string_view bytes = *work.message;
    const absl::Status written = co_await self->websocket_->WriteBinary(bytes);
    if (!written.ok()) {
      // Reading ends too, and with it the connection.
      self->websocket_->Abort();
      break;
    }
  }
  self->writer_ended_ = true;
  self->close_deadline_.cancel();
  self->writer_ended_timer_.cancel();
}

net::awaitable<void> DeviceConnection::WaitForWriter() {
  deadline_.cancel();
  while (!writer_ended_) {
    writer_ended_timer_.expires_at(kNever);
    co_await writer_ended_timer_.async_wait(kToken);
  }
}

absl::optional<CloseReason> DeviceConnection::close_reason() const {
  absl::MutexLock lock(&mutex_);
  return closing_;
}

CloseReason Malformed(absl::string_view what) {
  return CloseReason{dataplane::kCloseMalformed,
                     ClipReason(absl::StrCat("Not understood: ", what, "."))};
}

net::awaitable<absl::StatusOr<v1::DeviceMessage>> ReadDeviceMessage(
    std::shared_ptr<DeviceConnection> connection, CloseReason& end) {
  const Message message = co_await connection->Read(kMaxUnifiedMessageBytes);
  if (!message.open) {
    end = message.close;
    co_return absl::UnavailableError("closed");
  }
  absl::StatusOr<v1::DeviceMessage> parsed =
      message.kind == dataplane::FrameKind::kBinary
          ? ParseDeviceMessage(message.payload)
          : absl::InvalidArgumentError("a text frame, where binary ones are due");
  if (!parsed.ok()) {
    end = Malformed(absl::string_view(parsed.status().message()));
    connection->Close(end);
  }
  co_return parsed;
}

}  // namespace fairlead::gateway
