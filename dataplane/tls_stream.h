// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// A TLS connection over TCP, either role, meeting Asio's and Beast's stream requirements. Reads
// ahead of BoringSSL into a buffer that all connections of a thread share, packs gather writes into
// full records sent by one system call, and holds no buffer while it waits. Used by the listener,
// the WebSocket and HTTP code and the clients.
#ifndef FAIRLEAD_DATAPLANE_TLS_STREAM_H_
#define FAIRLEAD_DATAPLANE_TLS_STREAM_H_

#include <array>
#include <boost/asio/compose.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "dataplane/asio.h"
#include "dataplane/connection_breaker.h"
#include "dataplane/peer.h"
#include "dataplane/tls_channel.h"
#include "dataplane/tls_context.h"

namespace boost::beast {
enum class role_type;
}  // namespace boost::beast

namespace fairlead::dataplane {

namespace internal {

// What is left of a stream that was taken apart: who has it closes the channel's descriptor, after
// he has retired the breaker. A descriptor below 0: the connection is closed.
struct ReleasedChannel {
  std::unique_ptr<TlsChannel> channel;
  std::shared_ptr<ConnectionBreaker> breaker;
  std::shared_ptr<void> lease;
};

// What a TlsStream and its pending operations share.
// Thread: the executor's.
class TlsTransport {
 public:
  TlsTransport(net::ip::tcp::socket socket, std::unique_ptr<TlsEngine> engine);
  ~TlsTransport();
  TlsTransport(const TlsTransport&) = delete;
  TlsTransport& operator=(const TlsTransport&) = delete;

  net::ip::tcp::socket& socket() { return socket_; }
  // Null once released.
  TlsChannel* channel() { return channel_.get(); }
  TlsEngine& engine() { return channel_->engine(); }

  void Close() noexcept;
  void MoveTo(const net::any_io_executor& executor, error_code& error);
  // Takes the connection out of the io_context. No operation may be pending.
  ReleasedChannel Release() noexcept;
  void SetLease(std::shared_ptr<void> lease) { lease_ = std::move(lease); }
  const std::shared_ptr<ConnectionBreaker>& breaker() const { return breaker_; }

 private:
  net::ip::tcp::socket socket_;
  const std::shared_ptr<ConnectionBreaker> breaker_;
  std::unique_ptr<TlsChannel> channel_;
  std::shared_ptr<void> lease_;
};

using ReadBuffers = std::array<net::mutable_buffer, 8>;
using WriteBuffers = std::array<net::const_buffer, 16>;

// Copies the first buffers of a sequence; what does not fit is left to the next call.
template <class Array, class Sequence>
std::size_t CopyBuffers(const Sequence& sequence, Array& out) {
  std::size_t count = 0;
  for (auto it = net::buffer_sequence_begin(sequence);
       it != net::buffer_sequence_end(sequence) && count < out.size(); ++it) {
    typename Array::value_type buffer(*it);
    if (buffer.size() > 0) out[count++] = buffer;
  }
  return count;
}

// The composed operation of async_read_some.
struct ReadOperation {
  enum class State { kStarting, kWaiting, kDone };

  explicit ReadOperation(std::shared_ptr<TlsTransport> owner) : transport(std::move(owner)) {}

  std::shared_ptr<TlsTransport> transport;
  ReadBuffers buffers;
  std::size_t buffer_count = 0;
  State state = State::kStarting;
  error_code result;
  std::size_t size = 0;

  template <class Self>
  void operator()(Self& self, error_code error = {}) {
    if (state == State::kDone) return self.complete(result, size);
    const bool starting = std::exchange(state, State::kWaiting) == State::kStarting;
    if (error) return self.complete(error, 0);
    result = net::error::would_block;
    if (!starting || buffer_count == 0 || transport->channel()->MayRead()) {
      size = transport->channel()->Read({buffers.data(), buffer_count}, result);
    }
    TlsTransport& target = *transport;
    if (result == net::error::would_block) {
      target.socket().async_wait(net::socket_base::wait_read, std::move(self));
    } else if (starting) {
      state = State::kDone;
      net::post(std::move(self));
    } else {
      self.complete(result, size);
    }
  }
};

// The composed operation of async_write_some.
struct WriteOperation {
  enum class State { kStarting, kWaiting, kDone };

