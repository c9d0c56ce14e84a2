// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// The frames of a WebSocket (RFC 6455 section 5) without I/O, both roles: what arrives is taken
// apart at any split, payload stays where it lies until it is unmasked to where it is wanted. Used
// by the relay's legs; Beast's stream, which serves everything else, is its oracle in a fuzz test.
#ifndef FAIRLEAD_DATAPLANE_FRAME_CODEC_H_
#define FAIRLEAD_DATAPLANE_FRAME_CODEC_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "absl/strings/string_view.h"
#include "dataplane/utf8_checker.h"
#include "dataplane/websocket.h"

namespace fairlead::dataplane {

// Which end of the WebSocket this is: a server takes masked frames and sends plain ones.
enum class FrameRole : std::uint8_t { kServer, kClient };

// The largest header of a frame, and the largest of one without a mask.
inline constexpr std::size_t kMaxFrameHeaderBytes = 14;
inline constexpr std::size_t kMaxPlainHeaderBytes = 10;
// The largest payload of a control frame (RFC 6455 section 5.5).
inline constexpr std::size_t kMaxControlBytes = 125;

// Applies `mask`, whose bytes are used in the order in which they lie in memory, to `size` bytes.
// `to` may be `from` or lie before it, overlapping or not.
void ApplyMask(const std::uint8_t* from, std::uint8_t* to, std::size_t size, std::uint32_t mask);

// Takes frames apart.
// Thread: one.
class FrameReader {
 public:
  enum class Event {
    // All input is consumed; nothing is due.
    kNeedsInput,
    // A chunk of a message: call Take, then kind() and fin() tell of it.
    kData,
    // control() is the payload.
    kPing,
    kPong,
    // The peer closes, or broke the protocol: close() tells, and every further call gives the same.
    kClose,
    kFailed,
  };

  FrameReader(FrameRole role, std::size_t max_message_bytes)
      : max_message_bytes_(max_message_bytes), role_(role) {}

  // Consumes from the front of `input` up to the next event. A message comes in chunks that follow
  // its frames and the splits of the input; none is empty, except as the last of its message.
  Event Next(std::span<const std::uint8_t>& input);

  // The size of the chunk.
  std::size_t size() const { return chunk_.size(); }
  FrameKind kind() const { return kind_; }
  Fin fin() const { return chunk_fin_; }

  // To be called once after each kData, while its input is still there: unmasks the chunk to
  // `target`, which has size() bytes and may be where the chunk is or lie before it. False: a text
  // that is not UTF-8; close() tells.
  bool Take(std::uint8_t* target);

  absl::string_view control() const { return control_; }
  CloseReason close() const;
  // The peer broke the protocol.
  bool failed() const { return failure_ != Failure::kNone; }

 private:
  enum class Failure : std::uint8_t { kNone, kProtocol, kTooBig, kNotUtf8 };

  // Reads the header, as far as it is there.
  bool ReadHeader(std::span<const std::uint8_t>& input);
  void ParseHeader(const std::uint8_t* header);
  void CheckOpcode(std::uint8_t first, std::uint8_t length);
  void StartData(std::uint8_t opcode, std::uint64_t length);
  Event TakeControl(std::span<const std::uint8_t>& input);
  Event FinishControl();
  Event FinishClose();
  void Unmask(std::span<const std::uint8_t> from, std::uint8_t* to);
  Event Fail(Failure failure, const char* why);

  const std::size_t max_message_bytes_;
  std::uint64_t frame_left_ = 0;
  // Of the message so far, in bytes.
  std::uint64_t message_bytes_ = 0;
  std::span<const std::uint8_t> chunk_;
  // Payload of the control frame being read, or the last one.
  std::string control_;
  const char* why_ = nullptr;
  std::uint32_t mask_ = 0;
  std::array<std::uint8_t, kMaxFrameHeaderBytes> header_;
  std::uint8_t header_size_ = 0;
  std::uint8_t opcode_ = 0;
  const FrameRole role_;
  bool in_frame_ = false;
  // A message has begun whose last frame is still to come, or being read.
  bool in_message_ = false;
  bool frame_fin_ = false;
  bool closed_ = false;
  Failure failure_ = Failure::kNone;
  FrameKind kind_ = FrameKind::kBinary;
  Fin chunk_fin_ = Fin::kLast;
  Utf8Checker utf8_;
};

// Makes the headers of one direction.
// Thread: one.
class FrameWriter {
 public:
  // How long the header of a frame with so much payload is, in a server's frame.
  static std::size_t HeaderSize(std::size_t payload) {
    return payload < 126 ? 2 : payload < 65536 ? 4 : 10;
  }

  // Writes the header of a server's frame that carries the next chunk of a message to `at`, which
  // has kMaxPlainHeaderBytes. Gives its size.
  std::size_t Put(std::uint8_t* at, FrameKind kind, Fin fin, std::size_t payload);

 private:
  bool in_message_ = false;
};

// A whole ping, pong or close frame of a server; `payload` has at most kMaxControlBytes.
std::string PingFrame(absl::string_view payload);
std::string PongFrame(absl::string_view payload);

// 1005 gives an empty frame; a code that must not be sent becomes 1011, and a text that is too long
// is cut at a character's border.
std::string CloseFrame(const CloseReason& reason);

}  // namespace fairlead::dataplane

#endif  // FAIRLEAD_DATAPLANE_FRAME_CODEC_H_
