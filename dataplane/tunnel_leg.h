// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// One leg of a session: a connection whose frames the relay takes apart and makes anew by itself,
// without a coroutine, and without a buffer while it is idle. Made by AcceptTunnel and
// MakeStreamLeg, owned by RelaySession.
#ifndef FAIRLEAD_DATAPLANE_TUNNEL_LEG_H_
#define FAIRLEAD_DATAPLANE_TUNNEL_LEG_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "dataplane/asio.h"
#include "dataplane/frame_codec.h"
#include "dataplane/keepalive.h"
#include "dataplane/leg_transport.h"
#include "dataplane/peer.h"
#include "dataplane/send_window.h"
#include "dataplane/timer_queue.h"
#include "dataplane/websocket.h"

namespace fairlead::dataplane {

// What a leg's bytes are: a WebSocket's frames, or a stream whose bytes are all payload.
enum class Framing : std::uint8_t { kWebSocket, kStream };

struct TunnelLegOptions {
  Framing framing = Framing::kWebSocket;
  // In place of pings a stream has its peer's kernel asked. `patient` holds for all.
  KeepAliveOptions keep_alive;
  std::size_t max_message_bytes = kMaxMessageBytes;
};

// What WebSocket (websocket.h) says of pings, losses, close frames and limits holds for a leg too.
// Frames may be cut anew, messages stay. A stream gives binary messages; its end is a close with
// 1000, and text goes nowhere on it.
//
// Thread: the executor's. Lifetime: outlives all calls of its owner's methods: to be destroyed from
// elsewhere.
class TunnelLeg final : private LegTransport::Handler, private TimerEntry {
 public:
  // Whoever serves the leg. Nothing is called before Start, nor after OnClosed.
  class Owner {
   public:
    // Where the payload that `from` is about to read goes; null: nowhere.
    virtual TunnelLeg* TargetOf(TunnelLeg& from) = 0;
    // So much payload of binary messages was handed to the kernel for `to`.
    virtual void OnDelivered(TunnelLeg& to, std::size_t bytes) = 0;
    // The peer is gone, while it was held back: what it sent before can still be read.
    virtual void OnHangUp(TunnelLeg& leg) = 0;
    // Nothing waits to be sent any more, or writing has failed (see write_failed()), or the peer
    // has read on: unless full(), it takes more again.
    virtual void OnDrained(TunnelLeg& leg) = 0;
    // The peer's end, after all its payload was taken: its close frame, a loss (1006), or what it
    // did wrong.
    virtual void OnEnd(TunnelLeg& leg, const CloseReason& reason) = 0;
    // The connection is closed.
    virtual void OnClosed(TunnelLeg& leg) = 0;

   protected:
    ~Owner() = default;
  };

  // `preface` is sent before all else, when the leg is uncorked.
  TunnelLeg(std::unique_ptr<LegTransport> transport, PeerInfo peer, TunnelLegOptions options,
            std::string preface = std::string());
  ~TunnelLeg();

  net::any_io_executor executor() { return transport_->executor(); }
  const PeerInfo& peer() const { return *peer_; }

  // For a session whose device does not look at acknowledgements: the kernel keeps little of what
  // the device sends, and the Console is sent little that it has not handled, as it acknowledges.
  // Before Start.
  void LimitInput() { transport_->LimitReceiveQueue(); }
  void LimitOutput(AckReader read_ack) { window_ = std::make_unique<SendWindow>(read_ack); }

  // Tells `owner` from now on. Reads nothing yet, so that the peer's end is not seen before
  // SetReading. Forgets peer().
  void Start(Owner& owner);

  // Sends what was held back since Start, so that it goes out at once: to be called soon.
  void Uncork();

  // Whether payload is read. While it is not, the peer is held back.
  void SetReading(bool reading);
  bool reading() const { return reading_; }

  // Sends a text message; may be lost if the leg ends.
  void SendText(absl::string_view text);

  // Something waits to be sent.
  bool pending() const { return pending_; }
  // It takes no more for now. Whoever sends more than notices holds his sender back meanwhile.
  bool full() const { return pending_ || window_full(); }
  // A write failed: what is sent vanishes, while what the peer sent before can still be read.
  bool write_failed() const { return write_failed_; }
  // OnHangUp was told.
  bool hung_up() const { return hung_up_; }
  // When what waits was last seen to move.
  absl::Duration write_progress() const { return keep_alive_.write_progress(); }

