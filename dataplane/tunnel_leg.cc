// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// See tunnel_leg.h: what is read becomes what the other leg sends, in one buffer that all legs of a
// thread share. Sending, and the ways to end, are in tunnel_leg_send.cc.
#include "dataplane/tunnel_leg.h"

#include <algorithm>
#include <array>
#include <boost/asio/error.hpp>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/clock.h"

namespace fairlead::dataplane {
namespace {

// In front of what is read, for the header of a frame whose own header came before.
constexpr std::size_t kHeadroom = 16;
// Pongs that wait; beyond that only the last ping is answered.
constexpr std::size_t kMaxPongBytes = 4096;
// How often a leg that always has more is read before others have their turn.
constexpr int kReadsInARow = 4;

struct Scratch {
  std::array<std::uint8_t, kHeadroom + LegTransport::kMaxReadBytes> bytes;
};

Scratch& ThreadScratch() {
  static thread_local const std::unique_ptr<Scratch> scratch = std::make_unique<Scratch>();
  return *scratch;
}

KeepAliveOptions KeepAliveFor(const TunnelLegOptions& options) {
  KeepAliveOptions keep_alive = options.keep_alive;
  keep_alive.patient = true;
  return keep_alive;
}

CloseReason Lost(std::string why) {
  CloseReason reason;
  reason.code = kCloseLost;
  reason.text = std::move(why);
  return reason;
}

}  // namespace

// Frames for one leg that grow in the buffer in which their payload was read: a header is never
// longer than the one that came, so that what is made stays behind what is read.
class TunnelLeg::Batch {
 public:
  Batch(TunnelLeg* target, std::uint8_t* front) : target_(target), begin_(front), end_(front) {}

  // Takes the chunk that `reader` has found. False: it is not UTF-8.
  bool Take(FrameReader& reader) {
    const bool text = reader.kind() == FrameKind::kText;
    const bool nowhere = target_ == nullptr || (text && target_->framing_ == Framing::kStream);
    chunk_ = nowhere ? end_ : end_ + target_->HeaderSize(reader.size());
    if (!reader.Take(chunk_)) return false;
    if (!nowhere) Add(reader.kind(), reader.fin(), reader.size());
    return true;
  }

  // The payload of the chunk that was taken last.
  const char* chunk() const { return reinterpret_cast<const char*>(chunk_); }

  // Takes `bytes`, a message of its own.
  void Take(std::span<const std::uint8_t> bytes) {
    if (target_ == nullptr) return;
    const std::size_t header = target_->HeaderSize(bytes.size());
    std::copy(bytes.begin(), bytes.end(), end_ + header);
    Add(FrameKind::kBinary, Fin::kLast, bytes.size());
  }

  void Send() {
    if (end_ != begin_) target_->Send({begin_, end_}, payload_);
  }

 private:
  // The payload is in place.
  void Add(FrameKind kind, Fin fin, std::size_t size) {
    if (target_->framing_ == Framing::kWebSocket) {
      end_ += target_->writer_.Put(end_, kind, fin, size);
    }
    end_ += size;
    if (kind == FrameKind::kBinary) payload_ += size;
  }

