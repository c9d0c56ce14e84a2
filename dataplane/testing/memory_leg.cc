// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// See memory_leg.h.
#include "dataplane/testing/memory_leg.h"

#include <algorithm>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstring>
#include <deque>
#include <functional>
#include <string>
#include <utility>

#include "dataplane/frame_codec.h"

namespace fairlead::dataplane {
namespace {

// One direction.
struct Pipe {
  std::string bytes;
  // Nothing more will be written.
  bool ended = false;
  // Nobody reads any more: what is written vanishes or fails.
  bool abandoned = false;
};

// The connection: what both ends share.
struct Line {
  explicit Line(const MemoryLegOptions& the_options) : options(the_options) {}

  const MemoryLegOptions options;
  Pipe to_leg;
  Pipe to_peer;
  std::shared_ptr<MemoryLegStats> stats = std::make_shared<MemoryLegStats>();
  // Told that something has changed; either may be gone.
  std::function<void()> poke_leg;
  std::function<void()> poke_peer;

  void PokeLeg() {
    stats->unread = to_leg.bytes.size();
    if (poke_leg) poke_leg();
  }
  void PokePeer() {
    if (poke_peer) poke_peer();
  }
  // Neither end can write any more; what was written is still read.
  void Lose() {
    for (Pipe* pipe : {&to_leg, &to_peer}) pipe->ended = pipe->abandoned = true;
    PokeLeg();
    PokePeer();
  }
  std::size_t Room(const Pipe& pipe) const {
    return pipe.abandoned
               ? 0
               : options.buffer_bytes - std::min(options.buffer_bytes, pipe.bytes.size());
  }
};

// What tells the handler, kept by its own tasks.
struct Watcher {
  LegTransport::Handler* handler = nullptr;
  bool readable = false;
  bool writable = false;
  bool posted = false;
  // Something was watched for before, as on a descriptor that the kernel watches since.
  bool registered = false;
  bool hang_up_told = false;

  bool wants_hang_up() const { return registered && !readable && !hang_up_told; }
};

class MemoryTransport : public LegTransport {
 public:
  MemoryTransport(net::any_io_executor executor, std::shared_ptr<Line> line)
      : executor_(std::move(executor)), line_(std::move(line)) {
    line_->poke_leg = [this] { Poke(); };
  }
  ~MemoryTransport() override {
    Close();
    line_->stats->destroyed = true;
  }

  net::any_io_executor executor() override { return executor_; }
  void Start(Handler& handler) override { watcher_->handler = &handler; }
  bool HoldsInput() const override { return false; }

  std::size_t Read(std::span<std::uint8_t> room, error_code& error) override {
    error = {};
    Fault();
    Pipe& pipe = line_->to_leg;
    const std::size_t size =
        std::min({room.size(), pipe.bytes.size(), line_->options.max_read_bytes});
    if (size == 0) {
      error = pipe.ended ? error_code(net::error::eof) : error_code(net::error::would_block);
      return 0;
    }
    std::memcpy(room.data(), pipe.bytes.data(), size);
    pipe.bytes.erase(0, size);
    line_->PokePeer();
    line_->PokeLeg();
    return size;
  }

  void Write(std::span<const std::uint8_t> bytes, error_code& error) override {
    unsent_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    Flush(error);
  }

  std::size_t Flush(error_code& error) override {
    error = {};
    Fault();
    if (line_->to_peer.abandoned) {
      error = net::error::broken_pipe;
      return 0;
    }
    const std::size_t size = std::min(unsent_.size(), line_->Room(line_->to_peer));
    line_->to_peer.bytes.append(unsent_, 0, size);
    unsent_.erase(0, size);
    if (!unsent_.empty()) error = net::error::would_block;
    if (size > 0) line_->PokePeer();
    return size;
  }

  void EndStream(std::span<const std::uint8_t> last, error_code& error) override {
    Write(last, error);
  }
  void ShutdownSend() noexcept override {
    line_->to_peer.ended = true;
    line_->PokePeer();
  }
  void Drain(error_code& error) override {
    line_->to_leg.bytes.clear();
    line_->PokePeer();
    error = line_->to_leg.ended ? error_code() : error_code(net::error::would_block);
  }

  void LimitReceiveQueue() override {}
  bool PeerAnswers() override { return !line_->to_leg.ended; }
  void Watch(bool readable, bool writable) override {
    watcher_->readable = readable;
    watcher_->writable = writable;
    watcher_->registered = watcher_->registered || readable || writable;
    Poke();
  }

  void Close() noexcept override {
    watcher_->handler = nullptr;
    line_->poke_leg = nullptr;
    line_->to_leg.abandoned = true;
    line_->to_peer.ended = true;
    line_->stats->closed = true;
    line_->PokePeer();
  }

