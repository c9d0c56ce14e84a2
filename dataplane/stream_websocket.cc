// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// See stream_websocket.h.
#include "dataplane/stream_websocket.h"

#include <algorithm>
#include <boost/asio/error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "dataplane/socket_liveness.h"
#include "dataplane/tls_stream.h"

namespace fairlead::dataplane {
namespace {

// What the WebSocket and its pending operations share.
class Core : public std::enable_shared_from_this<Core> {
 public:
  using Self = std::shared_ptr<Core>;

  Core(std::unique_ptr<TlsStream> stream, PeerInfo peer, StreamWebSocketOptions options)
      : stream_(std::move(stream)),
        peer_(std::move(peer)),
        options_(options),
        timer_(stream_->get_executor()) {
    ProbeIdlePeer(stream_->socket().native_handle());
  }

  static net::awaitable<ReadResult> Read(Self self, net::mutable_buffer buffer);
  static net::awaitable<absl::Status> Write(Self self, net::const_buffer data, FrameKind kind);
  static net::awaitable<void> Close(Self self, CloseReason reason);

  void Start() { CheckLater(); }
  void Abort() noexcept { Lose("the connection was closed on this side"); }

  TlsStream& stream() { return *stream_; }
  const PeerInfo& peer() const { return peer_; }

 private:
  void End(std::uint16_t code, std::string text) {
    if (ended_) return;
    ended_ = true;
    end_.code = code;
    end_.text = std::move(text);
  }

  void Lose(std::string why) {
    End(kCloseLost, std::move(why));
    timer_.cancel();
    stream_->Close();
  }

  absl::Status Closed() const {
    return absl::UnavailableError(
        absl::StrCat("the connection to ", peer_.address, " is closed; open a new session"));
  }

  ReadResult EndResult() const {
    ReadResult result;
    result.open = false;
    result.close = end_;
    return result;
  }

  // What the end of reading means, and what is left to do about it.
  void OnReadError(const error_code& error);
  // Sees after a while whether the peer is alive.
  void CheckLater();

  const std::unique_ptr<TlsStream> stream_;
  const PeerInfo peer_;
  const StreamWebSocketOptions options_;
  net::steady_timer timer_;
  bool writing_ = false;
  bool write_failed_ = false;
  bool ended_ = false;
  CloseReason end_;
};

void Core::OnReadError(const error_code& error) {
  // A write that failed has taken the kernel's error, and left what looks like an end.
  const bool cut =
      error == net::error::connection_reset && stream_->input_ended() && !write_failed_;
  if (error == net::error::eof || cut) {
    End(kCloseNormal, "");
    // The peer may wait for ours.
    if (!writing_) stream_->SendCloseNotify();
    return;
  }
  const absl::Status failure = stream_->failure();
  Lose(failure.ok() ? error.message() : std::string(failure.message()));
}

net::awaitable<ReadResult> Core::Read(Self self, net::mutable_buffer buffer) {
  if (!self->ended_) {
    auto [error, size] = co_await self->stream_->async_read_some(buffer, kToken);
    if (!self->ended_ && !error) {
      ReadResult result;
      result.size = size;
      co_return result;
    }
    if (!self->ended_) self->OnReadError(error);
  }
  co_return self->EndResult();
}

void Core::CheckLater() {
  timer_.expires_after(absl::ToChronoNanoseconds(options_.check_interval));
  timer_.async_wait([weak = weak_from_this()](const error_code& error) {
    const Self self = error ? nullptr : weak.lock();
    if (self == nullptr || self->ended_) return;
    if (PeerAnswers(self->stream_->socket().native_handle())) return self->CheckLater();
    self->Lose("the peer no longer answers");
  });
}

net::awaitable<absl::Status> Core::Write(Self self, net::const_buffer data, FrameKind kind) {
  while (!self->ended_ && !self->write_failed_) {
    if (data.size() == 0 || kind == FrameKind::kText) co_return absl::OkStatus();
    self->writing_ = true;
    auto [error, size] = co_await self->stream_->async_write_some(data, kToken);
    self->writing_ = false;
    // What the peer sent before is still to be read, and so is its end.
    if (error) self->write_failed_ = true;
    data += size;
  }
  co_return self->Closed();
}

net::awaitable<void> Core::Close(Self self, CloseReason reason) {
  const bool over = self->ended_;
  self->timer_.cancel();
  self->End(reason.code, reason.text);
  if (!over && reason.code != kCloseLost) {
    // A read that is pending would take what the end of the connection waits for.
    error_code ignored;
    self->stream_->socket().cancel(ignored);
    co_await self->stream_->Shutdown(self->options_.close_timeout);
  }
  self->stream_->Close();
}

class StreamWebSocket : public WebSocket {
 public:
  explicit StreamWebSocket(std::shared_ptr<Core> core) : core_(std::move(core)) { core_->Start(); }
  ~StreamWebSocket() override { core_->Abort(); }

  net::any_io_executor executor() override { return core_->stream().get_executor(); }
  const PeerInfo& peer() const override { return core_->peer(); }
  net::awaitable<ReadResult> ReadSome(net::mutable_buffer buffer) override {
    return Core::Read(core_, buffer);
  }
  net::awaitable<absl::Status> WriteSome(net::const_buffer data, FrameKind kind, Fin) override {
    return Core::Write(core_, data, kind);
  }
  net::awaitable<void> Close(CloseReason reason) override {
    return Core::Close(core_, std::move(reason));
  }
  void Abort() noexcept override { core_->Abort(); }

 private:
  const std::shared_ptr<Core> core_;
};

}  // namespace

std::unique_ptr<WebSocket> MakeStreamWebSocket(std::unique_ptr<TlsStream> stream, PeerInfo peer,
                                               StreamWebSocketOptions options) {
  return std::make_unique<StreamWebSocket>(
      std::make_shared<Core>(std::move(stream), std::move(peer), options));
}

}  // namespace fairlead::dataplane
