// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// The device's standing connection to its edge, the Unified Protocol: enrols if need be, connects
// to one of its servers and ICGs, with back-off, and carries out what the server asks. The agent's
// main program owns one. unified_client_dial.cc holds everything that dials.
#ifndef FAIRLEAD_DEVICE_UNIFIED_CLIENT_H_
#define FAIRLEAD_DEVICE_UNIFIED_CLIENT_H_

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/clock.h"
#include "dataplane/asio.h"
#include "dataplane/client.h"
#include "dataplane/tls_context.h"
#include "dataplane/websocket.h"
#include "device/backoff.h"
#include "device/connectors.h"
#include "device/enroll.h"
#include "device/identity.h"
#include "device/profiles.h"
#include "device/state_dir.h"
#include "device/terminals.h"
#include "device/wake.h"
#include "proto/unified.pb.h"

namespace fairlead::device {

inline constexpr char kAgentVersion[] = "0.1.0";

struct UnifiedClientOptions {
  // Where to begin: host and port alone. At least one.
  std::vector<dataplane::Endpoint> servers;
  // Until a list of connectors says otherwise.
  v1::Device::ConnectorPreference connector_preference =
      v1::Device::CONNECTOR_PREFERENCE_UNSPECIFIED;
  // OS_11: tunnels carry Telnet, and a server that wants ICGs to be used is asked again rarely.
  v1::Device::OsGeneration os_generation = v1::Device::OS_12;
  // "http://host:port" for all dialling; empty for none.
  std::string proxy;
  dataplane::TlsTrust trust;
  // Empty if the device is enrolled, or is not to enrol.
  std::string first_authentication_key;
  std::string host_name;
  absl::Duration heartbeat = absl::Seconds(30);
  absl::Duration welcome_timeout = absl::Seconds(10);
  BackoffOptions backoff;
  TerminalTimeouts timeouts;
  // For how long a place that refuses this device is left alone; an OS 11 device's hello is refused
  // by every UMS Server.
  absl::Duration refusal_pause = absl::Minutes(1);
  absl::Duration os_11_refusal_pause = absl::Minutes(10);
};

// Thread: the executor's, which must be the thread of Pty's contract.
// Lifetime: must outlive the executor's last run; the references must outlive it.
class UnifiedClient : public TunnelDialer {
 public:
  UnifiedClient(net::any_io_executor executor, UnifiedClientOptions options, const StateDir& state,
                Identity& identity, Profiles profiles, const Clock& clock);
  ~UnifiedClient() override;

  // Called after enrolment, to keep what else belongs to it.
  void OnEnrolled(std::function<absl::Status()> keep) { on_enrolled_ = std::move(keep); }

  // All terminals of the device, also for those that come by another way.
  Terminals& terminals() { return terminals_; }

  // Keeps the device connected until Stop; then returns after all terminals are gone.
  net::awaitable<void> Run();
  void Stop();

  // TunnelDialer.
  net::awaitable<absl::StatusOr<std::unique_ptr<dataplane::WebSocket>>> Dial(
      std::string ticket) override;

  // One connection, from hello to its end. Public for tests.
  // Returns why it ended; OK if the connection had been welcomed.
  net::awaitable<absl::Status> Serve(std::unique_ptr<dataplane::WebSocket> connection);

 private:
  class Transport;

  void LoadSettings();
  void KeepSettings(const v1::TerminalSettings& settings);
  void LoadConnectors();
  void KeepConnectors(const v1::ConnectorList& list);
  bool MustEnroll() const;
  // What `place` is known by, if not by options_.trust.
  std::optional<dataplane::TlsTrust> OtherTrust(const Connectors::Attempt& place) const;
  absl::StatusOr<dataplane::DialOptions> TlsWithoutCertificate() const;
  absl::StatusOr<dataplane::DialOptions> Tls(const Connectors::Attempt& place);
  net::awaitable<absl::Status> EnrollOnce();
  net::awaitable<absl::Status> ConnectOnce();
  // After an attempt at place_: what it means for the next.
  void Conclude(const absl::Status& status, bool enrolling, absl::Duration lasted);
  void LogFailure(const absl::Status& status, bool enrolling);
  net::awaitable<void> RenewLoop();
  static net::awaitable<void> ReadLoop(UnifiedClient& self);
  net::awaitable<void> WriteLoop();
  net::awaitable<void> Pause(absl::Duration delay);
  void OnMessage(const v1::ServerMessage& message);
  void OnWelcome(const v1::ServerWelcome& welcome);
  // From then on it is renewed in time.
  void OnCertificateAccepted();
  void Send(v1::DeviceMessage message);
  v1::DeviceMessage Hello() const;

  net::any_io_executor executor_;
  const UnifiedClientOptions options_;
  const StateDir& state_;
  Identity& identity_;
  const Clock& clock_;
  Terminals terminals_;
  Connectors connectors_;
  // What is tried now, and what the present or last welcomed connection goes to.
  Connectors::Attempt place_;
  Connectors::Attempt connected_to_;
  // What was logged of each place, by "host:port".
  std::map<std::string, absl::Status> logged_;
  std::function<absl::Status()> on_enrolled_;
  Wake wake_;
  Wake renewal_;
  // Monotonic; when this run enrolled last.
  std::optional<absl::Duration> enrolled_at_;
  bool stopping_ = false;
  bool renewing_ = false;

  // TLS for the chain that tls_chain_ holds.
  std::shared_ptr<dataplane::TlsClientContext> tls_;
  std::string tls_chain_;

  // The connection.
  std::unique_ptr<dataplane::WebSocket> connection_;
  bool reading_ = false;
  bool over_ = true;
  bool welcomed_ = false;
  dataplane::CloseReason close_;
  std::deque<std::string> outbox_;
  Wake outgoing_;
};

}  // namespace fairlead::device

#endif  // FAIRLEAD_DEVICE_UNIFIED_CLIENT_H_
