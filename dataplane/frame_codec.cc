// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
#include "dataplane/frame_codec.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "dataplane/close_reason.h"

namespace fairlead::dataplane {
namespace {

constexpr std::uint8_t kContinuation = 0x0;
constexpr std::uint8_t kText = 0x1;
constexpr std::uint8_t kBinary = 0x2;
constexpr std::uint8_t kCloseOpcode = 0x8;
constexpr std::uint8_t kPingOpcode = 0x9;
constexpr std::uint8_t kPongOpcode = 0xA;
constexpr std::uint8_t kFinBit = 0x80;
constexpr std::uint8_t kReservedBits = 0x70;
constexpr std::uint8_t kMaskBit = 0x80;
constexpr std::uint8_t kLength16 = 126;
constexpr std::uint8_t kLength64 = 127;
constexpr std::uint16_t kCloseProtocolError = 1002;
constexpr std::uint16_t kCloseBadPayload = 1007;

bool IsControl(std::uint8_t opcode) { return (opcode & 0x8) != 0; }

// The size of the header whose first two bytes are given.
std::size_t HeaderSizeOf(std::uint8_t second) {
  const std::uint8_t length = second & 0x7F;
  const std::size_t extended = length == kLength16 ? 2 : length == kLength64 ? 8 : 0;
  return 2 + extended + ((second & kMaskBit) != 0 ? 4 : 0);
}

std::uint64_t BigEndian(const std::uint8_t* bytes, std::size_t count) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < count; ++i) value = value << 8 | bytes[i];
  return value;
}

// So many bytes as one register of the baseline instruction set holds.
using Block = std::uint8_t __attribute__((vector_size(16)));
constexpr std::size_t kBlockBytes = sizeof(Block);
constexpr std::size_t kStride = 4 * kBlockBytes;

// Loads all before it stores any, so that `to` may lie anywhere before `from`.
void MaskStride(const std::uint8_t* from, std::uint8_t* to, const Block& key) {
  Block blocks[4];
  std::memcpy(blocks, from, kStride);
  for (Block& block : blocks) block ^= key;
  std::memcpy(to, blocks, kStride);
}

std::string ControlFrame(std::uint8_t opcode, absl::string_view payload) {
  std::string frame;
  frame.push_back(static_cast<char>(kFinBit | opcode));
  frame.push_back(static_cast<char>(payload.size()));
  frame.append(payload.data(), payload.size());
  return frame;
}

}  // namespace

void ApplyMask(const std::uint8_t* from, std::uint8_t* to, std::size_t size, std::uint32_t mask) {
  std::uint32_t words[kBlockBytes / sizeof(mask)];
  std::fill(std::begin(words), std::end(words), mask);
  Block key;
  std::memcpy(&key, words, sizeof(key));
  std::size_t i = 0;
  for (; i + kStride <= size; i += kStride) MaskStride(from + i, to + i, key);
  for (; i + sizeof(mask) <= size; i += sizeof(mask)) {
    std::uint32_t word;
    std::memcpy(&word, from + i, sizeof(word));
    word ^= mask;
    std::memcpy(to + i, &word, sizeof(word));
  }
  std::uint8_t key_bytes[sizeof(mask)];
  std::memcpy(key_bytes, &mask, sizeof(mask));
  for (std::size_t j = 0; i < size; ++i, ++j) to[i] = from[i] ^ key_bytes[j];
}

FrameReader::Event FrameReader::Fail(Failure failure, const char* why) {
  failure_ = failure;
  why_ = why;
  return Event::kFailed;
}

FrameReader::Event FrameReader::Next(std::span<const std::uint8_t>& input) {
  for (;;) {
    if (failure_ != Failure::kNone) return Event::kFailed;
    if (closed_) return Event::kClose;
    if (!in_frame_) {
      if (!ReadHeader(input)) return Event::kNeedsInput;
      if (failure_ != Failure::kNone) return Event::kFailed;
    }
    if (IsControl(opcode_)) return TakeControl(input);
    const std::size_t size =
        static_cast<std::size_t>(std::min<std::uint64_t>(frame_left_, input.size()));
    if (size == 0 && frame_left_ > 0) return Event::kNeedsInput;
    chunk_ = input.first(size);
    input = input.subspan(size);
    frame_left_ -= size;
    in_frame_ = frame_left_ > 0;
    chunk_fin_ = !in_frame_ && frame_fin_ ? Fin::kLast : Fin::kMore;
    if (chunk_fin_ == Fin::kLast) in_message_ = false;
    if (size > 0 || chunk_fin_ == Fin::kLast) return Event::kData;
  }
}

