// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// See leg_transport.h: TLS on a socket.
#include "dataplane/leg_transport.h"

#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/error.hpp>
#include <utility>

#include "dataplane/leg_reactor.h"
#include "dataplane/socket_liveness.h"
#include "dataplane/tls_stream.h"

namespace fairlead::dataplane {
namespace {

// What is asked of the kernel, which takes twice as much memory, for what a peer has sent and is
// not read yet. By itself it would grow to megabytes. So much on its way still makes up to 2.5 MB/s
// over a link with a round trip of 100 ms.
constexpr int kReceiveQueueBytes = 128 * 1024;

class TlsLegTransport : public LegTransport, private LegReactor::Watched {
 public:
  TlsLegTransport(LegReactor& reactor, internal::ReleasedChannel released)
      : reactor_(reactor), released_(std::move(released)) {}
  ~TlsLegTransport() override { Close(); }

  net::any_io_executor executor() override {
    return static_cast<net::io_context&>(reactor_.context()).get_executor();
  }
  void Start(Handler& handler) override { handler_ = &handler; }

  std::size_t Read(std::span<std::uint8_t> room, error_code& error) override {
    const net::mutable_buffer buffer(room.data(), room.size());
    const std::size_t size = channel().Read({&buffer, 1}, error);
    // The channel calls both a missing close_notify and a reset so.
    if (error == net::error::connection_reset && !channel().input_ended()) {
      error = net::error::connection_aborted;
    }
    return size;
  }
  bool HoldsInput() const override { return released_.channel->HoldsInput(); }
  void Write(std::span<const std::uint8_t> bytes, error_code& error) override {
    channel().WriteAll(bytes, error);
  }
  std::size_t Flush(error_code& error) override {
    const std::size_t before = channel().unsent();
    channel().Flush(error);
    return before - channel().unsent();
  }
  void EndStream(std::span<const std::uint8_t> last, error_code& error) override {
    channel().CloseNotify(last, error);
  }
  void ShutdownSend() noexcept override { channel().ShutdownSend(); }
  void Drain(error_code& error) override { channel().Drain(error); }

  void LimitReceiveQueue() override {
    ::setsockopt(channel().descriptor(), SOL_SOCKET, SO_RCVBUF, &kReceiveQueueBytes,
                 sizeof(kReceiveQueueBytes));
  }

  bool PeerAnswers() override { return dataplane::PeerAnswers(channel().descriptor()); }

  void Watch(bool readable, bool writable) override;
  void Close() noexcept override;
  absl::Status failure() const override { return released_.channel->engine().failure(); }

 private:
  internal::TlsChannel& channel() { return *released_.channel; }
  void OnEvents(std::uint32_t events) override;

  LegReactor& reactor_;
  internal::ReleasedChannel released_;
  Handler* handler_ = nullptr;
  std::uint32_t watched_ = 0;
  bool registered_ = false;
  bool hang_up_told_ = false;
};

void TlsLegTransport::Watch(bool readable, bool writable) {
  std::uint32_t events = (readable ? EPOLLIN : 0u) | (writable ? EPOLLOUT : 0u);
  // Whoever reads comes upon the end by that; before the first watch nobody wants to know.
  if (!readable && registered_ && !hang_up_told_) events |= EPOLLRDHUP;
  if (channel().descriptor() < 0 || events == watched_) return;
  watched_ = events;
  if (registered_) {
    reactor_.Change(channel().descriptor(), *this, events);
  } else {
    // Without room the leg hears nothing and is ended by its deadlines.
    registered_ = reactor_.Add(channel().descriptor(), *this, events);
  }
}

void TlsLegTransport::OnEvents(std::uint32_t events) {
  const bool broken = (events & (EPOLLERR | EPOLLHUP)) != 0;
  const bool readable = (watched_ & EPOLLIN) != 0 && (broken || (events & EPOLLIN) != 0);
  const bool writable = (watched_ & EPOLLOUT) != 0 && (broken || (events & EPOLLOUT) != 0);
  const bool hung_up = broken || (watched_ & events & EPOLLRDHUP) != 0;
  if (!readable && !writable && broken) {
    // It would be told of for ever while nobody wants to know.
    reactor_.Remove(channel().descriptor(), *this);
    registered_ = false;
    watched_ = 0;
  }
  if (hung_up && !readable && !std::exchange(hang_up_told_, true)) {
    if (registered_) Watch(false, (watched_ & EPOLLOUT) != 0);
    handler_->OnHangUp();
  }
  // If neither, it was watched for when the kernel told, and is no more since another's turn.
  const bool still_writable = writable && (watched_ & EPOLLOUT) != 0;
  if (readable || still_writable) handler_->OnReady(readable, still_writable);
}

void TlsLegTransport::Close() noexcept {
  const int descriptor = channel().descriptor();
  if (descriptor < 0) return;
  if (registered_) reactor_.Remove(descriptor, *this);
  registered_ = false;
  channel().Forget();
  released_.breaker->Retire();
  ::close(descriptor);
}

}  // namespace

static_assert(LegTransport::kMaxReadBytes == internal::TlsChannel::kMaxReadBytes);

std::unique_ptr<LegTransport> MakeTlsTransport(std::unique_ptr<TlsStream> stream) {
  LegReactor& reactor = LegReactor::Of(stream->get_executor());
  internal::ReleasedChannel released = std::move(*stream).Release();
  released.channel->engine().ForgetFacts();
  return std::make_unique<TlsLegTransport>(reactor, std::move(released));
}

}  // namespace fairlead::dataplane