  explicit WriteOperation(std::shared_ptr<TlsTransport> owner) : transport(std::move(owner)) {}

  std::shared_ptr<TlsTransport> transport;
  WriteBuffers buffers;
  std::size_t buffer_count = 0;
  State state = State::kStarting;
  error_code result;
  std::size_t size = 0;

  template <class Self>
  void operator()(Self& self, error_code error = {}) {
    if (state == State::kDone) return self.complete(result, result ? 0 : size);
    if (error) return self.complete(error, 0);
    const bool starting = std::exchange(state, State::kWaiting) == State::kStarting;
    if (starting) {
      size = transport->channel()->Write({buffers.data(), buffer_count}, result);
    } else {
      transport->channel()->Flush(result);
    }
    TlsTransport& target = *transport;
    if (result == net::error::would_block) {
      target.socket().async_wait(net::socket_base::wait_write, std::move(self));
    } else if (starting) {
      state = State::kDone;
      net::post(std::move(self));
    } else {
      self.complete(result, result ? 0 : size);
    }
  }
};

// The composed operation of async_teardown: close_notify, end of sending, the peer's end, close.
struct TeardownOperation {
  enum class State { kStarting, kFlushing, kDraining, kDone };

  explicit TeardownOperation(std::shared_ptr<TlsTransport> owner) : transport(std::move(owner)) {}

  std::shared_ptr<TlsTransport> transport;
  State state = State::kStarting;
  error_code result;

  template <class Self>
  void operator()(Self& self, error_code error = {}) {
    if (state == State::kDone) return self.complete(result);
    TlsTransport& target = *transport;
    TlsChannel& channel = *target.channel();
    const bool starting = state == State::kStarting;
    result = error;
    if (!error && state != State::kDraining) {
      starting ? channel.CloseNotify(result) : channel.Flush(result);
      state = State::kFlushing;
      if (result == net::error::would_block) {
        return target.socket().async_wait(net::socket_base::wait_write, std::move(self));
      }
      channel.ShutdownSend();
      state = State::kDraining;
    }
    if (!result) {
      channel.Drain(result);
      if (result == net::error::would_block) {
        return target.socket().async_wait(net::socket_base::wait_read, std::move(self));
      }
    }
    target.Close();
    state = State::kDone;
    starting ? net::post(std::move(self)) : self.complete(result);
  }
};

}  // namespace internal

// A TLS stream. Like a socket it may have one read and one write pending at a time.
//
// Thread: all methods on the executor's thread. Lifetime: destroying it closes the socket; pending
// operations then end with operation_aborted, without touching the stream.
class TlsStream {
 public:
  enum class Role { kClient, kServer };

  using executor_type = net::any_io_executor;
  using lowest_layer_type = net::ip::tcp::socket;
  using next_layer_type = net::ip::tcp::socket;

  // `socket` is connected; sets TCP_NODELAY and the like on it.
  TlsStream(net::ip::tcp::socket socket, std::shared_ptr<SSL_CTX> context, Role role);
  TlsStream(TlsStream&&) noexcept;
  TlsStream& operator=(TlsStream&&) noexcept;
  ~TlsStream();

  executor_type get_executor() noexcept { return transport_->socket().get_executor(); }
  net::ip::tcp::socket& socket() { return transport_->socket(); }
  next_layer_type& next_layer() { return transport_->socket(); }
  const next_layer_type& next_layer() const { return transport_->socket(); }
  lowest_layer_type& lowest_layer() { return transport_->socket(); }

  // Shakes hands, within `timeout`. A client sends `server_name` (unless it is an IP address) and
  // demands a certificate that bears it and that `trust` accepts; null stands for the trust with
  // which the TlsClientContext was made. A server passes "" and null. `trust` need not outlive the
  // call's start.
  // Errors: DEADLINE_EXCEEDED; UNAVAILABLE the peer does not speak TLS, or went away;
  // FAILED_PRECONDITION (TLS_UNTRUSTED) the peer's certificate is refused, FAILED_PRECONDITION
  // (TLS_REFUSED) the peer refuses ours or demands one. The connection is then closed.
  net::awaitable<absl::Status> Handshake(absl::Duration timeout, std::string server_name,
                                         const TlsTrust* trust);

