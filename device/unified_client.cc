// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
#include "device/unified_client.h"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/log.h"
#include "base/plain_text.h"
#include "base/random.h"
#include "base/status.h"
#include "base/utf8.h"

namespace fairlead::device {
namespace {

constexpr char kSettingsFile[] = "settings.pb";
constexpr char kConnectorsFile[] = "connectors.pb";
constexpr std::uint32_t kProtocolVersion = 1;
constexpr std::size_t kMaxOutbox = 1000;
constexpr absl::Duration kClockSkew = absl::Minutes(5);
constexpr absl::Duration kNever = absl::Hours(1);

std::uint64_t Seed() {
  std::uint64_t seed = 0;
  const std::string bytes = RandomBytes(sizeof seed);
  std::memcpy(&seed, bytes.data(), sizeof seed);
  return seed;
}

ConnectorsOptions OptionsOf(const UnifiedClientOptions& options) {
  ConnectorsOptions connectors;
  connectors.servers = options.servers;
  connectors.preference = options.connector_preference;
  connectors.icgs_only = options.os_generation == v1::Device::OS_11;
  connectors.backoff = options.backoff;
  connectors.seed = Seed();
  return connectors;
}

absl::Time TimeOf(const google::protobuf::Timestamp& time) {
  return absl::FromUnixSeconds(time.seconds()) + absl::Nanoseconds(time.nanos());
}

bool IsRefusal(const absl::Status& status) {
  return absl::IsPermissionDenied(status) || absl::IsUnauthenticated(status);
}

}  // namespace

UnifiedClient::UnifiedClient(net::any_io_executor executor, UnifiedClientOptions options,
                             const StateDir& state, Identity& identity, Profiles profiles,
                             const Clock& clock)
    : executor_(executor),
      options_(std::move(options)),
      state_(state),
      identity_(identity),
      clock_(clock),
      terminals_(
          executor, std::move(profiles), *this,
          [this](v1::DeviceMessage message) { Send(std::move(message)); }, clock, options_.timeouts,
          options_.os_generation == v1::Device::OS_11 ? StreamKind::kTelnet : StreamKind::kPty),
      connectors_(OptionsOf(options_)),
      wake_(executor),
      renewal_(executor),
      outgoing_(executor) {
  LoadSettings();
  LoadConnectors();
  // Tests serve connections that nobody dialled.
  connected_to_.endpoint = options_.servers.front();
}

UnifiedClient::~UnifiedClient() = default;

void UnifiedClient::LoadSettings() {
  const absl::StatusOr<std::string> stored = state_.Read(kSettingsFile);
  v1::TerminalSettings settings;
  if (stored.ok() && settings.ParseFromString(*stored)) terminals_.Apply(settings);
}

void UnifiedClient::KeepSettings(const v1::TerminalSettings& settings) {
  const std::string before = terminals_.settings().SerializeAsString();
  terminals_.Apply(settings);
  if (settings.SerializeAsString() == before) return;
  const absl::Status kept = state_.Write(kSettingsFile, settings.SerializeAsString());
  // They hold for this run all the same; a full disk must not shut the device out.
  if (!kept.ok()) spdlog::warn("the terminal settings could not be kept: {}", kept.ToString());
  spdlog::info("terminal settings: {}", settings.ShortDebugString());
}

void UnifiedClient::LoadConnectors() {
  const absl::StatusOr<std::string> stored = state_.Read(kConnectorsFile);
  v1::ConnectorList list;
  if (!stored.ok() || !list.ParseFromString(*stored)) return;
  const absl::Status taken = connectors_.Update(list);
  if (!taken.ok()) spdlog::warn("the connectors that were kept: {}", Printable(taken.message()));
}

void UnifiedClient::KeepConnectors(const v1::ConnectorList& list) {
  if (const absl::Status taken = connectors_.Update(list); !taken.ok()) {
    spdlog::warn("the server's list of connectors is left aside: {}", Printable(taken.message()));
    return;
  }
  const std::string bytes = list.SerializeAsString();
  if (state_.Read(kConnectorsFile).value_or("") == bytes) return;
  const absl::Status kept = state_.Write(kConnectorsFile, bytes);
  // It holds for this run all the same.
  if (!kept.ok()) spdlog::warn("the list of connectors could not be kept: {}", kept.ToString());
  spdlog::info("connectors: {}", Printable(list.ShortDebugString()));
}

net::awaitable<void> UnifiedClient::Run() {
  while (!stopping_) {
    place_ = connectors_.Next(clock_.Monotonic());
    if (place_.delay > absl::ZeroDuration()) {
      spdlog::info("trying again in {}",
                   absl::FormatDuration(absl::Trunc(place_.delay, absl::Milliseconds(1))));
      co_await Pause(place_.delay);
      if (stopping_) break;
    }
    const absl::Duration start = clock_.Monotonic();
    const bool enrolling = MustEnroll();
    absl::Status status;
    if (enrolling) {
      status = co_await EnrollOnce();
    } else {
      status = co_await ConnectOnce();
    }
    if (stopping_) break;
    Conclude(status, enrolling, clock_.Monotonic() - start);
  }
  co_await terminals_.Stop();
  if (connection_ != nullptr) connection_->Abort();
  while (renewing_) co_await wake_.Wait(kNever);
}

void UnifiedClient::Conclude(const absl::Status& status, bool enrolling, absl::Duration lasted) {
  if (status.ok()) {
    logged_.clear();
    // Once enrolled, the same place is connected to next.
    if (!enrolling) connectors_.OnDisconnected(lasted);
    return;
  }
  LogFailure(status, enrolling);
  if (!IsRefusal(status)) return connectors_.OnFailed();
  const bool os_11 = options_.os_generation == v1::Device::OS_11 && !enrolling;
  connectors_.OnRefused(clock_.Monotonic(),
                        os_11 ? options_.os_11_refusal_pause : options_.refusal_pause);
}

void UnifiedClient::LogFailure(const absl::Status& status, bool enrolling) {
  absl::Status& logged = logged_[dataplane::HostHeader(place_.endpoint)];
  if (status == logged) return;
  logged = status;
  spdlog::warn("{}", Printable(status.message()));
  if (!IsRefusal(status)) return;
  if (options_.os_generation == v1::Device::OS_11 && !enrolling) {
    spdlog::warn("this OS 11 device serves its own port, if it has one, and asks again every {}",
                 absl::FormatDuration(options_.os_11_refusal_pause));
  } else {
    spdlog::warn("the server refuses this device; an administrator must let it in again");
  }
}

net::awaitable<void> UnifiedClient::Pause(absl::Duration delay) {
  const absl::Duration until = clock_.Monotonic() + delay;
  while (!stopping_ && clock_.Monotonic() < until) {
    const absl::Duration rest = until - clock_.Monotonic();
    co_await wake_.Wait(rest);
  }
}

void UnifiedClient::Stop() {
  stopping_ = true;
  terminals_.BeginStop();
  wake_.Notify();
  renewal_.Notify();
  outgoing_.Notify();
}

net::awaitable<absl::Status> UnifiedClient::Serve(
    std::unique_ptr<dataplane::WebSocket> connection) {
  connection_ = std::move(connection);
  if (!place_.endpoint.host.empty()) connected_to_ = place_;
  outbox_.clear();
  over_ = false;
  welcomed_ = false;
  reading_ = true;
  net::co_spawn(executor_, ReadLoop(*this), net::detached);
  co_await WriteLoop();
  // A connection that was never welcomed does not deserve to be waited for.
  dataplane::CloseReason reason;
  reason.code = dataplane::kCloseGoingAway;
  reason.text = "The agent stops.";
  if (stopping_ && welcomed_) {
    co_await connection_->Close(reason);
  } else {
    connection_->Abort();
  }
  while (reading_) co_await outgoing_.Wait(kNever);
  connection_.reset();
  spdlog::info("disconnected: {} {}", close_.code, Printable(close_.text));
  if (welcomed_) co_return absl::OkStatus();
  const std::string text =
      absl::StrCat("the server did not welcome this device (", close_.code, " ", close_.text, ")");
  const bool refused =
      close_.code == dataplane::kCloseDenied || close_.code == dataplane::kCloseTerminated;
  if (close_.code == dataplane::kCloseDenied && options_.os_generation == v1::Device::OS_11) {
    // A UMS Server lets the certificate in, and refuses the hello: it dials the device itself.
    OnCertificateAccepted();
  } else {
    identity_.OnRefused();
  }
  if (!refused) co_return absl::UnavailableError(text);
  co_return absl::PermissionDeniedError(text);
}

net::awaitable<void> UnifiedClient::ReadLoop(UnifiedClient& self) {
  for (;;) {
    const dataplane::Message message = co_await self.connection_->ReadMessage();
    if (!message.open) {
      self.close_ = message.close;
      break;
    }
    v1::ServerMessage parsed;
    if (message.kind != dataplane::FrameKind::kBinary || !parsed.ParseFromString(message.payload)) {
      spdlog::warn("the server sent something that is no message; ignored");
      continue;
    }
    self.OnMessage(parsed);
  }
  self.over_ = true;
  self.reading_ = false;
  self.outgoing_.Notify();
}

net::awaitable<void> UnifiedClient::WriteLoop() {
  Send(Hello());
  const absl::Duration welcome_until = clock_.Monotonic() + options_.welcome_timeout;
  absl::Duration heartbeat_at = clock_.Monotonic() + options_.heartbeat;
  while (!over_) {
    if (!outbox_.empty()) {
      const std::string bytes = std::move(outbox_.front());
      outbox_.pop_front();
      const absl::Status written = co_await connection_->WriteBinary(bytes);
      if (!written.ok()) co_return;
      continue;
    }
    // While terminals end, their ends are still told.
    if (stopping_ && terminals_.idle()) co_return;
    const absl::Duration now = clock_.Monotonic();
    if (!welcomed_ && now >= welcome_until) co_return;
    if (now >= heartbeat_at) {
      v1::DeviceMessage message;
      message.mutable_heartbeat();
      Send(std::move(message));
      heartbeat_at = now + options_.heartbeat;
      continue;
    }
    const absl::Duration until = welcomed_ ? heartbeat_at : std::min(heartbeat_at, welcome_until);
    const absl::Duration limit = stopping_ ? absl::Milliseconds(50) : until - now;
    co_await outgoing_.Wait(limit);
  }
}

v1::DeviceMessage UnifiedClient::Hello() const {
  v1::DeviceMessage message;
  v1::DeviceHello& hello = *message.mutable_hello();
  hello.set_protocol_version(kProtocolVersion);
  hello.set_agent_version(kAgentVersion);
  hello.set_os_generation(options_.os_generation);
  hello.set_host_name(CutUtf8(PlainText(options_.host_name), 128));
  for (const std::string& name : terminals_.profile_names()) hello.add_profiles(name);
  for (const std::string& id : terminals_.running()) hello.add_running_sessions(id);
  return message;
}

void UnifiedClient::Send(v1::DeviceMessage message) {
  // Without a connection nobody listens; hello tells what runs when there is one again.
  if (over_) return;
  if (outbox_.size() >= kMaxOutbox) {
    spdlog::warn("the server does not read what this device says; reconnecting");
    connection_->Abort();
    return;
  }
  outbox_.push_back(message.SerializeAsString());
  outgoing_.Notify();
}

void UnifiedClient::OnMessage(const v1::ServerMessage& message) {
  switch (message.message_case()) {
    case v1::ServerMessage::kWelcome:
      OnWelcome(message.welcome());
      break;
    case v1::ServerMessage::kOpenTerminal:
      terminals_.Open(message.open_terminal());
      break;
    case v1::ServerMessage::kCloseTerminal:
      terminals_.Close(message.close_terminal());
      break;
    case v1::ServerMessage::kUpdateSettings: {
      KeepSettings(message.update_settings());
      v1::DeviceMessage applied;
      *applied.mutable_settings_applied()->mutable_settings() = terminals_.settings();
      Send(std::move(applied));
      break;
    }
    case v1::ServerMessage::kUpdateConnectors:
      KeepConnectors(message.update_connectors());
      break;
    case v1::ServerMessage::MESSAGE_NOT_SET:
      break;
  }
}

void UnifiedClient::OnWelcome(const v1::ServerWelcome& welcome) {
  welcomed_ = true;
  logged_.clear();
  spdlog::info("connected to {} as {}", dataplane::HostHeader(connected_to_.endpoint),
               Printable(welcome.unit_id()));
  OnCertificateAccepted();
  if (welcome.has_settings()) KeepSettings(welcome.settings());
  if (welcome.has_connectors()) KeepConnectors(welcome.connectors());
  const absl::Duration skew = clock_.Now() - TimeOf(welcome.server_time());
  if (welcome.has_server_time() && absl::AbsDuration(skew) > kClockSkew) {
    spdlog::warn(
        "this device's clock differs from the server's by {}; correct the one that is wrong",
        absl::FormatDuration(absl::Trunc(skew, absl::Seconds(1))));
  }
}

void UnifiedClient::OnCertificateAccepted() {
  if (const absl::Status used = identity_.OnAccepted(); !used.ok()) {
    spdlog::warn("the renewed certificate could not be kept: {}", used.ToString());
  }
  if (renewing_) return;
  renewing_ = true;
  net::co_spawn(executor_, RenewLoop(), net::detached);
}

}  // namespace fairlead::device
