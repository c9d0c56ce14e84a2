// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// One WebSocket of the load generator over TLS, as client or as server: upgrade, frames, closing.
#ifndef FAIRLEAD_BENCH_LOAD_LEG_H_
#define FAIRLEAD_BENCH_LOAD_LEG_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "bench/load/tls_connection.h"

namespace fairlead::bench {

// What a client asks for.
struct UpgradeRequest {
  std::string path;
  // "Name: value" lines without line ends.
  std::vector<std::string> headers;
  // Called once before the handshake, to show a certificate.
  std::function<void(SSL*)> prepare = nullptr;
};

// Thread: the loop's. Lifetime: must not be destroyed in one of its handler's calls.
class Leg : private TlsConnection::Handler {
 public:
  // Never called after Abort.
  class Handler {
   public:
    virtual ~Handler() = default;
    // A client asks for `path` (server's side only); false refuses.
    virtual bool OnRequest(Leg&, absl::string_view /*path*/) { return true; }
    virtual void OnOpen(Leg& leg) = 0;
    // A whole text message.
    virtual void OnText(Leg& leg, const std::string& text) = 0;
    // Part of a binary message; `last` at its end.
    virtual void OnBinary(Leg& leg, const char* data, std::size_t size, bool last) = 0;
    // All that was written has gone to the socket.
    virtual void OnDrained(Leg& leg) = 0;
    // The connection is over. `code` is the peer's close code, 0 if there was none.
    virtual void OnEnd(Leg& leg, std::uint16_t code, absl::string_view why) = 0;
  };

  // A client that dials at once.
  Leg(EventLoop& loop, SSL_CTX* context, const Route& route, UpgradeRequest request,
      Handler& handler);
  // The server's side of an accepted socket.
  Leg(EventLoop& loop, SSL_CTX* context, int fd, Handler& handler);
  ~Leg() override = default;

  void set_handler(Handler* handler) { handler_ = handler; }

  bool open() const { return open_; }
  std::size_t queued() const { return connection_.queued(); }
  // Sends a binary message in one frame.
  void SendBinary(const char* data, std::size_t size) { SendFrame(2, data, size); }
  void SendText(absl::string_view text) { SendFrame(1, text.data(), text.size()); }
  // Sends a close frame; the end comes when the peer has answered.
  void SendClose(std::uint16_t code);
  void Abort();

 private:
  void OnConnected() override;
  void OnBytes(const char* data, std::size_t size) override;
  void OnDrained() override;
  void OnEnd(absl::string_view why) override;

  void OnHead();
  std::size_t OnFrames(const char* data, std::size_t size);
  std::size_t ParseHeader(const char* data, std::size_t size);
  void OnPayload(const char* data, std::size_t size);
  void OnFrameDone();
  void SendFrame(int opcode, const char* data, std::size_t size);
  void Fail(absl::string_view why);

  Handler* handler_;
  const bool client_;
  const std::string host_;
  UpgradeRequest request_;
  bool open_ = false;
  bool close_sent_ = false;
  std::uint16_t close_code_ = 0;
  // Bytes of a head or of a frame's header that are not complete.
  std::string pending_;
  // The frame that is being read.
  int opcode_ = 0;
  int message_opcode_ = 0;
  bool fin_ = false;
  bool masked_ = false;
  std::uint32_t mask_ = 0;
  unsigned mask_offset_ = 0;
  bool in_frame_ = false;
  std::uint64_t left_ = 0;
  // Payload of control frames and texts.
  std::string small_;
  TlsConnection connection_;
};

// XORs `data` with the mask, whose bytes lie in memory order, from its byte `offset` on.
void ApplyMask(char* data, std::size_t size, std::uint32_t mask, unsigned offset);

}  // namespace fairlead::bench

#endif  // FAIRLEAD_BENCH_LOAD_LEG_H_
