// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// One terminal: a program on a pseudo-terminal, joined to a tunnel. Output and input are two
// coroutines that never wait for each other; TerminalStream holds the protocol. Used by Terminals.
#ifndef FAIRLEAD_DEVICE_TERMINAL_SESSION_H_
#define FAIRLEAD_DEVICE_TERMINAL_SESSION_H_

#include <array>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "base/clock.h"
#include "dataplane/asio.h"
#include "dataplane/websocket.h"
#include "device/buffer_pool.h"
#include "device/input_queue.h"
#include "device/program.h"
#include "device/pty.h"
#include "device/terminal_stream.h"
#include "device/wake.h"
#include "proto/unified.pb.h"
#include "terminal/device_end.h"

namespace fairlead::device {

namespace net = dataplane::net;

// Opens tunnels to the edge, or has one already.
class TunnelDialer {
 public:
  virtual ~TunnelDialer() = default;
  // Errors: a sentence for the Console.
  virtual net::awaitable<absl::StatusOr<std::unique_ptr<dataplane::WebSocket>>> Dial(
      std::string ticket) = 0;
};

// Told of what becomes of a terminal: OnRefused, or OnRunning and later OnEnded.
class TerminalObserver {
 public:
  using Refusal = v1::OpenTerminalResult::Refusal;

  virtual ~TerminalObserver() = default;
  virtual void OnRunning(const std::string& session_id) = 0;
  virtual void OnRefused(const std::string& session_id, Refusal refusal,
                         absl::string_view message) = 0;
  // `total_bytes` of output were sent in all.
  virtual void OnEnded(const std::string& session_id, const terminal::ProgramResult& result,
                       std::uint64_t total_bytes) = 0;
};

// Whether the far end says that a tunnel is in place, or a tunnel that was opened is.
enum class Attachment { kIsTold, kAtOnce };

// What is to be opened.
struct TerminalRequest {
  std::string session_id;
  std::string ticket;
  Program program;
  terminal::WindowSize size;
  StreamKind kind = StreamKind::kPty;
  Attachment attachment = Attachment::kIsTold;
};

// How long things may take.
struct TerminalTimeouts {
  absl::Duration exec = absl::Seconds(10);
  // From the tunnel's handshake to the relay's word that this leg is in place.
  absl::Duration attach = absl::Seconds(10);
  // From SIGHUP to SIGKILL, and from there until the program is given up.
  absl::Duration hang_up = absl::Seconds(5);
};

// Thread: the executor's, which must be the thread of Pty's contract.
// Lifetime: held by the coroutine of Run; `dialer`, `observer` and `clock` must outlive that.
class TerminalSession : public std::enable_shared_from_this<TerminalSession> {
 public:
  TerminalSession(net::any_io_executor executor, TerminalRequest request, TunnelDialer& dialer,
                  TerminalObserver& observer, const Clock& clock,
                  std::shared_ptr<BufferPool> buffers,
                  TerminalTimeouts timeouts = TerminalTimeouts());
  ~TerminalSession();

  // Runs the terminal from its start until no process, tunnel or descriptor of it is left.
  static net::awaitable<void> Run(std::shared_ptr<TerminalSession> self);

  // Ends the program: SIGHUP now, SIGKILL later. The end is told to the Console if it still is
  // there. Idempotent.
  void HangUp();

 private:
  using Self = std::shared_ptr<TerminalSession>;

  net::awaitable<void> RunWithProgram();
  net::awaitable<absl::Status> AwaitExec();
  void Refuse(TerminalObserver::Refusal refusal, std::string message);
  // Output: everything that is written to the tunnel is written by these.
  net::awaitable<void> PumpOutput();
  net::awaitable<bool> SendFrame();
  net::awaitable<bool> SendOutput();
  void ReadOutput();
  bool OutputIsDue();
  net::awaitable<void> SendEnd();
  net::awaitable<void> CloseTunnel();
  net::awaitable<void> CleanUp();
  // Keeps what is left of the program until it can be reaped.
  static net::awaitable<void> ReapLater(Self self);
  // Input.
  static net::awaitable<void> ReadTunnel(Self self);
  void OnFrame(const dataplane::ReadResult& frame);
  bool RoomForInput() const;
  void OnInput(absl::string_view bytes);
  void OnControl(absl::string_view text);
  void FlushInput();

  void CheckTimes();
  absl::Duration NextTime() const;
  void CheckAttached();
  // Everything was read that a program that has ended had written.
  bool Drained() const;
  // Callbacks of the descriptors.
  void WatchExit();
  void AwaitExit();
  void WatchReadable();
  void WatchWritable();
  void AwaitMoreOutput(absl::Duration limit);
  void StopWatching();
  void ReportEnd();

  const TerminalRequest request_;
  TunnelDialer& dialer_;
  TerminalObserver& observer_;
  const Clock& clock_;
  const std::shared_ptr<BufferPool> buffers_;
  const TerminalTimeouts timeouts_;
  net::any_io_executor executor_;
  Wake wake_;
  Wake room_;

  std::unique_ptr<Pty> pty_;
  // Watch descriptors that pty_ owns.
  net::posix::stream_descriptor master_;
  net::posix::stream_descriptor exit_;
  std::unique_ptr<dataplane::WebSocket> tunnel_;
  const std::unique_ptr<TerminalStream> stream_;

  // The program.
  std::optional<terminal::ProgramResult> result_;
  std::optional<absl::Duration> hung_up_at_;
  bool killed_ = false;
  bool reported_ = false;

  // Output that was read and is not sent yet; without a buffer when there is none.
  std::optional<BufferPool::Loan> output_;
  std::size_t output_size_ = 0;
  absl::Duration sent_at_ = -absl::InfiniteDuration();
  // Input came since output was sent last: somebody waits for what comes now.
  bool answers_input_ = false;
  net::steady_timer gather_timer_;
  bool gathering_ = false;
  bool maybe_readable_ = true;
  bool watching_readable_ = false;
  // Nobody held the other side when last read.
  bool master_gone_ = false;
  std::size_t drained_after_exit_ = 0;

  // Input.
  // For what the person types: a tunnel is read all the time, and mostly for nothing. What is
  // pasted comes in several pieces.
  std::array<char, 4096> input_buffer_;
  InputQueue input_;
  std::string text_;
  bool watching_writable_ = false;
  bool reader_runs_ = false;

  // The tunnel.
  std::optional<absl::Duration> attach_deadline_;
  bool attached_ = false;
  bool tunnel_over_ = false;
  dataplane::CloseReason tunnel_close_;
  absl::Status protocol_error_;
  bool stopping_ = false;
};

}  // namespace fairlead::device

#endif  // FAIRLEAD_DEVICE_TERMINAL_SESSION_H_
