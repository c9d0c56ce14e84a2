// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// One established WebSocket, either role, as everything above the data plane sees it: a narrow
// class, so that Beast's templates stay in few .cc files and tests can put a fake in its place.
// Used by the relay, the device hub, the watch adapter, the agent and the console.
#ifndef FAIRLEAD_DATAPLANE_WEBSOCKET_H_
#define FAIRLEAD_DATAPLANE_WEBSOCKET_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "dataplane/asio.h"
#include "dataplane/keepalive.h"
#include "dataplane/peer.h"

namespace fairlead::dataplane {

// What a data frame carries (RFC 6455 section 5.6).
enum class FrameKind { kText, kBinary };

// Whether a chunk is the last of its message.
enum class Fin { kMore, kLast };

// Why a WebSocket ended.
struct CloseReason {
  // RFC 6455 section 7.4 or 44xx; 1005 if the peer gave none, 1006 if the connection was lost.
  std::uint16_t code = 1006;
  // One sentence, at most 123 bytes of UTF-8.
  std::string text;
};

// Close codes of the public contract beside RFC 6455's.
inline constexpr std::uint16_t kCloseNormal = 1000;
inline constexpr std::uint16_t kCloseGoingAway = 1001;
inline constexpr std::uint16_t kCloseNoCode = 1005;
inline constexpr std::uint16_t kCloseLost = 1006;
inline constexpr std::uint16_t kCloseTooBig = 1009;
inline constexpr std::uint16_t kCloseMalformed = 4400;
inline constexpr std::uint16_t kCloseBadTicket = 4401;
inline constexpr std::uint16_t kCloseDenied = 4403;
inline constexpr std::uint16_t kCloseNoSession = 4404;
inline constexpr std::uint16_t kCloseLimit = 4408;
inline constexpr std::uint16_t kCloseSideTaken = 4409;
inline constexpr std::uint16_t kCloseTerminated = 4410;
inline constexpr std::uint16_t kCloseTooMany = 4429;
inline constexpr std::uint16_t kClosePeerLost = 4502;
inline constexpr std::uint16_t kCloseDraining = 4503;

// The largest message that is accepted unless Tune says otherwise, in bytes of payload.
inline constexpr std::size_t kMaxMessageBytes = 1 << 20;

// What a read gave: a chunk of a message, or the end.
struct ReadResult {
  // False: the WebSocket is over and `close` tells why; nothing else is set.
  bool open = true;
  FrameKind kind = FrameKind::kBinary;
  std::size_t size = 0;
  Fin fin = Fin::kLast;
  CloseReason close;
};

// A whole message, or the end.
struct Message {
  bool open = true;
  FrameKind kind = FrameKind::kBinary;
  std::string payload;
  CloseReason close;
};

// One established WebSocket.
//
// The implementation answers pings, pings an idle peer every 20 s and ends the connection as lost
// (1006) after two unanswered pings; a ping counts as missed 10 s after it was sent. While the
// owner has no read pending the peer cannot be heard, so nothing is missed; a write that makes no
// progress for 40 s ends the connection as lost.
//
// Thread: all methods on executor()'s thread. At most one ReadSome and one WriteSome at a time,
// both together are fine; Close counts as a write, and must not be called while a WriteSome is
// pending. Lifetime: must outlive its pending operations; to end them early call Abort and await
// them.
class WebSocket {
 public:
  virtual ~WebSocket() = default;

  virtual net::any_io_executor executor() = 0;

  virtual const PeerInfo& peer() const = 0;

  // Waits for payload and reads some of one message into `buffer`. Text is checked to be UTF-8.
  // An empty message gives size 0 with Fin::kLast. After open == false every further call gives the
  // same end.
  virtual net::awaitable<ReadResult> ReadSome(net::mutable_buffer buffer) = 0;

  // Writes one frame of a message. `data` must stay alive until done.
  // Errors: UNAVAILABLE the connection is lost or closed.
  virtual net::awaitable<absl::Status> WriteSome(net::const_buffer data, FrameKind kind,
                                                 Fin fin) = 0;

  // Sends a close frame (1005 is sent as an empty one, 1006 just closes the connection), waits up
  // to 2 s for the peer's, and closes the connection. Reads meanwhile give the end. Never fails.
  virtual net::awaitable<void> Close(CloseReason reason) = 0;

  // Closes the connection at once, without a close frame. Pending operations end.
  virtual void Abort() noexcept = 0;

  // Sets the largest message that is accepted, and other periods than the product's. To be called
  // before the first read and write; a fake has no use for it.
  virtual void Tune(std::size_t /*max_message_bytes*/, const KeepAliveOptions& /*keep_alive*/) {}

  // Reads a whole message of at most `max_bytes`; a larger one ends the WebSocket with 1009.
  net::awaitable<Message> ReadMessage(std::size_t max_bytes = kMaxMessageBytes);

  // Writes a whole message as one frame.
  net::awaitable<absl::Status> WriteText(absl::string_view text);
  net::awaitable<absl::Status> WriteBinary(absl::string_view bytes);
};

}  // namespace fairlead::dataplane

#endif  // FAIRLEAD_DATAPLANE_WEBSOCKET_H_
