// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// The WebSocket of websocket.h over Beast and any stream: framing by Beast, keep-alive, deadlines
// and close codes by us. Included only where it is instantiated (each time costs half a minute):
// beast_websocket.cc for TLS, and the fuzz test for a stream in memory.
#ifndef FAIRLEAD_DATAPLANE_BEAST_WEBSOCKET_CORE_H_
#define FAIRLEAD_DATAPLANE_BEAST_WEBSOCKET_CORE_H_

#include <boost/asio/compose.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/error.hpp>
#include <boost/beast/core/stream_traits.hpp>
#include <boost/beast/websocket/error.hpp>
#include <boost/beast/websocket/stream.hpp>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/clock.h"
#include "dataplane/forgiving_write.h"
#include "dataplane/keepalive.h"
#include "dataplane/socket_liveness.h"
#include "dataplane/websocket.h"

namespace fairlead::dataplane::internal {

// Closes the connection under a stream: each stream has its own overload.
template <class Next>
void CloseStream(Next& stream) {
  stream.Close();
}

// Whether the peer of the connection under a stream is alive: likewise.
template <class Next>
bool PeerIsAlive(Next& stream) {
  return PeerAnswers(stream.socket().native_handle());
}

// A stream that remembers when the last write began. Beast writes a frame in pieces, one after the
// other, so that the beginning of one is the progress of those before it.
//
// Beast is not told when a write fails: it would then refuse to read, and what the peer sent before
// it went would be lost. From then on writes vanish, write_failed() tells, and reading goes on to
// its end.
template <class Next>
class MeteredStream {
 public:
  using executor_type = net::any_io_executor;

  MeteredStream(std::unique_ptr<Next> next, const Clock& clock)
      : next_(std::move(next)), clock_(&clock) {}

  executor_type get_executor() noexcept { return next_->get_executor(); }
  Next& next() { return *next_; }
  absl::Duration last_write() const { return last_write_; }
  bool write_failed() const { return *write_failed_; }
  // `callback` is told when Beast begins to end the connection.
  void OnTeardown(std::function<void()> callback) { on_teardown_ = std::move(callback); }

  template <class Buffers, class Token>
  auto async_read_some(const Buffers& buffers, Token&& token) {
    return next_->async_read_some(buffers, std::forward<Token>(token));
  }
  template <class Buffers, class Token>
  auto async_write_some(const Buffers& buffers, Token&& token) {
    last_write_ = clock_->Monotonic();
    return net::async_compose<Token, void(error_code, std::size_t)>(
        ForgivingWrite<Next, Buffers>{next_.get(), write_failed_, buffers}, token, *next_);
  }

  // What Beast finds by argument-dependent look-up to end a connection.
  friend void beast_close_socket(MeteredStream& stream) { CloseStream(stream.next()); }
  friend void teardown(boost::beast::role_type role, MeteredStream& stream, error_code& error) {
    teardown(role, stream.next(), error);
  }
  template <class Handler>
  friend void async_teardown(boost::beast::role_type role, MeteredStream& stream,
                             Handler&& handler) {
    if (stream.on_teardown_) stream.on_teardown_();
    async_teardown(role, stream.next(), std::forward<Handler>(handler));
  }

 private:
  std::unique_ptr<Next> next_;
  const Clock* clock_;
  absl::Duration last_write_ = -absl::InfiniteDuration();
  std::shared_ptr<bool> write_failed_ = std::make_shared<bool>(false);
  std::function<void()> on_teardown_;
};

// What a failed read of Beast's means as the end of a WebSocket.
CloseReason EndFromError(const error_code& error, const boost::beast::websocket::close_reason& got);

// The reason as it goes over the wire: never a code that must not be sent, text cut to 123 bytes.
boost::beast::websocket::close_reason WireReason(const CloseReason& reason);

// A client masks its frames piece by piece in a buffer that the stream keeps: one that takes a TLS
// record for what is large, and a small one from the next small message on.
inline constexpr std::size_t kMaskBufferBytes = 16 * 1024;
inline constexpr std::size_t kSmallMaskBufferBytes = 1024;

// A WebSocket, shared by the object that the owner holds and its pending operations, so that the
// owner may go once he has aborted.
// Thread: the stream's executor's.
template <class Next>
class WebSocketCore : public std::enable_shared_from_this<WebSocketCore<Next>> {
 public:
  using Stream = boost::beast::websocket::stream<MeteredStream<Next>, false>;
  using Self = std::shared_ptr<WebSocketCore>;

  WebSocketCore(std::unique_ptr<Next> next, PeerInfo peer, const KeepAliveOptions& options,
                const Clock& clock)
      : clock_(clock),
        peer_(std::move(peer)),
        stream_(MeteredStream<Next>(std::move(next), clock)),
        timer_(stream_.get_executor()),
        keep_alive_(options, clock.Monotonic()) {
    stream_.auto_fragment(false);
    stream_.read_message_max(kMaxMessageBytes);
  }

