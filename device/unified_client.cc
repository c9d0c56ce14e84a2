// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
#include "device/unified_client.h"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/log.h"
#include "base/random.h"
#include "base/status.h"

namespace fairlead::device {
namespace {

constexpr char kUnifiedPath[] = "/device-connector/device/ws-connect";
constexpr char kTunnelPath[] = "/device-connector/device/portforwarding";
constexpr char kUnifiedProtocol[] = "fairlead.unified.v1";
constexpr char kTerminalProtocol[] = "fairlead.terminal.v1";
constexpr char kSettingsFile[] = "settings.pb";
constexpr std::uint32_t kProtocolVersion = 1;
constexpr std::size_t kMaxOutbox = 1000;
constexpr absl::Duration kFetchTimeout = absl::Seconds(20);
constexpr absl::Duration kRenewalCheck = absl::Hours(1);
constexpr absl::Duration kClockSkew = absl::Minutes(5);
constexpr absl::Duration kNever = absl::Hours(1);

std::uint64_t Seed() {
  std::uint64_t seed = 0;
  const std::string bytes = RandomBytes(sizeof seed);
  std::memcpy(&seed, bytes.data(), sizeof seed);
  return seed;
}

dataplane::Endpoint WithTarget(const dataplane::Endpoint& server, absl::string_view target) {
  dataplane::Endpoint endpoint = server;
  endpoint.target = std::string(target);
  return endpoint;
}

absl::Time TimeOf(const google::protobuf::Timestamp& time) {
  return absl::FromUnixSeconds(time.seconds()) + absl::Nanoseconds(time.nanos());
}

bool IsRefusal(const absl::Status& status) {
  return absl::IsPermissionDenied(status) || absl::IsUnauthenticated(status);
}

}  // namespace

// EST over the same server and trust as all else.
class UnifiedClient::Transport : public EstTransport {
 public:
  Transport(const dataplane::Endpoint& server, dataplane::DialOptions options)
      : server_(server), options_(std::move(options)) {}

  net::awaitable<absl::StatusOr<dataplane::HttpResponse>> Send(
      dataplane::HttpRequest request) override {
    return dataplane::Fetch(server_, options_, std::move(request), kFetchTimeout);
  }

