// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
#include "bench/load/leg.h"

#include <openssl/base64.h>
#include <openssl/rand.h>
#include <openssl/sha.h>

#include <algorithm>
#include <cstring>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace fairlead::bench {
namespace {

constexpr int kText = 1;
constexpr int kBinary = 2;
constexpr int kClose = 8;
constexpr int kPing = 9;
constexpr int kPong = 10;
constexpr std::size_t kMaxHead = 16 * 1024;

std::string Base64(const void* data, std::size_t size) {
  std::string text(4 * ((size + 2) / 3) + 1, '\0');
  text.resize(EVP_EncodeBlock(reinterpret_cast<std::uint8_t*>(&text[0]),
                              static_cast<const std::uint8_t*>(data), size));
  return text;
}

std::string AcceptKey(absl::string_view key) {
  const std::string text = absl::StrCat(key, "258EAFA5-E914-47DA-95CA-C5AB0DC85B11");
  std::uint8_t hash[SHA_DIGEST_LENGTH];
  SHA1(reinterpret_cast<const std::uint8_t*>(text.data()), text.size(), hash);
  return Base64(hash, sizeof(hash));
}

std::string HeaderOf(absl::string_view head, absl::string_view name) {
  for (const absl::string_view line : absl::StrSplit(head, "\r\n")) {
    const std::size_t colon = line.find(':');
    if (colon == absl::string_view::npos) continue;
    if (absl::EqualsIgnoreCase(line.substr(0, colon), name)) {
      return std::string(absl::StripAsciiWhitespace(line.substr(colon + 1)));
    }
  }
  return "";
}

// The generator's masks need to be different, not to be unpredictable.
std::uint32_t NextMask() {
  static std::uint32_t state = 0x9e3779b9;
  state ^= state << 13;
  state ^= state >> 17;
  state ^= state << 5;
  return state;
}

bssl::UniquePtr<SSL> NewClientSsl(SSL_CTX* context, const UpgradeRequest& request) {
  bssl::UniquePtr<SSL> ssl(SSL_new(context));
  SSL_set_tlsext_host_name(ssl.get(), "localhost");
  SSL_set1_host(ssl.get(), "localhost");
  if (request.prepare) request.prepare(ssl.get());
  return ssl;
}

}  // namespace

void ApplyMask(char* data, std::size_t size, std::uint32_t mask, unsigned offset) {
  std::uint8_t bytes[4];
  std::memcpy(bytes, &mask, 4);
  std::uint8_t turned[8];
  for (unsigned i = 0; i < 8; ++i) turned[i] = bytes[(offset + i) & 3];
  std::uint64_t wide = 0;
  std::memcpy(&wide, turned, 8);
  std::size_t i = 0;
  for (; i + 8 <= size; i += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, data + i, 8);
    word ^= wide;
    std::memcpy(data + i, &word, 8);
  }
  for (; i < size; ++i) data[i] = static_cast<char>(data[i] ^ turned[i & 7]);
}

Leg::Leg(EventLoop& loop, SSL_CTX* context, const Route& route, UpgradeRequest request,
         Handler& handler)
    : handler_(&handler),
      client_(true),
      host_(absl::StrCat("localhost:", route.port)),
      request_(std::move(request)),
      connection_(loop, NewClientSsl(context, request_), route, *this) {}

Leg::Leg(EventLoop& loop, SSL_CTX* context, int fd, Handler& handler)
    : handler_(&handler),
      client_(false),
      connection_(loop, bssl::UniquePtr<SSL>(SSL_new(context)), fd, *this) {}

void Leg::OnConnected() {
  if (!client_) return;
  std::uint8_t nonce[16];
  RAND_bytes(nonce, sizeof(nonce));
  std::string head =
      absl::StrCat("GET ", request_.path, " HTTP/1.1\r\nHost: ", host_,
                   "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n",
                   "Sec-WebSocket-Key: ", Base64(nonce, sizeof(nonce)), "\r\n");
  for (const std::string& header : request_.headers) absl::StrAppend(&head, header, "\r\n");
  head += "\r\n";
  connection_.Write(head.data(), head.size());
  request_ = UpgradeRequest();
}

void Leg::OnBytes(const char* data, std::size_t size) {
  if (!open_) {
    pending_.append(data, size);
    OnHead();
    return;
  }
  if (pending_.empty()) {
    const std::size_t used = OnFrames(data, size);
    if (used < size) pending_.assign(data + used, size - used);
    return;
  }
  pending_.append(data, size);
  std::string whole;
  whole.swap(pending_);
  const std::size_t used = OnFrames(whole.data(), whole.size());
  if (used < whole.size()) pending_.assign(whole, used, std::string::npos);
}

void Leg::OnHead() {
  const std::size_t end = pending_.find("\r\n\r\n");
  if (end == std::string::npos) {
    if (pending_.size() > kMaxHead) Fail("the head is too long");
    return;
  }
  const std::string head = pending_.substr(0, end);
  const std::string rest = pending_.substr(end + 4);
  std::string().swap(pending_);
  const std::vector<std::string> words =
      absl::StrSplit(head.substr(0, head.find("\r\n")), absl::MaxSplits(' ', 2));
  if (client_) {
    if (words.size() < 2 || words[1] != "101") return Fail(head.substr(0, head.find("\r\n")));
  } else {
    if (words.size() < 2 || !handler_->OnRequest(*this, words[1])) return Fail("refused");
    const std::string answer = absl::StrCat(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n",
        "Sec-WebSocket-Accept: ", AcceptKey(HeaderOf(head, "Sec-WebSocket-Key")), "\r\n\r\n");
    connection_.Write(answer.data(), answer.size());
  }
  open_ = true;
  handler_->OnOpen(*this);
  if (!rest.empty() && handler_ != nullptr) OnBytes(rest.data(), rest.size());
}

