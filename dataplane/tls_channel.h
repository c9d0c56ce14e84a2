// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// A TLS engine on a descriptor, without waiting: what TlsStream's operations and the relay's legs
// have in common. Reads ahead into a buffer that all connections of a thread share, seals into full
// records that one system call sends, and holds no buffer while it is idle.
#ifndef FAIRLEAD_DATAPLANE_TLS_CHANNEL_H_
#define FAIRLEAD_DATAPLANE_TLS_CHANNEL_H_

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "dataplane/asio.h"
#include "dataplane/tls_engine.h"

namespace fairlead::dataplane::internal {

// Its functions never block: they give net::error::would_block, and the caller waits for the
// descriptor.
// Thread: one at a time. Lifetime: does not own the descriptor; Forget before that is closed.
class TlsChannel {
 public:
  // The most that one Read may give when all of it is to be taken at once: a read-ahead, and a
  // record that began before it.
  static constexpr std::size_t kMaxReadBytes = 96 * 1024;

  TlsChannel(int descriptor, std::unique_ptr<TlsEngine> engine);
  ~TlsChannel();
  TlsChannel(const TlsChannel&) = delete;
  TlsChannel& operator=(const TlsChannel&) = delete;

  int descriptor() const { return descriptor_; }
  TlsEngine& engine() { return *engine_; }
  void SetDescriptor(int descriptor) { descriptor_ = descriptor; }
  // From now on all fails.
  void Forget() { descriptor_ = -1; }

  // Whether Read is likely to give something before the socket is waited for.
  bool MayRead() const;
  // Whether Read gives something without a look at the socket.
  bool HoldsInput() const { return !stash_.empty() || engine_->has_plaintext() || tls_over_; }
  // Decrypts into `buffers` what is at hand, after at most one recv.
  std::size_t Read(std::span<const net::mutable_buffer> buffers, error_code& error);
  // Seals a prefix of `buffers`, at most 64 KiB, and sends it. With would_block the returned bytes
  // are sealed and count as written once Flush succeeds.
  std::size_t Write(std::span<const net::const_buffer> buffers, error_code& error);
  // Seals all of `bytes` and sends it; with would_block the rest waits for Flush.
  void WriteAll(std::span<const std::uint8_t> bytes, error_code& error);
  // Takes the next step of the handshake. would_block: `wants_write` tells what to wait for.
  void Handshake(bool& wants_write, error_code& error);
  // Seals a close_notify, once, behind `last`, and sends both.
  void CloseNotify(std::span<const std::uint8_t> last, error_code& error);
  void CloseNotify(error_code& error) { CloseNotify({}, error); }
  // Sends what is sealed.
  void Flush(error_code& error);
  // What is sealed and not sent, in bytes.
  std::size_t unsent() const { return unsent_.size() - unsent_begin_; }
  // Tells the peer that nothing follows. Later calls and errors have no effect.
  void ShutdownSend() noexcept;
  // Drops what the peer still sends. would_block: it has not closed its side; the caller sets a
  // limit to the time.
  void Drain(error_code& error);
  // The peer closed its side of TCP, and all it had sent was taken in.
  bool input_ended() const { return end_of_input_; }

 private:
  // One recv into `scratch`; would_block, eof or what failed.
  std::span<const std::uint8_t> Receive(std::span<std::uint8_t> scratch, error_code& error);
  // Keeps what BoringSSL has not consumed.
  void Keep(std::span<const std::uint8_t> rest);
  // Sends `sealed` and keeps what the kernel does not take.
  void Send(std::span<const std::uint8_t> sealed, error_code& error);
  // One send; negative: `error` is set.
  std::ptrdiff_t SendSome(std::span<const std::uint8_t> data, error_code& error);

  std::unique_ptr<TlsEngine> engine_;
  // Received and not yet consumed from `stash_begin_` on. Freed when empty.
  std::vector<std::uint8_t> stash_;
  std::size_t stash_begin_ = 0;
  // Sealed and not yet sent from `unsent_begin_` on. Freed when empty.
  std::vector<std::uint8_t> unsent_;
  std::size_t unsent_begin_ = 0;
  int descriptor_;
  // The last recv took all there was.
  bool drained_ = true;
  bool end_of_input_ = false;
  // The last read came upon close_notify or a fault, maybe behind payload: the next one tells.
  bool tls_over_ = false;
};

}  // namespace fairlead::dataplane::internal

#endif  // FAIRLEAD_DATAPLANE_TLS_CHANNEL_H_