 private:
  const dataplane::Endpoint server_;
  const dataplane::DialOptions options_;
};

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
          [this](v1::DeviceMessage message) { Send(std::move(message)); }, clock,
          options_.timeouts),
      backoff_(Seed(), options_.backoff),
      wake_(executor),
      renewal_(executor),
      outgoing_(executor) {
  LoadSettings();
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

bool UnifiedClient::MustEnroll() const {
  // An expired certificate opens no door; with a key, the same key pair gets a new one.
  const bool can_again = !options_.first_authentication_key.empty();
  return !identity_.enrolled() || (can_again && identity_.expired(clock_.Now()));
}

absl::StatusOr<dataplane::DialOptions> UnifiedClient::TlsWithoutCertificate() const {
  dataplane::DialOptions options;
  FAIRLEAD_ASSIGN_OR_RETURN(options.tls,
                            dataplane::TlsClientContext::Create(options_.trust, nullptr, {}));
  return options;
}

absl::StatusOr<dataplane::DialOptions> UnifiedClient::Tls() {
  if (tls_ == nullptr || tls_chain_ != identity_.chain_pem()) {
    dataplane::TlsIdentity identity;
    identity.certificate_chain_pem = identity_.chain_pem();
    identity.private_key_pem = identity_.key_pem();
    // No ALPN: the edge asks for our certificate then.
    FAIRLEAD_ASSIGN_OR_RETURN(
        tls_, dataplane::TlsClientContext::Create(options_.trust,
                                                  identity_.enrolled() ? &identity : nullptr, {}));
    tls_chain_ = identity_.chain_pem();
  }
  dataplane::DialOptions options;
  options.tls = tls_;
  return options;
}

net::awaitable<void> UnifiedClient::Run() {
  absl::Status last;
  while (!stopping_) {
    const absl::Duration start = clock_.Monotonic();
    const bool enrolling = MustEnroll();
    absl::Status status;
    if (enrolling) {
      status = co_await EnrollOnce();
    } else {
      status = co_await ConnectOnce();
    }
    if (stopping_) break;
    if (enrolling && status.ok()) continue;
    const absl::Duration lasted = status.ok() ? clock_.Monotonic() - start : absl::ZeroDuration();
    const absl::Duration delay =
        IsRefusal(status) ? backoff_.NextAfterRefusal() : backoff_.Next(lasted);
    if (!status.ok() && status != last) {
      spdlog::warn("{}", Printable(status.message()));
      if (IsRefusal(status)) {
        spdlog::warn("the server refuses this device; an administrator must let it in again");
      }
    }
    last = status;
    spdlog::info("trying again in {}",
                 absl::FormatDuration(absl::Trunc(delay, absl::Milliseconds(1))));
    co_await Pause(delay);
  }
  co_await terminals_.Stop();
  if (connection_ != nullptr) connection_->Abort();
  while (renewing_) co_await wake_.Wait(kNever);
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

net::awaitable<absl::Status> UnifiedClient::EnrollOnce() {
  if (options_.first_authentication_key.empty()) {
    co_return absl::PermissionDeniedError(
        "this device is not enrolled; give it a first-authentication key with --key_file");
  }
  spdlog::info("enrolling {} at {}:{}", identity_.unit_id(), options_.server.host,
               options_.server.port);
  const absl::StatusOr<dataplane::DialOptions> tls = TlsWithoutCertificate();
  if (!tls.ok()) co_return tls.status();
  Transport transport(options_.server, *tls);
  const absl::Status status =
      co_await Enroll(transport, identity_, state_, options_.first_authentication_key);
  if (!status.ok()) co_return status;
  spdlog::info("enrolled as {}", identity_.unit_id());
  co_return on_enrolled_ ? on_enrolled_() : absl::OkStatus();
}

net::awaitable<absl::Status> UnifiedClient::ConnectOnce() {
  const absl::StatusOr<dataplane::DialOptions> tls = Tls();
  if (!tls.ok()) co_return tls.status();
  const dataplane::Endpoint endpoint = WithTarget(options_.server, kUnifiedPath);
  std::vector<std::string> protocols(1, kUnifiedProtocol);
  dataplane::HttpHeaders headers;
  absl::StatusOr<dataplane::WebSocketDialResult> dialled =
      co_await dataplane::DialWebSocket(endpoint, *tls, protocols, headers);
  if (!dialled.ok()) {
    // Whatever the reason, the other certificate, if there is one, may do better.
    identity_.OnRefused();
    co_return Annotate(dialled.status(), "connecting to the server");
  }
  std::unique_ptr<dataplane::WebSocket> connection = std::move(dialled->websocket);
  if (stopping_) co_return absl::OkStatus();
  co_return co_await Serve(std::move(connection));
}

net::awaitable<absl::Status> UnifiedClient::Serve(
    std::unique_ptr<dataplane::WebSocket> connection) {
  connection_ = std::move(connection);
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
  identity_.OnRefused();
  const bool refused =
      close_.code == dataplane::kCloseDenied || close_.code == dataplane::kCloseTerminated;
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
    if (stopping_ && terminals_.running().empty()) co_return;
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
  hello.set_os_generation(v1::Device::OS_12);
  hello.set_host_name(options_.host_name.substr(0, 128));
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
    case v1::ServerMessage::MESSAGE_NOT_SET:
      break;
  }
}

void UnifiedClient::OnWelcome(const v1::ServerWelcome& welcome) {
  welcomed_ = true;
  spdlog::info("connected as {}", Printable(welcome.unit_id()));
  if (const absl::Status used = identity_.OnAccepted(); !used.ok()) {
    spdlog::warn("the renewed certificate could not be kept: {}", used.ToString());
  }
  if (welcome.has_settings()) KeepSettings(welcome.settings());
  const absl::Duration skew = clock_.Now() - TimeOf(welcome.server_time());
  if (welcome.has_server_time() && absl::AbsDuration(skew) > kClockSkew) {
    spdlog::warn("this device's clock differs from the server's by {}", absl::FormatDuration(skew));
  }
  if (renewing_) return;
  renewing_ = true;
  net::co_spawn(executor_, RenewLoop(), net::detached);
}

net::awaitable<void> UnifiedClient::RenewLoop() {
  while (!stopping_) {
    if (clock_.Now() >= identity_.renewal_time()) {
      const absl::StatusOr<dataplane::DialOptions> tls = Tls();
      absl::Status status = tls.status();
      if (tls.ok()) {
        Transport transport(options_.server, *tls);
        status = co_await Renew(transport, identity_);
      }
      spdlog::info("renewal of the certificate: {}", Printable(status.ToString()));
    }
    if (!stopping_) co_await renewal_.Wait(kRenewalCheck);
  }
  renewing_ = false;
  wake_.Notify();
}

net::awaitable<absl::StatusOr<std::unique_ptr<dataplane::WebSocket>>> UnifiedClient::Dial(
    std::string ticket) {
  const absl::StatusOr<dataplane::DialOptions> tls = Tls();
  if (!tls.ok()) co_return tls.status();
  const dataplane::Endpoint endpoint = WithTarget(options_.server, kTunnelPath);
  std::vector<std::string> protocols(1, kTerminalProtocol);
  protocols.push_back(absl::StrCat("fairlead.ticket.", ticket));
  dataplane::HttpHeaders headers;
  absl::StatusOr<dataplane::WebSocketDialResult> dialled =
      co_await dataplane::DialWebSocket(endpoint, *tls, protocols, headers);
  if (!dialled.ok()) co_return dialled.status();
  if (dialled->subprotocol != kTerminalProtocol) {
    co_return absl::FailedPreconditionError(
        absl::StrCat("the server does not speak ", kTerminalProtocol));
  }
  co_return std::move(dialled->websocket);
}

}  // namespace fairlead::device
