// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// See tls_channel.h.
#include "dataplane/tls_channel.h"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace fairlead::dataplane::internal {
namespace {

using ByteView = TlsEngine::ByteView;
using Outcome = TlsEngine::Outcome;

// How much one recv may take, and one write seal.
constexpr std::size_t kReadAheadBytes = 64 * 1024;
constexpr std::size_t kMaxWriteBytes = 64 * 1024;
constexpr std::size_t kRecordBytes = 16 * 1024;
// How much of what a peer sends after our end is dropped before others have their turn.
constexpr std::size_t kDrainBytes = 128 * 1024;

// Buffers that all connections of a thread share; none is in use between two calls.
struct Scratch {
  std::array<std::uint8_t, kReadAheadBytes> input;
  std::array<std::uint8_t, kRecordBytes> plain;
  std::vector<std::uint8_t> sealed;
};

Scratch& ThreadScratch() {
  static thread_local const std::unique_ptr<Scratch> scratch = [] {
    auto made = std::make_unique<Scratch>();
    made->sealed.reserve(TlsChannel::kMaxReadBytes + 1024);
    return made;
  }();
  scratch->sealed.clear();
  return *scratch;
}

error_code LastError() { return {errno, boost::system::system_category()}; }

error_code ProtocolError() {
  return boost::system::errc::make_error_code(boost::system::errc::protocol_error);
}

// Fills `buffers` one after the other.
Outcome ReadInto(TlsEngine& engine, ByteView& input, std::span<const net::mutable_buffer> buffers,
                 std::size_t& total, std::vector<std::uint8_t>& sealed) {
  total = 0;
  for (const net::mutable_buffer& buffer : buffers) {
    std::size_t size = 0;
    const Outcome outcome = engine.Read(
        input, {static_cast<std::uint8_t*>(buffer.data()), buffer.size()}, size, sealed);
    total += size;
    if (outcome != Outcome::kDone) return outcome;
  }
  return Outcome::kDone;
}

// Goes through a gather list in pieces of at most one record: full records straight from where they
// lie, smaller pieces gathered in `scratch`.
class RecordPacker {
 public:
  RecordPacker(std::span<const net::const_buffer> buffers, std::span<std::uint8_t> scratch)
      : buffers_(buffers), scratch_(scratch) {}

  // The next piece, empty at the end.
  ByteView Next(std::size_t limit) {
    SkipEmpty();
    limit = std::min(limit, scratch_.size());
    if (index_ == buffers_.size() || limit == 0) return {};
    const bool is_last = index_ + 1 == buffers_.size();
    if (Rest() >= limit || is_last) return Take(std::min(limit, Rest()));
    std::size_t filled = 0;
    while (filled < limit && index_ < buffers_.size()) {
      const ByteView piece = Take(std::min(limit - filled, Rest()));
      std::memcpy(scratch_.data() + filled, piece.data(), piece.size());
      filled += piece.size();
      SkipEmpty();
    }
    return {scratch_.data(), filled};
  }

 private:
  std::size_t Rest() const { return buffers_[index_].size() - offset_; }
  void SkipEmpty() {
    while (index_ < buffers_.size() && Rest() == 0) {
      ++index_;
      offset_ = 0;
    }
  }
  ByteView Take(std::size_t size) {
    const auto* data = static_cast<const std::uint8_t*>(buffers_[index_].data()) + offset_;
    offset_ += size;
    return {data, size};
  }

  std::span<const net::const_buffer> buffers_;
  std::span<std::uint8_t> scratch_;
  std::size_t index_ = 0;
  std::size_t offset_ = 0;
};

}  // namespace

TlsChannel::TlsChannel(int descriptor, std::unique_ptr<TlsEngine> engine)
    : engine_(std::move(engine)), descriptor_(descriptor) {}

TlsChannel::~TlsChannel() = default;

bool TlsChannel::MayRead() const { return !drained_ || end_of_input_ || HoldsInput(); }

std::span<const std::uint8_t> TlsChannel::Receive(std::span<std::uint8_t> scratch,
                                                  error_code& error) {
  if (end_of_input_) {
    error = net::error::eof;
    return {};
  }
  ssize_t count = 0;
  do {
    count = ::recv(descriptor_, scratch.data(), scratch.size(), MSG_DONTWAIT);
  } while (count < 0 && errno == EINTR);
  if (count > 0) {
    drained_ = static_cast<std::size_t>(count) < scratch.size();
    return scratch.first(static_cast<std::size_t>(count));
  }
  drained_ = true;
  if (count == 0) {
    end_of_input_ = true;
    error = net::error::eof;
  } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
    error = net::error::would_block;
  } else {
    error = LastError();
  }
  return {};
}

void TlsChannel::Keep(std::span<const std::uint8_t> rest) {
  if (rest.empty()) {
    std::vector<std::uint8_t>().swap(stash_);
    stash_begin_ = 0;
    return;
  }
  const bool is_in_stash = !stash_.empty();
  if (is_in_stash) {
    stash_begin_ = stash_.size() - rest.size();
  } else {
    stash_.assign(rest.begin(), rest.end());
    stash_begin_ = 0;
  }
}