bool FrameReader::ReadHeader(std::span<const std::uint8_t>& input) {
  // Mostly all of it is there.
  if (header_size_ == 0 && input.size() >= kMaxFrameHeaderBytes) {
    const std::size_t size = HeaderSizeOf(input[1]);
    ParseHeader(input.data());
    input = input.subspan(size);
    return true;
  }
  while (!input.empty()) {
    header_[header_size_++] = input.front();
    input = input.subspan(1);
    if (header_size_ < 2 || header_size_ < HeaderSizeOf(header_[1])) continue;
    header_size_ = 0;
    ParseHeader(header_.data());
    return true;
  }
  return false;
}

void FrameReader::ParseHeader(const std::uint8_t* header) {
  const std::uint8_t short_length = header[1] & 0x7F;
  const bool masked = (header[1] & kMaskBit) != 0;
  CheckOpcode(header[0], short_length);
  if (failure_ != Failure::kNone) return;
  if (masked != (role_ == FrameRole::kServer)) {
    Fail(Failure::kProtocol, masked ? "a server's frame was masked" : "a frame was not masked");
    return;
  }
  std::uint64_t length = short_length;
  const std::uint8_t* rest = header + 2;
  if (short_length >= kLength16) {
    const std::size_t bytes = short_length == kLength16 ? 2 : 8;
    length = BigEndian(rest, bytes);
    rest += bytes;
    if (length < (bytes == 2 ? 126u : 65536u)) {
      Fail(Failure::kProtocol, "a frame's length was not written in its shortest form");
      return;
    }
  }
  mask_ = 0;
  if (masked) std::memcpy(&mask_, rest, sizeof(mask_));
  opcode_ = header[0] & 0x0F;
  frame_left_ = length;
  in_frame_ = true;
  if (IsControl(opcode_)) {
    control_.clear();
  } else {
    frame_fin_ = (header[0] & kFinBit) != 0;
    StartData(opcode_, length);
  }
}

void FrameReader::CheckOpcode(std::uint8_t first, std::uint8_t length) {
  const std::uint8_t opcode = first & 0x0F;
  const char* why = nullptr;
  if (opcode == kText || opcode == kBinary) {
    if (in_message_) why = "a message began within another";
  } else if (opcode == kContinuation) {
    if (!in_message_) why = "a frame continued no message";
  } else if (opcode != kCloseOpcode && opcode != kPingOpcode && opcode != kPongOpcode) {
    why = "a frame was of an unknown kind";
  } else if ((first & kFinBit) == 0) {
    why = "a control frame was fragmented";
  } else if (length > kMaxControlBytes) {
    why = "a control frame was too long";
  }
  if (why == nullptr && (first & kReservedBits) != 0) why = "a frame used an extension";
  if (why != nullptr) Fail(Failure::kProtocol, why);
}

void FrameReader::StartData(std::uint8_t opcode, std::uint64_t length) {
  if (opcode != kContinuation) {
    kind_ = opcode == kText ? FrameKind::kText : FrameKind::kBinary;
    message_bytes_ = 0;
    in_message_ = true;
    utf8_.Reset();
  }
  if (length > max_message_bytes_ - message_bytes_) {
    Fail(Failure::kTooBig, nullptr);
    return;
  }
  message_bytes_ += length;
}

FrameReader::Event FrameReader::TakeControl(std::span<const std::uint8_t>& input) {
  const std::size_t size =
      static_cast<std::size_t>(std::min<std::uint64_t>(frame_left_, input.size()));
  const std::size_t have = control_.size();
  control_.resize(have + size);
  Unmask(input.first(size), reinterpret_cast<std::uint8_t*>(control_.data()) + have);
  input = input.subspan(size);
  frame_left_ -= size;
  if (frame_left_ > 0) return Event::kNeedsInput;
  in_frame_ = false;
  return FinishControl();
}