  TunnelLeg* const target_;
  std::uint8_t* const begin_;
  std::uint8_t* end_;
  std::uint8_t* chunk_ = nullptr;
  std::size_t payload_ = 0;
};

TunnelLeg::TunnelLeg(std::unique_ptr<LegTransport> transport, PeerInfo peer,
                     TunnelLegOptions options, std::string preface)
    : TimerEntry(TimerQueue::Of(transport->executor())),
      transport_(std::move(transport)),
      peer_(std::make_unique<PeerInfo>(std::move(peer))),
      keep_alive_(KeepAliveFor(options), Now()),
      reader_(FrameRole::kServer, options.max_message_bytes),
      corked_(std::make_unique<std::string>(std::move(preface))),
      framing_(options.framing) {}

TunnelLeg::~TunnelLeg() = default;

absl::Duration TunnelLeg::Now() const { return SystemClock().Monotonic(); }

void TunnelLeg::Start(Owner& owner) {
  owner_ = &owner;
  peer_.reset();
  transport_->Start(*this);
  Follow();
}

void TunnelLeg::SetReading(bool reading) {
  if (reading == reading_ || state_ != State::kOpen) return;
  reading_ = reading;
  if (!reading) {
    keep_alive_.OnReadFinished(Now());
    return WatchAgain();
  }
  keep_alive_.OnReadStarted(Now());
  WatchAgain();
  Follow();
  if (transport_->HoldsInput()) ReadSome();
}

void TunnelLeg::OnHangUp() {
  if (state_ != State::kOpen || hung_up_) return;
  hung_up_ = true;
  owner_->OnHangUp(*this);
}

void TunnelLeg::WatchAgain() {
  if (state_ == State::kClosed) return;
  const bool read = state_ == State::kOpen ? reading_ : state_ == State::kEnding ? !pending_ : true;
  transport_->Watch(read, pending_);
}

void TunnelLeg::OnReady(bool readable, bool writable) {
  if (writable && pending_) OnWritable();
  if (!readable || state_ == State::kClosed) return;
  if (state_ == State::kEnding) return GoOnEnding();
  ReadSome();
}

void TunnelLeg::ReadSome() {
  for (int reads = 0; reads < kReadsInARow || transport_->HoldsInput(); ++reads) {
    if (state_ == State::kOpen ? !reading_ : state_ != State::kClosing) return;
    Scratch& scratch = ThreadScratch();
    const std::span<std::uint8_t> room = std::span(scratch.bytes).subspan(kHeadroom);
    error_code error;
    const std::size_t size = transport_->Read(room, error);
    if (error == net::error::would_block) return;
    if (error) return OnReadError(error);
    if (state_ == State::kClosing) {
      DiscardFrames(room.first(size));
    } else if (framing_ == Framing::kStream) {
      keep_alive_.OnHeard(Now());
      TakeStream(room.first(size), scratch.bytes.data());
    } else {
      keep_alive_.OnHeard(Now());
      TakeFrames(room.first(size), scratch.bytes.data());
    }
    // Less than there was room for: the rest is told of when it comes.
    if (size < room.size() / 2 && !transport_->HoldsInput()) return;
  }
}

void TunnelLeg::TakeStream(std::span<const std::uint8_t> input, std::uint8_t* front) {
  TunnelLeg* const target = owner_->TargetOf(*this);
  Batch batch(target, front);
  batch.Take(input);
  batch.Send();
  if (target != nullptr) HoldBackFor(*target);
}

void TunnelLeg::TakeFrames(std::span<const std::uint8_t> input, std::uint8_t* front) {
  TunnelLeg* const target = owner_->TargetOf(*this);
  const bool was_full = window_full();
  Batch batch(target, front);
  bool over = false;
  for (bool more = true; more && !over;) {
    switch (reader_.Next(input)) {
      case FrameReader::Event::kNeedsInput:
        more = false;
        break;
      case FrameReader::Event::kData:
        over = !batch.Take(reader_);
        if (window_ != nullptr && !over && reader_.kind() == FrameKind::kText) {
          window_->OnText({batch.chunk(), reader_.size()}, reader_.fin());
        }
        break;
      case FrameReader::Event::kPing:
        if (pongs_.size() >= kMaxPongBytes) pongs_.clear();
        pongs_ += PongFrame(reader_.control());
        break;
      case FrameReader::Event::kPong:
        break;
      case FrameReader::Event::kClose:
      case FrameReader::Event::kFailed:
        over = true;
        break;
    }
  }
  batch.Send();
  // Sending may have come to an end of the session.
  if (state_ == State::kOpen && !pongs_.empty() && !pending_) {
    SendControl(std::exchange(pongs_, std::string()));
  }
  if (over) return OnReaderEnd();
  if (target != nullptr) HoldBackFor(*target);
  // The peer has acknowledged, or is held back itself. Not before: the other leg reads into the
  // buffer.
  if (was_full && !full() && state_ == State::kOpen) owner_->OnDrained(*this);
}

void TunnelLeg::HoldBackFor(const TunnelLeg& target) {
  if (target.full()) SetReading(false);
}

void TunnelLeg::DiscardFrames(std::span<const std::uint8_t> input) {
  for (;;) {
    switch (reader_.Next(input)) {
      case FrameReader::Event::kNeedsInput:
        return;
      case FrameReader::Event::kData: {
        // Where the chunk lies: nobody reads it.
        std::uint8_t* const at = ThreadScratch().bytes.data();
        if (!reader_.Take(at)) return OnReaderEnd();
        continue;
      }
      case FrameReader::Event::kPing:
      case FrameReader::Event::kPong:
        continue;
      case FrameReader::Event::kClose:
      case FrameReader::Event::kFailed:
        return OnReaderEnd();
    }
  }
}

void TunnelLeg::OnReaderEnd() {
  if (state_ == State::kClosing) return StartEnding("");
  if (state_ != State::kOpen) return;
  const CloseReason reason = reader_.close();
  CloseReason answer;
  answer.code = reason.code == kCloseNoCode ? kCloseNormal : reason.code;
  // The peer knows what it said itself, but not what it did wrong.
  if (reader_.failed()) answer.text = reason.text;
  reading_ = false;
  TellEnd(reason);
  StartEnding(CloseFrame(answer));
}

void TunnelLeg::OnReadError(const error_code& error) {
  const bool ended = error == net::error::eof || error == net::error::connection_reset;
  // The write that failed has taken the kernel's error, and left what looks like an end.
  const bool broken = write_failed_ && error == net::error::connection_reset;
  if (framing_ == Framing::kStream && state_ == State::kOpen && ended && !broken) {
    CloseReason normal;
    normal.code = kCloseNormal;
    reading_ = false;
    TellEnd(normal);
    return StartEnding("");
  }
  const absl::Status failure = transport_->failure();
  const std::string why = failure.ok() ? error.message() : std::string(failure.message());
  TellEnd(Lost(absl::StrCat("the connection was lost: ", why)));
  CloseNow();
}

}  // namespace fairlead::dataplane
