// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// See fake_websocket.h. Each end is a core that its operations share, so that an end may be
// destroyed after Abort while its operations unwind.
#include "dataplane/testing/fake_websocket.h"

#include <algorithm>
#include <boost/asio/steady_timer.hpp>
#include <cstring>
#include <deque>
#include <string>
#include <utility>

namespace fairlead::dataplane {
namespace {

// A condition to wait for on one thread: no wake-up is lost between test and wait.
class Event {
 public:
  explicit Event(const net::any_io_executor& executor) : timer_(executor) {
    timer_.expires_at(net::steady_timer::time_point::max());
  }

  void Notify() { timer_.cancel(); }
  net::awaitable<void> Wait() { co_await timer_.async_wait(kToken); }

 private:
  net::steady_timer timer_;
};

// A piece of a frame on its way.
struct Piece {
  FrameKind kind = FrameKind::kBinary;
  Fin fin = Fin::kLast;
  std::string bytes;
  std::size_t read = 0;
};

// One direction: what one end wrote and the other has not read yet.
struct Pipe {
  std::deque<Piece> pieces;
  std::size_t buffered = 0;
  bool close_sent = false;
  bool close_read = false;
  CloseReason close;
};

// One end, shared by the object and its pending operations.
struct Core {
  Core(const net::any_io_executor& executor, const FakeWebSocketOptions& the_options)
      : options(the_options), readable(executor), writable(executor), closed(executor) {}

  const FakeWebSocketOptions options;
  PeerInfo peer;
  std::shared_ptr<FaultPlan> faults;
  std::shared_ptr<FakeWebSocketStats> stats = std::make_shared<FakeWebSocketStats>();
  std::shared_ptr<Pipe> incoming;
  std::shared_ptr<Pipe> outgoing;
  // The connection itself: lost for both ends at once.
  std::shared_ptr<bool> lost;
  std::weak_ptr<Core> other;
  Event readable;
  Event writable;
  Event closed;

  void NotifyAll() {
    readable.Notify();
    writable.Notify();
    closed.Notify();
  }

  void End(const CloseReason& reason) {
    if (stats->ended) return;
    stats->ended = true;
    stats->end = reason;
    NotifyAll();
  }

  // Loses the connection; the other end still reads what was written before.
  void Lose() {
    *lost = true;
    End(CloseReason{kCloseLost, "the connection was lost"});
    if (auto peer_core = other.lock()) peer_core->NotifyAll();
  }