  Stream& stream() { return stream_; }
  const PeerInfo& peer() const { return peer_; }

  // The frames of this end are to be masked.
  void BeClient() { masks_ = true; }

  // To be called once, when the handshake is done.
  void Start() {
    // Weak, since the core owns the callback.
    stream_.control_callback(
        [weak = this->weak_from_this()](boost::beast::websocket::frame_type kind,
                                        boost::beast::string_view) {
          if (auto self = weak.lock()) self->OnControlFrame(kind);
        });
    stream_.next_layer().OnTeardown([weak = this->weak_from_this()] {
      auto self = weak.lock();
      if (self == nullptr) return;
      self->keep_alive_.OnClosing(self->Now());
      self->Follow();
    });
    keep_alive_ = KeepAlive(keep_alive_.options(), Now());
    Follow();
  }

  // Before the first read and write.
  void Tune(std::size_t max_message_bytes, const KeepAliveOptions& keep_alive) {
    stream_.read_message_max(max_message_bytes);
    keep_alive_ = KeepAlive(keep_alive, Now());
    Follow();
  }

  static net::awaitable<ReadResult> ReadSome(Self self, net::mutable_buffer buffer);
  static net::awaitable<absl::Status> WriteSome(Self self, net::const_buffer data, FrameKind kind,
                                                Fin fin);
  static net::awaitable<void> Close(Self self, CloseReason reason);

  // Ends it as lost, unless it has ended.
  void Abort() noexcept {
    End(CloseReason{kCloseLost, "the connection was closed on this side"});
    CloseConnection();
  }

 private:
  absl::Duration Now() const { return clock_.Monotonic(); }

  void End(const CloseReason& reason) {
    if (ended_) return;
    ended_ = true;
    end_ = reason;
  }

  void CloseConnection() noexcept {
    closed_ = true;
    timer_.cancel();
    CloseStream(stream_.next_layer().next());
  }

  ReadResult EndResult() const {
    ReadResult result;
    result.open = false;
    result.close = end_;
    return result;
  }

  void OnControlFrame(boost::beast::websocket::frame_type kind) {
    keep_alive_.OnHeard(Now());
    if (kind == boost::beast::websocket::frame_type::close) {
      close_received_ = true;
      keep_alive_.OnClosing(Now());
    }
    Follow();
  }

  // How it ended, when reading ended with `error`: a close frame that was read decides, however
  // answering it went.
  CloseReason EndOfReading(const error_code& error) const {
    const error_code how =
        close_received_ ? make_error_code(boost::beast::websocket::error::closed) : error;
    return EndFromError(how, stream_.reason());
  }

  // Does what is due, and sees to it that the timer wakes us for the next.
  void Follow();
  void Act(KeepAlive::Action action);
  void SendPing();
  void Lose(const char* why);
  void ArmTimer(absl::Duration at);