FrameReader::Event FrameReader::FinishControl() {
  if (opcode_ == kPingOpcode) return Event::kPing;
  if (opcode_ == kPongOpcode) return Event::kPong;
  return FinishClose();
}

FrameReader::Event FrameReader::FinishClose() {
  if (control_.size() == 1) return Fail(Failure::kProtocol, "a close frame had half a code");
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(control_.data());
  if (control_.size() >= 2) {
    if (!IsSendableCloseCode(static_cast<std::uint16_t>(BigEndian(bytes, 2)))) {
      return Fail(Failure::kProtocol, "a close frame had a code that no one may send");
    }
    Utf8Checker text;
    if (!text.Add({bytes + 2, control_.size() - 2}) || !text.complete()) {
      return Fail(Failure::kProtocol, "the text of a close frame was not UTF-8");
    }
  }
  closed_ = true;
  return Event::kClose;
}

void FrameReader::Unmask(std::span<const std::uint8_t> from, std::uint8_t* to) {
  if (mask_ == 0) {
    if (!from.empty() && from.data() != to) std::memmove(to, from.data(), from.size());
    return;
  }
  ApplyMask(from.data(), to, from.size(), mask_);
  const int shift = static_cast<int>(from.size() % sizeof(mask_)) * 8;
  // The next byte's key comes first in memory.
  mask_ = std::endian::native == std::endian::little ? std::rotr(mask_, shift)
                                                     : std::rotl(mask_, shift);
}

bool FrameReader::Take(std::uint8_t* target) {
  Unmask(chunk_, target);
  if (kind_ == FrameKind::kBinary) return true;
  if (utf8_.Add({target, chunk_.size()}) && (chunk_fin_ == Fin::kMore || utf8_.complete())) {
    return true;
  }
  Fail(Failure::kNotUtf8, nullptr);
  return false;
}

CloseReason FrameReader::close() const {
  CloseReason reason;
  if (failure_ == Failure::kTooBig) {
    reason.code = kCloseTooBig;
    reason.text = "a message was larger than is accepted here; send smaller ones";
  } else if (failure_ == Failure::kNotUtf8) {
    reason.code = kCloseBadPayload;
    reason.text = "a text message was not UTF-8";
  } else if (failure_ == Failure::kProtocol) {
    reason.code = kCloseProtocolError;
    reason.text = absl::StrCat("the peer broke the WebSocket protocol: ", why_);
  } else if (control_.size() < 2) {
    reason.code = kCloseNoCode;
  } else {
    reason.code = static_cast<std::uint16_t>(
        BigEndian(reinterpret_cast<const std::uint8_t*>(control_.data()), 2));
    reason.text = control_.substr(2);
  }
  return reason;
}

std::size_t FrameWriter::Put(std::uint8_t* at, FrameKind kind, Fin fin, std::size_t payload) {
  const std::uint8_t opcode = in_message_                ? kContinuation
                              : kind == FrameKind::kText ? kText
                                                         : kBinary;
  in_message_ = fin == Fin::kMore;
  at[0] = static_cast<std::uint8_t>((fin == Fin::kLast ? kFinBit : 0) | opcode);
  const std::size_t size = HeaderSize(payload);
  if (size == 2) {
    at[1] = static_cast<std::uint8_t>(payload);
    return size;
  }
  at[1] = size == 4 ? kLength16 : kLength64;
  for (std::size_t i = size; i-- > 2; payload >>= 8) at[i] = static_cast<std::uint8_t>(payload);
  return size;
}

std::string PingFrame(absl::string_view payload) { return ControlFrame(kPingOpcode, payload); }

std::string PongFrame(absl::string_view payload) { return ControlFrame(kPongOpcode, payload); }

std::string CloseFrame(const CloseReason& reason) {
  if (reason.code == kCloseNoCode) return ControlFrame(kCloseOpcode, "");
  const CloseReason sent = OnTheWire(reason);
  std::string payload;
  payload.push_back(static_cast<char>(sent.code >> 8));
  payload.push_back(static_cast<char>(sent.code));
  payload.append(sent.text);
  return ControlFrame(kCloseOpcode, payload);
}

}  // namespace fairlead::dataplane