 private:
  void Fault() {
    if (line_->options.faults != nullptr && line_->options.faults->Next()) {
      line_->to_leg.bytes.clear();
      line_->Lose();
    }
  }
  bool Readable() const { return !line_->to_leg.bytes.empty() || line_->to_leg.ended; }
  bool Writable() const { return line_->Room(line_->to_peer) > 0 || line_->to_peer.abandoned; }

  void Poke() {
    Watcher& watcher = *watcher_;
    const bool due = (watcher.readable && Readable()) || (watcher.writable && Writable()) ||
                     (watcher.wants_hang_up() && line_->to_leg.ended);
    if (!due || watcher.posted || watcher.handler == nullptr) return;
    watcher.posted = true;
    net::post(executor_, [this, kept = watcher_] {
      kept->posted = false;
      // Closed meanwhile, and maybe gone.
      if (kept->handler == nullptr) return;
      if (kept->wants_hang_up() && line_->to_leg.ended) {
        kept->hang_up_told = true;
        kept->handler->OnHangUp();
      }
      const bool readable = kept->readable && Readable();
      const bool writable = kept->writable && Writable();
      if (kept->handler != nullptr && (readable || writable)) {
        kept->handler->OnReady(readable, writable);
      }
      // As long as it lasts.
      if (kept->handler != nullptr) Poke();
    });
  }

  const net::any_io_executor executor_;
  const std::shared_ptr<Line> line_;
  const std::shared_ptr<Watcher> watcher_ = std::make_shared<Watcher>();
  std::string unsent_;
};

// A client's frame.
std::string Masked(std::string frame) {
  constexpr char kMask[] = {'\x5A', '\x13', '\xC4', '\x77'};
  auto* bytes = reinterpret_cast<std::uint8_t*>(frame.data());
  const std::size_t length = bytes[1];
  const std::size_t header = length == 127 ? 10 : length == 126 ? 4 : 2;
  bytes[1] |= 0x80;
  for (std::size_t i = header; i < frame.size(); ++i) frame[i] ^= kMask[(i - header) % 4];
  return frame.insert(header, kMask, sizeof(kMask));
}

// The peer's end, shared by the object and its pending operations.
struct Peer {
  Peer(const net::any_io_executor& executor, std::shared_ptr<Line> the_line)
      : line(std::move(the_line)), changed(executor) {
    changed.expires_at(net::steady_timer::time_point::max());
    line->poke_peer = [this] { changed.cancel(); };
  }

  const std::shared_ptr<Line> line;
  PeerInfo info;
  net::steady_timer changed;
  FrameReader reader{FrameRole::kClient, std::size_t{1} << 30};
  FrameWriter writer;
  bool ended = false;
  CloseReason end;
  bool closing = false;
  bool gone = false;