  // Reads some bytes. Gives net::error::eof after the peer's close_notify, connection_reset if the
  // connection ended without one, protocol_error for a record that is not authentic.
  template <class MutableBuffers,
            class Token = net::default_completion_token_t<net::any_io_executor>>
  auto async_read_some(const MutableBuffers& buffers, Token&& token = Token()) {
    internal::ReadOperation operation(transport_);
    operation.buffer_count = internal::CopyBuffers(buffers, operation.buffers);
    return net::async_compose<Token, void(error_code, std::size_t)>(std::move(operation), token,
                                                                    transport_->socket());
  }

  // Writes some bytes, up to 64 KiB, and completes when the kernel has taken them.
  template <class ConstBuffers, class Token = net::default_completion_token_t<net::any_io_executor>>
  auto async_write_some(const ConstBuffers& buffers, Token&& token = Token()) {
    internal::WriteOperation operation(transport_);
    operation.buffer_count = internal::CopyBuffers(buffers, operation.buffers);
    return net::async_compose<Token, void(error_code, std::size_t)>(std::move(operation), token,
                                                                    transport_->socket());
  }

  // Sends close_notify, waits for the peer to close too, and closes the socket; `timeout` bounds
  // all of it. What was written before reaches the peer. No other operation may be pending.
  net::awaitable<void> Shutdown(absl::Duration timeout);

  // Sends close_notify as far as the kernel takes it now, and nothing after it. No write may be
  // pending.
  void SendCloseNotify() noexcept;

  // Whether the peer closed its side of TCP, so that a read gave eof or connection_reset. A
  // connection that was lost has not ended so.
  bool input_ended() const { return transport_->channel()->input_ended(); }

  // Closes the socket at once. Idempotent; pending operations end with operation_aborted.
  void Close() noexcept;

  // Hands the connection to another io_context. No operation may be pending, and nothing that was
  // made with the old executor (a Beast stream around this one) may exist. If the kernel refuses,
  // the connection is closed.
  void MoveTo(net::any_io_executor executor);

  // Takes the connection out of its io_context for one who does his own waiting. No operation may
  // be pending; the stream is then closed.
  internal::ReleasedChannel Release() && { return transport_->Release(); }

  // Kept as long as the connection is, whoever has it.
  void SetLease(std::shared_ptr<void> lease) { transport_->SetLease(std::move(lease)); }

  // Ends the connection from any thread.
  std::shared_ptr<ConnectionBreaker> breaker() const { return transport_->breaker(); }

  // The protocol that ALPN selected, or "". After Handshake, as all below.
  std::string alpn() const;
  // Server: whether the ClientHello named http/1.1.
  bool peer_offered_http11() const;
  // The peer's certificate, if it showed one; it was verified.
  std::optional<PeerCertificate> peer_certificate() const;
  // Why a read gave protocol_error: what TLS objected to, or the peer. Otherwise OK.
  absl::Status failure() const;
  // "TLSv1.3" or "TLSv1.2".
  std::string version() const;

 private:
  template <class Handler>
  friend void async_teardown(boost::beast::role_type role, TlsStream& stream, Handler&& handler);

  std::shared_ptr<internal::TlsTransport> transport_;
};

// Beast's WebSocket calls these to end a connection.
void teardown(boost::beast::role_type role, TlsStream& stream, error_code& error);

template <class Handler>
void async_teardown(boost::beast::role_type /*role*/, TlsStream& stream, Handler&& handler) {
  net::async_compose<Handler, void(error_code)>(internal::TeardownOperation(stream.transport_),
                                                handler, stream.socket());
}

}  // namespace fairlead::dataplane

#endif  // FAIRLEAD_DATAPLANE_TLS_STREAM_H_