std::size_t TlsChannel::Read(std::span<const net::mutable_buffer> buffers, error_code& error) {
  error = {};
  if (buffers.empty()) return 0;
  if (descriptor_ < 0) {
    error = net::error::bad_descriptor;
    return 0;
  }
  Scratch& scratch = ThreadScratch();
  ByteView input = ByteView(stash_).subspan(stash_begin_);
  std::size_t total = 0;
  Outcome outcome = Outcome::kNeedsInput;
  if (HoldsInput()) outcome = ReadInto(*engine_, input, buffers, total, scratch.sealed);
  if (outcome == Outcome::kNeedsInput && total == 0) {
    Keep({});
    input = Receive(scratch.input, error);
    if (!error) outcome = ReadInto(*engine_, input, buffers, total, scratch.sealed);
  }
  Keep(input);
  tls_over_ = outcome == Outcome::kEnd || outcome == Outcome::kFailed;
  // An answer to the peer (an alert) goes out as far as the kernel takes it.
  error_code ignored;
  if (!scratch.sealed.empty()) Send(scratch.sealed, ignored);
  if (total > 0) {
    error = {};
  } else if (outcome == Outcome::kEnd) {
    error = net::error::eof;
  } else if (outcome == Outcome::kFailed) {
    error = ProtocolError();
  } else if (error == net::error::eof) {
    error = net::error::connection_reset;
  } else if (!error && outcome == Outcome::kNeedsInput) {
    error = net::error::would_block;
  }
  return total;
}

std::size_t TlsChannel::Write(std::span<const net::const_buffer> buffers, error_code& error) {
  error = {};
  if (descriptor_ < 0) {
    error = net::error::bad_descriptor;
    return 0;
  }
  Scratch& scratch = ThreadScratch();
  RecordPacker packer(buffers, scratch.plain);
  std::size_t total = 0;
  for (;;) {
    const ByteView piece = packer.Next(kMaxWriteBytes - total);
    if (piece.empty()) break;
    if (engine_->Write(piece, scratch.sealed) != Outcome::kDone) {
      error = net::error::broken_pipe;
      return 0;
    }
    total += piece.size();
  }
  if (!scratch.sealed.empty()) Send(scratch.sealed, error);
  return total;
}

void TlsChannel::WriteAll(std::span<const std::uint8_t> bytes, error_code& error) {
  error = {};
  if (descriptor_ < 0) {
    error = net::error::bad_descriptor;
    return;
  }
  Scratch& scratch = ThreadScratch();
  if (engine_->Write(bytes, scratch.sealed) != Outcome::kDone) {
    error = net::error::broken_pipe;
    return;
  }
  Send(scratch.sealed, error);
}

void TlsChannel::Handshake(bool& wants_write, error_code& error) {
  error = {};
  if (!unsent_.empty()) Flush(error);
  wants_write = error == net::error::would_block;
  if (error) return;
  Scratch& scratch = ThreadScratch();
  ByteView input = ByteView(stash_).subspan(stash_begin_);
  for (;;) {
    scratch.sealed.clear();
    const Outcome outcome = engine_->Handshake(input, scratch.sealed);
    Keep(input);
    if (!scratch.sealed.empty()) Send(scratch.sealed, error);
    wants_write = error == net::error::would_block;
    if (outcome == Outcome::kFailed) error = ProtocolError();
    if (outcome == Outcome::kEnd) error = net::error::eof;
    if (outcome != Outcome::kNeedsInput || error) return;
    input = Receive(scratch.input, error);
    if (error) return;
  }
}

void TlsChannel::CloseNotify(std::span<const std::uint8_t> last, error_code& error) {
  error = {};
  if (descriptor_ < 0) {
    error = net::error::bad_descriptor;
    return;
  }
  Scratch& scratch = ThreadScratch();
  if (!last.empty() && engine_->Write(last, scratch.sealed) != Outcome::kDone) {
    error = net::error::broken_pipe;
    return;
  }
  engine_->CloseNotify(scratch.sealed);
  Send(scratch.sealed, error);
}

void TlsChannel::Send(std::span<const std::uint8_t> sealed, error_code& error) {
  error = {};
  while (unsent_.empty() && !sealed.empty()) {
    const std::ptrdiff_t count = SendSome(sealed, error);
    if (count < 0) break;
    sealed = sealed.subspan(static_cast<std::size_t>(count));
  }
  if (error && error != net::error::would_block) return;
  unsent_.insert(unsent_.end(), sealed.begin(), sealed.end());
  if (!error) Flush(error);
}

std::ptrdiff_t TlsChannel::SendSome(std::span<const std::uint8_t> data, error_code& error) {
  ssize_t count = 0;
  do {
    count = ::send(descriptor_, data.data(), data.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  } while (count < 0 && errno == EINTR);
  if (count < 0) {
    error =
        errno == EAGAIN || errno == EWOULDBLOCK ? error_code(net::error::would_block) : LastError();
  }
  return count;
}

void TlsChannel::Flush(error_code& error) {
  error = {};
  while (unsent_begin_ < unsent_.size()) {
    const std::ptrdiff_t count = SendSome(ByteView(unsent_).subspan(unsent_begin_), error);
    if (count < 0) return;
    unsent_begin_ += static_cast<std::size_t>(count);
  }
  std::vector<std::uint8_t>().swap(unsent_);
  unsent_begin_ = 0;
}

void TlsChannel::ShutdownSend() noexcept {
  if (descriptor_ >= 0) ::shutdown(descriptor_, SHUT_WR);
}

void TlsChannel::Drain(error_code& error) {
  error = {};
  Keep({});
  if (descriptor_ < 0) return;
  for (std::size_t total = 0; total < kDrainBytes;) {
    total += Receive(ThreadScratch().input, error).size();
    if (error == net::error::would_block) return;
    if (error) {
      error = {};
      return;
    }
  }
  // Cutting it off now would take from it what was sent to it last, a close code above all.
  error = net::error::would_block;
}

}  // namespace fairlead::dataplane::internal