  void End(const CloseReason& reason) {
    if (ended) return;
    ended = true;
    end = reason;
    changed.cancel();
  }
  void Lose() {
    End(CloseReason{kCloseLost, "the connection was lost"});
    line->poke_peer = nullptr;
    line->Lose();
    gone = true;
  }
  // The end of the connection, once the closing handshake is over.
  void HangUp() {
    line->to_leg.ended = true;
    line->to_peer.abandoned = true;
    line->PokeLeg();
  }
  // Control frames are small and are not held back.
  void SendControl(const std::string& frame) {
    if (line->to_leg.abandoned || line->to_leg.ended) return;
    line->to_leg.bytes += Masked(frame);
    line->PokeLeg();
  }
};

ReadResult EndResult(const Peer& peer) {
  ReadResult result;
  result.open = false;
  result.close = peer.end;
  return result;
}

// Takes some of what has arrived. False: there is nothing.
bool TakeSome(Peer& peer, net::mutable_buffer buffer, ReadResult& result) {
  std::string& bytes = peer.line->to_peer.bytes;
  while (!bytes.empty()) {
    // No chunk is longer than what is given.
    const std::size_t size = std::min(
        {bytes.size(), std::max<std::size_t>(buffer.size(), 1), peer.line->options.max_read_bytes});
    std::string piece = bytes.substr(0, size);
    std::span<const std::uint8_t> input(reinterpret_cast<const std::uint8_t*>(piece.data()), size);
    const FrameReader::Event event = peer.reader.Next(input);
    bytes.erase(0, size - input.size());
    peer.line->PokeLeg();
    if (event == FrameReader::Event::kPing) peer.SendControl(PongFrame(peer.reader.control()));
    if (event == FrameReader::Event::kClose || event == FrameReader::Event::kFailed) {
      if (!peer.closing) peer.SendControl(CloseFrame(CloseReason{kCloseNormal, ""}));
      peer.End(peer.reader.close());
      peer.HangUp();
      return true;
    }
    if (event != FrameReader::Event::kData) continue;
    result.kind = peer.reader.kind();
    result.size = peer.reader.size();
    result.fin = peer.reader.fin();
    peer.reader.Take(static_cast<std::uint8_t*>(buffer.data()));
    return true;
  }
  if (peer.line->to_peer.ended) {
    peer.End(CloseReason{kCloseLost, "the connection was lost"});
    peer.HangUp();
  }
  return peer.ended;
}

net::awaitable<ReadResult> Read(std::shared_ptr<Peer> peer, net::mutable_buffer buffer) {
  ReadResult result;
  while (!peer->ended && !TakeSome(*peer, buffer, result)) {
    co_await peer->changed.async_wait(kToken);
  }
  if (peer->ended) co_return EndResult(*peer);
  co_return result;
}

net::awaitable<absl::Status> Write(std::shared_ptr<Peer> peer, net::const_buffer data,
                                   FrameKind kind, Fin fin) {
  std::string frame(kMaxPlainHeaderBytes, '\0');
  auto* header = reinterpret_cast<std::uint8_t*>(frame.data());
  frame.resize(peer->writer.Put(header, kind, fin, data.size()));
  frame.append(static_cast<const char*>(data.data()), data.size());
  frame = Masked(std::move(frame));
  Line& line = *peer->line;
  for (std::size_t done = 0; done < frame.size();) {
    if (peer->ended || line.to_leg.ended || line.to_leg.abandoned) {
      co_return absl::UnavailableError("the WebSocket is closed; connect again");
    }
    const std::size_t size = std::min(line.Room(line.to_leg), frame.size() - done);
    line.to_leg.bytes.append(frame, done, size);
    done += size;
    if (size > 0) line.PokeLeg();
    if (size == 0) co_await peer->changed.async_wait(kToken);
  }
  co_return absl::OkStatus();
}

net::awaitable<void> ClosePeer(std::shared_ptr<Peer> peer, CloseReason reason) {
  if (peer->ended) co_return;
  if (reason.code == kCloseLost) {
    peer->Lose();
    co_return;
  }
  peer->closing = true;
  peer->SendControl(CloseFrame(reason));
  peer->End(reason);
  auto late = std::make_shared<bool>(false);
  net::steady_timer deadline(co_await net::this_coro::executor);
  deadline.expires_after(absl::ToChronoNanoseconds(peer->line->options.close_timeout));
  deadline.async_wait([peer, late](const error_code& error) {
    if (error) return;
    *late = true;
    peer->changed.cancel();
  });
  // What still comes is discarded.
  char buffer[512];
  const net::mutable_buffer room = net::buffer(buffer);
  Line& line = *peer->line;
  while (!*late && !peer->gone && !line.to_peer.ended) {
    while (!line.to_peer.bytes.empty()) {
      ReadResult ignored;
      TakeSome(*peer, room, ignored);
      if (peer->line->to_peer.abandoned) break;
    }
    if (line.to_peer.abandoned) break;
    if (!line.to_peer.ended) co_await peer->changed.async_wait(kToken);
  }
  deadline.cancel();
  peer->HangUp();
}

class PeerWebSocket : public WebSocket {
 public:
  PeerWebSocket(net::any_io_executor executor, std::shared_ptr<Peer> peer)
      : executor_(std::move(executor)), peer_(std::move(peer)) {}
  ~PeerWebSocket() override {
    Abort();
    peer_->line->poke_peer = nullptr;
  }

  net::any_io_executor executor() override { return executor_; }
  const PeerInfo& peer() const override { return peer_->info; }
  net::awaitable<ReadResult> ReadSome(net::mutable_buffer buffer) override {
    return Read(peer_, buffer);
  }
  net::awaitable<absl::Status> WriteSome(net::const_buffer data, FrameKind kind, Fin fin) override {
    return Write(peer_, data, kind, fin);
  }
  net::awaitable<void> Close(CloseReason reason) override {
    return ClosePeer(peer_, std::move(reason));
  }
  void Abort() noexcept override {
    if (!peer_->ended) peer_->Lose();
  }

 private:
  const net::any_io_executor executor_;
  const std::shared_ptr<Peer> peer_;
};

}  // namespace

MemoryLeg MakeMemoryLeg(net::any_io_executor executor, MemoryLegOptions options) {
  auto line = std::make_shared<Line>(options);
  MemoryLeg result;
  result.stats = line->stats;
  result.peer = std::make_unique<PeerWebSocket>(executor, std::make_shared<Peer>(executor, line));
  result.leg = std::make_unique<TunnelLeg>(std::make_unique<MemoryTransport>(executor, line),
                                           PeerInfo(), options.leg);
  return result;
}

}  // namespace fairlead::dataplane
