// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// All terminals of the device: opens and closes them as the server asks, within the settings and
// the profiles. Used by UnifiedClient and the agent's main program.
#ifndef FAIRLEAD_DEVICE_TERMINALS_H_
#define FAIRLEAD_DEVICE_TERMINALS_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "base/clock.h"
#include "dataplane/asio.h"
#include "device/buffer_pool.h"
#include "device/profiles.h"
#include "device/terminal_session.h"
#include "device/wake.h"
#include "proto/unified.pb.h"

namespace fairlead::device {

// The limits while no settings are known.
inline constexpr std::uint32_t kDefaultMaxSessions = 16;

// Thread: the executor's, which must be the thread of Pty's contract.
// Lifetime: must outlive the executor's last run, or Stop must have been awaited; `dialer` and
// `clock` must outlive it.
class Terminals : public TerminalObserver {
 public:
  // Takes what is to be told to the server; called on the executor's thread.
  using Send = std::function<void(v1::DeviceMessage)>;

  // `kind`: what the tunnels carry that Open dials.
  Terminals(net::any_io_executor executor, Profiles profiles, TunnelDialer& dialer, Send send,
            const Clock& clock, TerminalTimeouts timeouts = TerminalTimeouts(),
            StreamKind kind = StreamKind::kPty);

  // Settings for terminals that are opened from now on.
  void Apply(const v1::TerminalSettings& settings) { settings_ = settings; }
  const v1::TerminalSettings& settings() const { return settings_; }

  // Opens a terminal; what comes of it is sent as OpenTerminalResult and TerminalEnded.
  void Open(const v1::OpenTerminal& request);

  // Runs a terminal of the default profile over a Telnet stream that somebody opened to this
  // device, until nothing of it is left. Nothing is sent about it: a refusal is a line on the
  // stream itself.
  net::awaitable<void> ServeTelnet(std::unique_ptr<dataplane::WebSocket> stream);

  // Hangs a terminal up; an unknown one is ignored.
  void Close(const v1::CloseTerminal& request);

  // Refuses new terminals from now on and hangs all up.
  void BeginStop();
  // BeginStop, then waits until all are gone.
  net::awaitable<void> Stop();

  // The terminals that the server asked for.
  std::vector<std::string> running() const;
  // Whether there is no terminal at all.
  bool idle() const { return sessions_.empty(); }
  std::vector<std::string> profile_names() const { return profiles_.names(); }

  // TerminalObserver.
  void OnRunning(const std::string& session_id) override;
  void OnRefused(const std::string& session_id, Refusal refusal,
                 absl::string_view message) override;
  void OnEnded(const std::string& session_id, const terminal::ProgramResult& result,
               std::uint64_t total_bytes) override;

 private:
  struct Entry {
    std::shared_ptr<TerminalSession> session;
    // False for one that ServeTelnet runs.
    bool asked_for = true;
  };
  struct Refused {
    Refusal refusal;
    std::string message;
  };
  // Why no terminal of `profile` can be opened now, or nothing and the program to run.
  std::optional<Refused> WhyNot(absl::string_view profile, Program& program) const;
  net::awaitable<void> RunSession(std::string session_id, std::shared_ptr<TerminalSession> session);

  net::any_io_executor executor_;
  const Profiles profiles_;
  TunnelDialer& dialer_;
  const Send send_;
  const Clock& clock_;
  const TerminalTimeouts timeouts_;
  const std::shared_ptr<BufferPool> buffers_ = BufferPool::Create();
  const StreamKind kind_;
  Wake wake_;
  v1::TerminalSettings settings_;
  bool stopping_ = false;
  std::uint64_t served_ = 0;
  std::map<std::string, Entry> sessions_;
};

}  // namespace fairlead::device

#endif  // FAIRLEAD_DEVICE_TERMINALS_H_
