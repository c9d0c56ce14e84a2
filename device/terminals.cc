// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
#include "device/terminals.h"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "base/log.h"
#include "device/direct_stream.h"

namespace fairlead::device {
namespace {

constexpr std::size_t kTicketLength = 43;
constexpr absl::Duration kNever = absl::Hours(1);

// The ticket becomes part of a header, so it must be what it is said to be.
bool IsTicket(absl::string_view ticket) {
  return ticket.size() == kTicketLength && std::all_of(ticket.begin(), ticket.end(), [](char c) {
           return absl::ascii_isalnum(c) || c == '-' || c == '_';
         });
}

terminal::WindowSize SizeOf(const v1::OpenTerminal& request) {
  return terminal::ClampWindowSize(request.columns() == 0 ? 80 : request.columns(),
                                   request.rows() == 0 ? 24 : request.rows());
}

}  // namespace

Terminals::Terminals(net::any_io_executor executor, Profiles profiles, TunnelDialer& dialer,
                     Send send, const Clock& clock, TerminalTimeouts timeouts, StreamKind kind)
    : executor_(executor),
      profiles_(std::move(profiles)),
      dialer_(dialer),
      send_(std::move(send)),
      clock_(clock),
      timeouts_(timeouts),
      kind_(kind),
      wake_(executor) {}

void Terminals::Open(const v1::OpenTerminal& request) {
  const std::string& id = request.session_id();
  if (sessions_.count(id) > 0) {
    spdlog::warn("session {}: asked for a second time; ignored", Printable(id));
    return;
  }
  spdlog::info("session {}: {} asks for a terminal, profile \"{}\", reason \"{}\"", Printable(id),
               Printable(request.user()), Printable(request.profile()),
               Printable(request.reason()));
  TerminalRequest terminal;
  const std::optional<Refused> refused = WhyNot(request.profile(), terminal.program);
  if (refused.has_value()) return OnRefused(id, refused->refusal, refused->message);
  if (!IsTicket(request.ticket())) {
    return OnRefused(id, v1::OpenTerminalResult::TUNNEL_FAILED,
                     "The server sent the device a malformed ticket.");
  }
  terminal.session_id = id;
  terminal.ticket = request.ticket();
  terminal.size = SizeOf(request);
  terminal.kind = kind_;
  auto session = std::make_shared<TerminalSession>(executor_, std::move(terminal), dialer_, *this,
                                                   clock_, buffers_, timeouts_);
  sessions_[id].session = session;
  net::co_spawn(executor_, RunSession(id, std::move(session)), net::detached);
}

std::optional<Terminals::Refused> Terminals::WhyNot(absl::string_view profile,
                                                    Program& program) const {
  const std::uint32_t limit =
      settings_.has_max_sessions() ? settings_.max_sessions() : kDefaultMaxSessions;
  if (stopping_) {
    return Refused{v1::OpenTerminalResult::STOPPING,
                   "The device's agent is stopping; try again in a moment."};
  }
  if (settings_.has_enabled() && !settings_.enabled()) {
    return Refused{v1::OpenTerminalResult::DISABLED,
                   "Terminals are disabled on this device; enable them in its terminal settings."};
  }
  if (sessions_.size() >= limit) {
    return Refused{v1::OpenTerminalResult::TOO_MANY_SESSIONS,
                   absl::StrCat("This device already runs ", sessions_.size(),
                                " terminals, as many as its settings allow; end one first.")};
  }
  absl::StatusOr<Program> found =
      profiles_.Resolve(profile.empty() ? settings_.default_profile() : profile);
  if (!found.ok()) {
    const bool unknown = absl::IsNotFound(found.status());
    return Refused{
        unknown ? v1::OpenTerminalResult::UNKNOWN_PROFILE : v1::OpenTerminalResult::START_FAILED,
        absl::StrCat("The terminal was refused: ", found.status().message(), ".")};
  }
  program = *std::move(found);
  return std::nullopt;
}

void Terminals::Close(const v1::CloseTerminal& request) {
  const auto found = sessions_.find(request.session_id());
  if (found == sessions_.end()) return;
  spdlog::info("session {}: hanging up: {}", Printable(request.session_id()),
               Printable(request.reason()));
  found->second.session->HangUp();
}

net::awaitable<void> Terminals::ServeTelnet(std::unique_ptr<dataplane::WebSocket> stream) {
  const std::string id = absl::StrCat("direct/", ++served_);
  spdlog::info("session {}: {} opened a stream for a terminal", id, stream->peer().address);
  DirectStream direct(std::move(stream));
  TerminalRequest terminal;
  const std::optional<Refused> refused = WhyNot(absl::string_view(), terminal.program);
  if (refused.has_value()) {
    direct.OnRefused(id, refused->refusal, refused->message);
  } else {
    terminal.session_id = id;
    terminal.kind = StreamKind::kTelnet;
    terminal.attachment = Attachment::kAtOnce;
    auto session = std::make_shared<TerminalSession>(executor_, std::move(terminal), direct, direct,
                                                     clock_, buffers_, timeouts_);
    sessions_[id] = Entry{session, false};
    co_await RunSession(id, std::move(session));
  }
  co_await direct.TellRefusal();
}

net::awaitable<void> Terminals::RunSession(std::string session_id,
                                           std::shared_ptr<TerminalSession> session) {
  co_await TerminalSession::Run(session);
  sessions_.erase(session_id);
  wake_.Notify();
}

void Terminals::BeginStop() {
  stopping_ = true;
  for (const auto& [id, entry] : sessions_) entry.session->HangUp();
}

net::awaitable<void> Terminals::Stop() {
  BeginStop();
  while (!sessions_.empty()) co_await wake_.Wait(kNever);
}

std::vector<std::string> Terminals::running() const {
  std::vector<std::string> ids;
  for (const auto& [id, entry] : sessions_) {
    if (entry.asked_for) ids.push_back(id);
  }
  return ids;
}

void Terminals::OnRunning(const std::string& session_id) {
  spdlog::info("session {}: the terminal runs", Printable(session_id));
  v1::DeviceMessage message;
  message.mutable_open_terminal_result()->set_session_id(session_id);
  send_(std::move(message));
}

void Terminals::OnRefused(const std::string& session_id, Refusal refusal,
                          absl::string_view message) {
  spdlog::warn("session {}: {}", Printable(session_id), Printable(message));
  v1::DeviceMessage told;
  v1::OpenTerminalResult& result = *told.mutable_open_terminal_result();
  result.set_session_id(session_id);
  result.set_refusal(refusal);
  result.set_message(std::string(message));
  send_(std::move(told));
}

void Terminals::OnEnded(const std::string& session_id, const terminal::ProgramResult& result,
                        std::uint64_t total_bytes) {
  spdlog::info("session {}: the terminal ended, {}, {} bytes of output", Printable(session_id),
               DescribeResult(result), total_bytes);
  v1::DeviceMessage message;
  v1::TerminalEnded& ended = *message.mutable_terminal_ended();
  ended.set_session_id(session_id);
  if (result.exit_code.has_value()) {
    ended.set_exit_code(*result.exit_code);
  } else if (!result.signal.empty()) {
    ended.set_signal(result.signal);
  }
  ended.set_total_bytes(total_bytes);
  send_(std::move(message));
}

}  // namespace fairlead::device