  // Sends a close frame after what waits (1006: none), waits up to the close timeout for the
  // peer's, and closes the connection. What the peer still sends is discarded, and its end is not
  // told. A leg that is ending by itself goes on doing so. With LimitOutput, whoever owns it sets
  // the limit while acknowledgements are missing: one that came after the connection's end would
  // have the kernel drop what is on its way.
  void Close(const CloseReason& reason);

  // Closes the connection at once. An end that was not told yet is told as a loss.
  void Abort(const char* why = "the connection was closed on this side");

  bool closed() const { return state_ == State::kClosed; }

 private:
  class Batch;

  enum class State : std::uint8_t {
    kOpen,
    // Our close frame is on its way, the peer's is waited for.
    kClosing,
    // Both ends are done; what waits is sent, then TLS and TCP are ended.
    kEnding,
    kClosed,
  };

  // LegTransport::Handler and TimerEntry.
  void OnReady(bool readable, bool writable) override;
  void OnHangUp() override;
  void OnTimer() override;

  void ReadSome();
  // Takes what one Read gave; in front of `input` there is room from `front` on.
  void TakeFrames(std::span<const std::uint8_t> input, std::uint8_t* front);
  void TakeStream(std::span<const std::uint8_t> input, std::uint8_t* front);
  void DiscardFrames(std::span<const std::uint8_t> input);
  void OnReadError(const error_code& error);
  // The codec came upon the peer's close frame or a fault.
  void OnReaderEnd();
  void HoldBackFor(const TunnelLeg& target);
  // Only while acknowledgements are read: input that is held back must not hold output back.
  bool window_full() const {
    return window_ != nullptr && reading_ && !write_failed_ && window_->full();
  }

  // Puts a frame for this leg's peer where `at` is: its header comes first.
  std::size_t HeaderSize(std::size_t payload) const;
  // Sends frames that carry `payload` bytes of binary messages.
  void Send(std::span<const std::uint8_t> frames, std::size_t payload);
  void SendControl(const std::string& frame);
  void Write(std::span<const std::uint8_t> bytes, error_code& error);
  void OnSendResult(const error_code& error);
  void OnWritable();
  void OnAllSent();
  void FailWriting();
  void SendPing();

  void StartClose(const CloseReason& reason);
  // Ends the connection: what waits, `frame`, TLS, TCP.
  void StartEnding(const std::string& frame);
  void GoOnEnding(const std::string& frame = std::string());
  void TellEnd(const CloseReason& reason);
  void CloseNow();

  // Sees to it that the timer wakes us for what the keep-alive has to do next.
  void Follow() { ArmBy(keep_alive_.NextPoll()); }
  void WatchAgain();
  absl::Duration Now() const;

  const std::unique_ptr<LegTransport> transport_;
  std::unique_ptr<PeerInfo> peer_;
  Owner* owner_ = nullptr;
  KeepAlive keep_alive_;
  FrameReader reader_;
  FrameWriter writer_;
  // Pongs that are to be sent at the end of a batch, or when nothing waits any more.
  std::string pongs_;
  // What is held back; null once uncorked.
  std::unique_ptr<std::string> corked_;
  // To be sent when nothing waits any more.
  std::unique_ptr<CloseReason> close_later_;
  // Null without LimitOutput.
  std::unique_ptr<SendWindow> window_;
  // Of what waits, payload of binary messages in bytes.
  std::size_t pending_payload_ = 0;
  const Framing framing_;
  State state_ = State::kOpen;
  bool reading_ = false;
  bool pending_ = false;
  bool ping_pending_ = false;
  bool write_failed_ = false;
  bool hung_up_ = false;
  bool end_told_ = false;
};

// Closes a leg that nobody serves.
net::awaitable<void> CloseTunnelLeg(std::unique_ptr<TunnelLeg> leg, CloseReason reason);

}  // namespace fairlead::dataplane

#endif  // FAIRLEAD_DATAPLANE_TUNNEL_LEG_H_