  const Clock& clock_;
  const PeerInfo peer_;
  Stream stream_;
  net::steady_timer timer_;
  // When the timer will wake us; infinite if it is not armed.
  absl::Duration armed_for_ = absl::InfiniteDuration();
  KeepAlive keep_alive_;
  bool ended_ = false;
  CloseReason end_;
  bool closed_ = false;
  bool close_received_ = false;
  // A frame of a message of this kind was written and its last is still to come.
  bool in_message_ = false;
  bool masks_ = false;
};

template <class Next>
void WebSocketCore<Next>::Follow() {
  if (closed_) return;
  const absl::Duration now = Now();
  if (keep_alive_.NextPoll() <= now) {
    keep_alive_.OnWriteProgress(stream_.next_layer().last_write());
    Act(keep_alive_.Poll(now));
    if (closed_) return;
  }
  const absl::Duration next = keep_alive_.NextPoll();
  if (next < armed_for_) ArmTimer(next);
}

template <class Next>
void WebSocketCore<Next>::Act(KeepAlive::Action action) {
  switch (action) {
    case KeepAlive::Action::kNone:
      return;
    case KeepAlive::Action::kSendPing:
      return SendPing();
    case KeepAlive::Action::kStalled:
      if (!PeerIsAlive(stream_.next_layer().next())) return Lose("the peer takes nothing any more");
      return keep_alive_.OnStallExcused(Now());
    case KeepAlive::Action::kLost:
      return Lose("the peer no longer answers");
  }
}

template <class Next>
void WebSocketCore<Next>::Lose(const char* why) {
  End(close_received_ ? EndOfReading(error_code()) : CloseReason{kCloseLost, why});
  CloseConnection();
}

template <class Next>
void WebSocketCore<Next>::SendPing() {
  // Not awaited: while a write is stalled the ping waits in Beast's queue, and the timer must go
  // on.
  stream_.async_ping(boost::beast::websocket::ping_data(),
                     [self = this->shared_from_this()](error_code error) {
                       if (error || self->closed_) return;
                       self->keep_alive_.OnPingSent(self->Now());
                       self->Follow();
                     });
}

template <class Next>
void WebSocketCore<Next>::ArmTimer(absl::Duration at) {
  armed_for_ = at;
  if (at == absl::InfiniteDuration()) return;
  timer_.expires_after(absl::ToChronoNanoseconds(at - Now()));
  timer_.async_wait([weak = this->weak_from_this()](error_code error) {
    // Armed anew or cancelled: whoever did so follows up.
    if (error) return;
    auto self = weak.lock();
    if (self == nullptr) return;
    self->armed_for_ = absl::InfiniteDuration();
    self->Follow();
  });
}

template <class Next>
net::awaitable<ReadResult> WebSocketCore<Next>::ReadSome(Self self, net::mutable_buffer buffer) {
  if (self->ended_) co_return self->EndResult();
  self->keep_alive_.OnReadStarted(self->Now());
  self->Follow();
  auto [error, size] = co_await self->stream_.async_read_some(buffer, kToken);
  if (!error && !self->ended_) {
    self->keep_alive_.OnReadFinished(self->Now());
    self->Follow();
    ReadResult result;
    result.kind = self->stream_.got_text() ? FrameKind::kText : FrameKind::kBinary;
    result.size = size;
    result.fin = self->stream_.is_message_done() ? Fin::kLast : Fin::kMore;
    co_return result;
  }
  // While Close runs it reads for itself, and ends the connection.
  if (!self->ended_) {
    self->End(self->EndOfReading(error));
    self->CloseConnection();
  }
  co_return self->EndResult();
}

template <class Next>
net::awaitable<absl::Status> WebSocketCore<Next>::WriteSome(Self self, net::const_buffer data,
                                                            FrameKind kind, Fin fin) {
  if (!self->ended_) {
    if (!self->in_message_) self->stream_.binary(kind == FrameKind::kBinary);
    if (self->masks_ && !self->in_message_) {
      self->stream_.write_buffer_bytes(data.size() <= kSmallMaskBufferBytes ? kSmallMaskBufferBytes
                                                                            : kMaskBufferBytes);
    }
    self->in_message_ = fin == Fin::kMore;
    self->keep_alive_.OnWriteStarted(self->Now());
    self->Follow();
    auto [error, size] = co_await self->stream_.async_write_some(fin == Fin::kLast, data, kToken);
    self->keep_alive_.OnWriteFinished(self->Now());
    self->Follow();
    if (!error && !self->stream_.next_layer().write_failed()) co_return absl::OkStatus();
  }
  co_return absl::UnavailableError(
      absl::StrCat("the WebSocket to ", self->peer_.address, " is closed; connect again"));
}

template <class Next>
net::awaitable<void> WebSocketCore<Next>::Close(Self self, CloseReason reason) {
  if (self->ended_) {
    // The peer's close frame was answered by the read that saw it.
    self->CloseConnection();
    co_return;
  }
  self->End(reason);
  if (reason.code != kCloseLost) {
    self->keep_alive_.OnClosing(self->Now());
    self->Follow();
    const boost::beast::websocket::close_reason wire = WireReason(reason);
    co_await self->stream_.async_close(wire, kToken);
  }
  self->CloseConnection();
}

// What the owner holds.
template <class Next>
class BeastWebSocket : public WebSocket {
 public:
  using Core = WebSocketCore<Next>;

  explicit BeastWebSocket(std::shared_ptr<Core> core) : core_(std::move(core)) {}
  ~BeastWebSocket() override { core_->Abort(); }

  net::any_io_executor executor() override { return core_->stream().get_executor(); }
  const PeerInfo& peer() const override { return core_->peer(); }
  net::awaitable<ReadResult> ReadSome(net::mutable_buffer buffer) override {
    return Core::ReadSome(core_, buffer);
  }
  net::awaitable<absl::Status> WriteSome(net::const_buffer data, FrameKind kind, Fin fin) override {
    return Core::WriteSome(core_, data, kind, fin);
  }
  net::awaitable<void> Close(CloseReason reason) override {
    return Core::Close(core_, std::move(reason));
  }
  void Abort() noexcept override { core_->Abort(); }
  void Tune(std::size_t max_message_bytes, const KeepAliveOptions& keep_alive) override {
    core_->Tune(max_message_bytes, keep_alive);
  }

 private:
  const std::shared_ptr<Core> core_;
};

}  // namespace fairlead::dataplane::internal

#endif  // FAIRLEAD_DATAPLANE_BEAST_WEBSOCKET_CORE_H_