  bool Faulty() {
    if (faults == nullptr || !faults->Next()) return false;
    Lose();
    return true;
  }
};

ReadResult EndResult(const Core& core) {
  ReadResult result;
  result.open = false;
  result.close = core.stats->end;
  return result;
}

ReadResult TakeFrom(Core& core, net::mutable_buffer buffer) {
  Pipe& pipe = *core.incoming;
  Piece& piece = pipe.pieces.front();
  ReadResult result;
  result.kind = piece.kind;
  result.size =
      std::min({buffer.size(), piece.bytes.size() - piece.read, core.options.max_read_bytes});
  if (result.size > 0) std::memcpy(buffer.data(), piece.bytes.data() + piece.read, result.size);
  piece.read += result.size;
  pipe.buffered -= result.size;
  const bool whole = piece.read == piece.bytes.size();
  result.fin = whole ? piece.fin : Fin::kMore;
  if (whole) pipe.pieces.pop_front();
  if (auto peer_core = core.other.lock()) peer_core->writable.Notify();
  return result;
}

// Whether a read need not wait; ends the core when the other end did.
bool ReadyToRead(Core& core) {
  if (core.stats->ended || !core.incoming->pieces.empty()) return true;
  if (core.incoming->close_sent) {
    core.incoming->close_read = true;
    core.End(core.incoming->close);
    if (auto peer_core = core.other.lock()) peer_core->closed.Notify();
    return true;
  }
  if (*core.lost) core.End(CloseReason{kCloseLost, "the connection was lost"});
  return core.stats->ended;
}

absl::Status Gone() { return absl::UnavailableError("the WebSocket is closed; connect again"); }

net::awaitable<ReadResult> Read(std::shared_ptr<Core> core, net::mutable_buffer buffer) {
  if (core->Faulty()) co_return EndResult(*core);
  while (!ReadyToRead(*core)) co_await core->readable.Wait();
  if (core->stats->ended) co_return EndResult(*core);
  co_return TakeFrom(*core, buffer);
}

// What is written to an end that closes is taken and discarded, as a closing peer does.
bool IsDiscarded(const Core& core) { return core.incoming->close_sent; }

bool WriteIsOver(const Core& core) { return core.stats->ended || *core.lost; }

void Push(Core& core, FrameKind kind, Fin fin, std::string bytes) {
  Pipe& pipe = *core.outgoing;
  Piece piece;
  piece.kind = kind;
  piece.fin = fin;
  piece.bytes = std::move(bytes);
  pipe.buffered += piece.bytes.size();
  pipe.pieces.push_back(std::move(piece));
  core.stats->most_buffered = std::max(core.stats->most_buffered, pipe.buffered);
  if (auto peer_core = core.other.lock()) peer_core->readable.Notify();
}

net::awaitable<absl::Status> Write(std::shared_ptr<Core> core, net::const_buffer data,
                                   FrameKind kind, Fin fin) {
  if (core->Faulty()) co_return Gone();
  const Pipe& pipe = *core->outgoing;
  const char* bytes = static_cast<const char*>(data.data());
  std::size_t done = 0;
  do {
    while (!WriteIsOver(*core) && !IsDiscarded(*core) &&
           pipe.buffered >= core->options.buffer_bytes) {
      co_await core->writable.Wait();
    }
    if (WriteIsOver(*core)) co_return Gone();
    if (IsDiscarded(*core)) break;
    const std::size_t size =
        std::min(core->options.buffer_bytes - pipe.buffered, data.size() - done);
    std::string piece(bytes + done, size);
    done += size;
    core->stats->bytes_written += size;
    Push(*core, kind, done == data.size() ? fin : Fin::kMore, std::move(piece));
  } while (done < data.size());
  ++core->stats->frames_written;
  co_return absl::OkStatus();
}

// Whether the closing handshake is over; what the other end still sends is discarded.
bool ClosingIsOver(Core& core) {
  if (core.incoming->close_sent && !core.incoming->close_read) {
    core.incoming->close_read = true;
    if (auto peer_core = core.other.lock()) peer_core->closed.Notify();
  }
  return core.incoming->close_sent || core.outgoing->close_read || *core.lost ||
         core.other.expired();
}

// Waits until the other end has read our close frame, the connection is lost, or time is up.
net::awaitable<void> AwaitCloseRead(std::shared_ptr<Core> core) {
  net::steady_timer deadline(co_await net::this_coro::executor);
  deadline.expires_after(absl::ToChronoNanoseconds(core->options.close_timeout));
  auto late = std::make_shared<bool>(false);
  deadline.async_wait([core, late](error_code error) {
    if (error) return;
    *late = true;
    core->closed.Notify();
  });
  while (!*late && !ClosingIsOver(*core)) co_await core->closed.Wait();
  deadline.cancel();
  *core->lost = true;
  if (auto peer_core = core->other.lock()) peer_core->NotifyAll();
}

net::awaitable<void> CloseCore(std::shared_ptr<Core> core, CloseReason reason) {
  if (core->Faulty() || core->stats->ended) co_return;
  if (reason.code == kCloseLost || *core->lost) {
    core->Lose();
    co_return;
  }
  core->outgoing->close_sent = true;
  core->outgoing->close = reason;
  core->End(reason);
  auto peer_core = core->other.lock();
  if (peer_core == nullptr) co_return;
  peer_core->NotifyAll();
  peer_core.reset();
  co_await AwaitCloseRead(core);
}

class FakeWebSocket : public WebSocket {
 public:
  FakeWebSocket(net::any_io_executor executor, std::shared_ptr<Core> core)
      : executor_(std::move(executor)), core_(std::move(core)) {}

  ~FakeWebSocket() override {
    Abort();
    core_->stats->destroyed = true;
  }

  net::any_io_executor executor() override { return executor_; }
  const PeerInfo& peer() const override { return core_->peer; }
  net::awaitable<ReadResult> ReadSome(net::mutable_buffer buffer) override {
    return Read(core_, buffer);
  }
  net::awaitable<absl::Status> WriteSome(net::const_buffer data, FrameKind kind, Fin fin) override {
    return Write(core_, data, kind, fin);
  }
  net::awaitable<void> Close(CloseReason reason) override {
    return CloseCore(core_, std::move(reason));
  }
  void Abort() noexcept override {
    if (!core_->stats->ended) core_->Lose();
  }

 private:
  const net::any_io_executor executor_;
  const std::shared_ptr<Core> core_;
};

}  // namespace

FakeWebSocketPair MakeFakeWebSocketPair(net::any_io_executor executor,
                                        FakeWebSocketOptions options) {
  auto first = std::make_shared<Core>(executor, options);
  auto second = std::make_shared<Core>(executor, options);
  first->peer = options.first_peer;
  second->peer = options.second_peer;
  first->faults = options.first_faults;
  second->faults = options.second_faults;
  first->outgoing = second->incoming = std::make_shared<Pipe>();
  second->outgoing = first->incoming = std::make_shared<Pipe>();
  first->lost = second->lost = std::make_shared<bool>(false);
  first->other = second;
  second->other = first;
  FakeWebSocketPair pair;
  pair.first_stats = first->stats;
  pair.second_stats = second->stats;
  pair.first = std::make_unique<FakeWebSocket>(executor, first);
  pair.second = std::make_unique<FakeWebSocket>(executor, second);
  return pair;
}

}  // namespace fairlead::dataplane