// Handles all complete parts and says how many bytes it took; what is left is part of a header.
std::size_t Leg::OnFrames(const char* data, std::size_t size) {
  std::size_t at = 0;
  while (handler_ != nullptr) {
    if (!in_frame_) {
      const std::size_t header = ParseHeader(data + at, size - at);
      if (header == 0) return at;
      at += header;
      in_frame_ = true;
    }
    const std::size_t part = static_cast<std::size_t>(std::min<std::uint64_t>(left_, size - at));
    left_ -= part;
    OnPayload(data + at, part);
    at += part;
    if (left_ > 0) return at;
    in_frame_ = false;
    if (handler_ != nullptr) OnFrameDone();
  }
  return size;
}

std::size_t Leg::ParseHeader(const char* data, std::size_t size) {
  if (size < 2) return 0;
  const auto byte = [data](std::size_t i) { return static_cast<std::uint8_t>(data[i]); };
  std::size_t need = 2;
  std::uint64_t length = byte(1) & 0x7f;
  const std::size_t extra = length == 126 ? 2 : length == 127 ? 8 : 0;
  masked_ = (byte(1) & 0x80) != 0;
  if (size < need + extra + (masked_ ? 4 : 0)) return 0;
  if (extra > 0) length = 0;
  for (std::size_t i = 0; i < extra; ++i) length = length << 8 | byte(need + i);
  need += extra;
  if (masked_) {
    std::memcpy(&mask_, data + need, 4);
    need += 4;
  }
  fin_ = (byte(0) & 0x80) != 0;
  opcode_ = byte(0) & 0x0f;
  if (opcode_ == kText || opcode_ == kBinary) message_opcode_ = opcode_;
  mask_offset_ = 0;
  left_ = length;
  return need;
}

void Leg::OnPayload(const char* data, std::size_t size) {
  const bool binary = opcode_ == kBinary || (opcode_ == 0 && message_opcode_ == kBinary);
  const bool last = left_ == 0 && fin_;
  if (!binary) {
    const std::size_t begin = small_.size();
    small_.append(data, size);
    if (masked_) ApplyMask(&small_[begin], size, mask_, mask_offset_);
    mask_offset_ = (mask_offset_ + size) & 3;
    return;
  }
  if (size == 0 && !last) return;
  if (!masked_) return handler_->OnBinary(*this, data, size, last);
  std::string plain(data, size);
  ApplyMask(&plain[0], size, mask_, mask_offset_);
  mask_offset_ = (mask_offset_ + size) & 3;
  handler_->OnBinary(*this, plain.data(), size, last);
}

void Leg::OnFrameDone() {
  const bool binary = opcode_ == kBinary || (opcode_ == 0 && message_opcode_ == kBinary);
  if (binary) return;
  if (opcode_ < kClose && !fin_) return;
  std::string payload;
  payload.swap(small_);
  switch (opcode_) {
    case kPing:
      SendFrame(kPong, payload.data(), payload.size());
      return;
    case kPong:
      return;
    case kClose:
      close_code_ = 1005;
      if (payload.size() >= 2) {
        close_code_ = static_cast<std::uint16_t>(static_cast<std::uint8_t>(payload[0]) << 8 |
                                                 static_cast<std::uint8_t>(payload[1]));
      }
      if (!close_sent_) SendClose(close_code_ == 1005 ? 1000 : close_code_);
      // RFC 6455 section 7.1.1: the server closes the connection first.
      if (!client_) {
        connection_.Close();
        OnEnd("closed");
      }
      return;
    default:
      handler_->OnText(*this, payload);
  }
}

void Leg::SendFrame(int opcode, const char* data, std::size_t size) {
  static std::string stage;
  stage.clear();
  stage.push_back(static_cast<char>(0x80 | opcode));
  const int mask_bit = client_ ? 0x80 : 0;
  if (size < 126) {
    stage.push_back(static_cast<char>(mask_bit | size));
  } else if (size < 65536) {
    stage.push_back(static_cast<char>(mask_bit | 126));
    stage.push_back(static_cast<char>(size >> 8));
    stage.push_back(static_cast<char>(size));
  } else {
    stage.push_back(static_cast<char>(mask_bit | 127));
    for (int shift = 56; shift >= 0; shift -= 8) stage.push_back(static_cast<char>(size >> shift));
  }
  const std::uint32_t mask = client_ ? NextMask() : 0;
  if (client_) stage.append(reinterpret_cast<const char*>(&mask), 4);
  const std::size_t begin = stage.size();
  stage.append(data, size);
  if (client_) ApplyMask(&stage[begin], size, mask, 0);
  connection_.Write(stage.data(), stage.size());
}

void Leg::SendClose(std::uint16_t code) {
  if (!open_ || close_sent_) return;
  close_sent_ = true;
  const char payload[2] = {static_cast<char>(code >> 8), static_cast<char>(code)};
  SendFrame(kClose, payload, 2);
}

void Leg::OnDrained() { handler_->OnDrained(*this); }

void Leg::OnEnd(absl::string_view why) {
  if (handler_ == nullptr) return;
  Handler* handler = std::exchange(handler_, nullptr);
  open_ = false;
  handler->OnEnd(*this, close_code_, why);
}

void Leg::Fail(absl::string_view why) {
  connection_.Abort();
  OnEnd(why);
}

void Leg::Abort() {
  handler_ = nullptr;
  open_ = false;
  connection_.Abort();
}

}  // namespace fairlead::bench
