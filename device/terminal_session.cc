// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// The life of a terminal and its output. terminal_session_input.cc holds the input.
#include "device/terminal_session.h"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "base/log.h"
#include "base/status.h"
#include "dataplane/close_reason.h"

namespace fairlead::device {
namespace {

using dataplane::CloseReason;
using dataplane::FrameKind;
using dataplane::MakeCloseReason;
using Refusal = v1::OpenTerminalResult;

// What background processes may add after the program's end before they are left alone.
constexpr std::size_t kMaxDrainBytes = 1024 * 1024;
constexpr absl::Duration kNever = absl::Hours(1);
// How long output may wait for more of it.
constexpr absl::Duration kGatherTime = absl::Milliseconds(1);
// While nobody holds the terminal's other side, it must be asked: it signals readiness all along.
constexpr absl::Duration kGonePoll = absl::Milliseconds(100);
// The kernel's word that there is room for input may come a moment before the room does.
constexpr absl::Duration kInputPoll = absl::Milliseconds(50);
// How often a program is asked for that cannot be reaped.
constexpr absl::Duration kReapPoll = absl::Seconds(1);
// How often a session that was hung up is looked at: at first, and at most.
constexpr absl::Duration kFirstSessionPoll = absl::Milliseconds(5);
constexpr absl::Duration kLastSessionPoll = absl::Milliseconds(500);

}  // namespace

TerminalSession::TerminalSession(net::any_io_executor executor, TerminalRequest request,
                                 TunnelDialer& dialer, TerminalObserver& observer,
                                 const Clock& clock, std::shared_ptr<BufferPool> buffers,
                                 TerminalTimeouts timeouts)
    : request_(std::move(request)),
      dialer_(dialer),
      observer_(observer),
      clock_(clock),
      buffers_(std::move(buffers)),
      timeouts_(timeouts),
      executor_(executor),
      wake_(executor),
      room_(executor),
      master_(executor),
      exit_(executor),
      stream_(MakeTerminalStream(request_.kind, request_.size)),
      gather_timer_(executor) {}

TerminalSession::~TerminalSession() { StopWatching(); }

net::awaitable<void> TerminalSession::Run(Self self) {
  absl::StatusOr<std::unique_ptr<Pty>> pty =
      Pty::Start(self->request_.program, self->request_.size);
  if (!pty.ok()) {
    self->observer_.OnRefused(
        self->request_.session_id, Refusal::START_FAILED,
        absl::StrCat("The device could not start the terminal: ", pty.status().message(), "."));
    co_return;
  }
  self->pty_ = std::move(*pty);
  self->WatchExit();
  if (self->hung_up_at_.has_value()) self->pty_->HangUp();
  co_await self->RunWithProgram();
  co_await self->CleanUp();
  self->ReportEnd();
  // The terminal is over all the same.
  if (!self->pty_->Reap()) net::co_spawn(self->executor_, ReapLater(self), net::detached);
}

net::awaitable<void> TerminalSession::ReapLater(Self self) {
  while (!self->pty_->Reap()) co_await self->wake_.Wait(kReapPoll);
}

net::awaitable<void> TerminalSession::RunWithProgram() {
  // Before the tunnel is dialled: the server informs the Console once the tunnel is in place, and
  // by then a program that cannot be started has to be known. It takes about a millisecond.
  const absl::Status exec = co_await AwaitExec();
  if (!exec.ok()) {
    std::string sentence =
        absl::StrCat("The device could not start the terminal: ", exec.message(), ".");
    Refuse(Refusal::START_FAILED, std::move(sentence));
    co_return;
  }
  absl::StatusOr<std::unique_ptr<dataplane::WebSocket>> tunnel =
      co_await dialer_.Dial(request_.ticket);
  if (tunnel.ok()) tunnel_ = std::move(*tunnel);
  if (tunnel_ == nullptr) {
    std::string sentence =
        absl::StrCat("The device could not open its tunnel: ", tunnel.status().message(), ".");
    Refuse(Refusal::TUNNEL_FAILED, std::move(sentence));
    co_return;
  }
  attach_deadline_ = clock_.Monotonic() + timeouts_.attach;
  if (request_.attachment == Attachment::kAtOnce) CheckAttached();
  reader_runs_ = true;
  master_.assign(pty_->master_fd());
  net::co_spawn(executor_, ReadTunnel(shared_from_this()), net::detached);
  co_await PumpOutput();
  co_await SendEnd();
  co_await CloseTunnel();
}

net::awaitable<absl::Status> TerminalSession::AwaitExec() {
  // Shared with the timer's callback, which may be queued when this is over.
  const auto report = std::make_shared<net::posix::stream_descriptor>(executor_, pty_->exec_fd());
  const auto late = std::make_shared<bool>(false);
  net::steady_timer timer(executor_);
  timer.expires_after(absl::ToChronoNanoseconds(timeouts_.exec));
  timer.async_wait([report, late](dataplane::error_code error) {
    if (error) return;
    *late = true;
    report->cancel(error);
  });
  // Asio may end a wait for what a descriptor of the same number was ready for, so ask again.
  while (pty_->ExecPending() && !*late) {
    co_await report->async_wait(net::posix::stream_descriptor::wait_read, dataplane::kToken);
  }
  timer.cancel();
  report->release();
  co_return pty_->ExecResult();
}

void TerminalSession::Refuse(TerminalObserver::Refusal refusal, std::string message) {
  reported_ = true;
  observer_.OnRefused(request_.session_id, refusal, message);
}

net::awaitable<void> TerminalSession::PumpOutput() {
  for (;;) {
    CheckTimes();
    if (tunnel_over_ || !protocol_error_.ok()) co_return;
    if (!co_await SendFrame()) co_return;
    const std::uint64_t sent_before = stream_->sent_bytes();
    if (!co_await SendOutput()) co_return;
    if (stream_->sent_bytes() != sent_before && drained_after_exit_ <= kMaxDrainBytes) continue;
    // The end waits for the relay's word, so that what is reported comes in order.
    if (attached_ && Drained()) co_return;
    const absl::Duration limit = NextTime();
    co_await wake_.Wait(limit);
    if (master_gone_) maybe_readable_ = true;
    if (!input_.empty()) FlushInput();
  }
}

net::awaitable<bool> TerminalSession::SendFrame() {
  TerminalStream::Queue queue = TerminalStream::Queue::kWaiting;
  if (input_.empty()) queue = TerminalStream::Queue::kEmpty;
  if (input_.size() >= kAckQueuedInput) queue = TerminalStream::Queue::kFull;
  const std::optional<TerminalStream::Frame> frame = stream_->TakeFrame(queue);
  if (!frame.has_value()) co_return true;
  // What is said leaves room for what is heard.
  room_.Notify();
  const net::const_buffer buffer = net::buffer(frame->payload);
  const absl::Status written =
      co_await tunnel_->WriteSome(buffer, frame->kind, dataplane::Fin::kLast);
  co_return written.ok();
}

net::awaitable<bool> TerminalSession::SendOutput() {
  ReadOutput();
  if (output_size_ == 0 || !OutputIsDue()) co_return true;
  const absl::string_view batch = stream_->Encode(absl::string_view(output_->data(), output_size_));
  answers_input_ = false;
  const absl::Status written = co_await tunnel_->WriteBinary(batch);
  sent_at_ = clock_.Monotonic();
  output_size_ = 0;
  output_.reset();
  co_return written.ok();
}

void TerminalSession::ReadOutput() {
  const std::uint64_t limit =
      std::min<std::uint64_t>(stream_->Allowance(), BufferPool::kBufferBytes);
  if (!maybe_readable_ || output_size_ >= limit) return;
  const std::size_t room = limit - output_size_;
  if (!output_.has_value()) output_.emplace(*buffers_);
  std::size_t count = 0;
  const Pty::Io io = pty_->Read(output_->data() + output_size_, room, &count);
  output_size_ += count;
  master_gone_ = io == Pty::Io::kGone;
  // Once the program has ended, nobody tells that more is there: it must be seen that nothing is.
  const bool taken = io == Pty::Io::kSome && count < room && !result_.has_value();
  if (io != Pty::Io::kSome || taken) maybe_readable_ = false;
  if (io == Pty::Io::kWouldBlock || taken) WatchReadable();
  if (result_.has_value()) drained_after_exit_ += count;
  if (output_size_ == 0) output_.reset();
}

// A program that writes line by line would otherwise have each line sealed, sent and relayed for
// itself. What follows an input, or a pause, goes at once.
bool TerminalSession::OutputIsDue() {
  const bool full =
      output_size_ >= std::min<std::uint64_t>(stream_->Allowance(), BufferPool::kBufferBytes);
  if (full || answers_input_ || result_.has_value() || master_gone_) return true;
  const absl::Duration since = clock_.Monotonic() - sent_at_;
  if (since >= kGatherTime) return true;
  AwaitMoreOutput(kGatherTime - since);
  return false;
}

bool TerminalSession::Drained() const {
  if (!result_.has_value() || output_size_ > 0) return false;
  return !maybe_readable_ || drained_after_exit_ > kMaxDrainBytes;
}

net::awaitable<void> TerminalSession::SendEnd() {
  if (tunnel_over_ || !protocol_error_.ok() || !Drained()) co_return;
  const std::optional<std::string> end = stream_->End(*result_, clock_.Monotonic());
  ReportEnd();
  if (end.has_value()) {
    const absl::Status written = co_await tunnel_->WriteText(*end);
    if (!written.ok()) co_return;
  }
  while (!tunnel_over_ && protocol_error_.ok() && !stream_->done(clock_.Monotonic())) {
    const absl::Duration limit = stream_->deadline() - clock_.Monotonic();
    co_await wake_.Wait(limit);
  }
}

net::awaitable<void> TerminalSession::CloseTunnel() {
  stopping_ = true;
  room_.Notify();
  if (!attached_) {
    const std::string why = tunnel_over_ && !tunnel_close_.text.empty()
                                ? std::string(absl::StripSuffix(tunnel_close_.text, "."))
                                : std::string("the server did not confirm it");
    reported_ = true;
    observer_.OnRefused(request_.session_id, Refusal::TUNNEL_FAILED,
                        absl::StrCat("The device could not open its tunnel: ", why, "."));
  }
  CloseReason reason = MakeCloseReason(dataplane::kCloseNormal, "");
  if (!protocol_error_.ok()) {
    reason = MakeCloseReason(dataplane::kCloseMalformed, protocol_error_.message());
  } else if (!stream_->ended()) {
    reason = MakeCloseReason(dataplane::kClosePeerLost, "The device gave the terminal up.");
  }
  co_await tunnel_->Close(reason);
  while (reader_runs_) co_await wake_.Wait(kNever);
}

net::awaitable<void> TerminalSession::CleanUp() {
  StopWatching();
  if (result_.has_value() && !hung_up_at_.has_value()) co_return;
  HangUp();
  pty_->CloseMaster();
  // The descriptor of the program's end is no longer watched, so all of it is polled here.
  const absl::Duration give_up = *hung_up_at_ + 2 * timeouts_.hang_up;
  absl::Duration poll = kFirstSessionPoll;
  for (;;) {
    if (!result_.has_value()) result_ = pty_->PollExit();
    if (result_.has_value() && !pty_->SessionAlive()) co_return;
    if (clock_.Monotonic() >= give_up) break;
    CheckTimes();
    co_await wake_.Wait(poll);
    poll = std::min(2 * poll, kLastSessionPoll);
  }
  spdlog::warn("session {}: processes {} of it do not end", Printable(request_.session_id),
               pty_->pid());
}

void TerminalSession::HangUp() {
  if (hung_up_at_.has_value()) return;
  hung_up_at_ = clock_.Monotonic();
  if (pty_ != nullptr) pty_->HangUp();
  wake_.Notify();
}

void TerminalSession::CheckTimes() {
  const absl::Duration now = clock_.Monotonic();
  if (hung_up_at_.has_value() && !killed_ && now >= *hung_up_at_ + timeouts_.hang_up) {
    killed_ = true;
    pty_->KillSession();
  }
  const bool waits_for_attach = tunnel_ != nullptr && !attached_ && !tunnel_over_;
  if (waits_for_attach && attach_deadline_.has_value() && now >= *attach_deadline_) {
    tunnel_over_ = true;
  }
}

absl::Duration TerminalSession::NextTime() const {
  const absl::Duration now = clock_.Monotonic();
  absl::Duration limit = kNever;
  if (hung_up_at_.has_value() && !killed_) {
    limit = std::min(limit, *hung_up_at_ + timeouts_.hang_up - now);
  }
  if (!attached_) limit = std::min(limit, *attach_deadline_ - now);
  if (master_gone_) limit = std::min(limit, kGonePoll);
  if (!input_.empty()) limit = std::min(limit, kInputPoll);
  return limit;
}

void TerminalSession::WatchExit() {
  exit_.assign(pty_->exit_fd());
  AwaitExit();
}

void TerminalSession::AwaitExit() {
  exit_.async_wait(net::posix::stream_descriptor::wait_read,
                   [self = shared_from_this()](dataplane::error_code error) {
                     if (error) return;
                     self->result_ = self->pty_->PollExit();
                     // As for AwaitExec: a wait may end for nothing.
                     if (!self->result_.has_value()) return self->AwaitExit();
                     // What it wrote last may still be there.
                     self->maybe_readable_ = true;
                     self->wake_.Notify();
                   });
}

void TerminalSession::WatchReadable() {
  if (watching_readable_) return;
  watching_readable_ = true;
  master_.async_wait(net::posix::stream_descriptor::wait_read,
                     [self = shared_from_this()](dataplane::error_code error) {
                       self->watching_readable_ = false;
                       if (error) return;
                       self->maybe_readable_ = true;
                       self->wake_.Notify();
                     });
}

void TerminalSession::AwaitMoreOutput(absl::Duration limit) {
  if (gathering_) return;
  gathering_ = true;
  gather_timer_.expires_after(absl::ToChronoNanoseconds(limit));
  gather_timer_.async_wait([self = shared_from_this()](dataplane::error_code error) {
    self->gathering_ = false;
    if (!error) self->wake_.Notify();
  });
}

void TerminalSession::StopWatching() {
  gather_timer_.cancel();
  // The descriptors stay open: they are pty_'s.
  if (master_.is_open()) master_.release();
  if (exit_.is_open()) exit_.release();
}

void TerminalSession::ReportEnd() {
  if (reported_) return;
  reported_ = true;
  observer_.OnEnded(request_.session_id, result_.value_or(terminal::ProgramResult()),
                    stream_->sent_bytes());
}

}  // namespace fairlead::device
