// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Everything of the agent that dials: enrolment, renewal, the standing connection and tunnels.
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/log.h"
#include "base/status.h"
#include "device/unified_client.h"

namespace fairlead::device {
namespace {

constexpr char kUnifiedPath[] = "/device-connector/device/ws-connect";
constexpr char kTunnelPath[] = "/device-connector/device/portforwarding";
constexpr char kUnifiedProtocol[] = "fairlead.unified.v1";
constexpr char kTerminalProtocol[] = "fairlead.terminal.v1";
constexpr absl::Duration kFetchTimeout = absl::Seconds(20);
constexpr absl::Duration kEnrolAgain = absl::Hours(1);
constexpr absl::Duration kRenewalCheck = absl::Hours(1);

dataplane::Endpoint WithTarget(const dataplane::Endpoint& server, absl::string_view target) {
  dataplane::Endpoint endpoint = server;
  endpoint.target = std::string(target);
  return endpoint;
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

bool UnifiedClient::MustEnroll() const {
  // An expired certificate opens no door; with a key, the same key pair gets a new one. If that is
  // expired too, this device's clock is wrong, and the server's may let it in.
  const bool can_again =
      !options_.first_authentication_key.empty() &&
      (!enrolled_at_.has_value() || clock_.Monotonic() >= *enrolled_at_ + kEnrolAgain);
  return !identity_.enrolled() || (can_again && identity_.expired(clock_.Now()));
}

std::optional<dataplane::TlsTrust> UnifiedClient::OtherTrust(
    const Connectors::Attempt& place) const {
  // A fingerprint is that of the place that was given with it. What else the server names bears a
  // certificate of its CA, which this device learnt when it enrolled.
  if (!place.listed || options_.trust.sha256_fingerprint.empty()) return std::nullopt;
  const absl::StatusOr<std::string> ca = state_.Read(kEnrolledCaFile);
  if (!ca.ok() || ca->empty()) return std::nullopt;
  dataplane::TlsTrust trust;
  trust.ca_pem = *ca;
  return trust;
}

absl::StatusOr<dataplane::DialOptions> UnifiedClient::TlsWithoutCertificate() const {
  dataplane::DialOptions options;
  const dataplane::TlsTrust trust = OtherTrust(place_).value_or(options_.trust);
  FAIRLEAD_ASSIGN_OR_RETURN(options.tls, dataplane::TlsClientContext::Create(trust, nullptr, {}));
  options.proxy = options_.proxy;
  return options;
}

absl::StatusOr<dataplane::DialOptions> UnifiedClient::Tls(const Connectors::Attempt& place) {
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
  options.trust = OtherTrust(place);
  options.proxy = options_.proxy;
  return options;
}

net::awaitable<absl::Status> UnifiedClient::EnrollOnce() {
  if (options_.first_authentication_key.empty()) {
    co_return absl::PermissionDeniedError(
        "this device is not enrolled; give it a first-authentication key with --key_file");
  }
  spdlog::info("enrolling {} at {}", identity_.unit_id(), dataplane::HostHeader(place_.endpoint));
  const absl::StatusOr<dataplane::DialOptions> tls = TlsWithoutCertificate();
  if (!tls.ok()) co_return tls.status();
  Transport transport(place_.endpoint, *tls);
  const absl::Status status =
      co_await Enroll(transport, identity_, state_, options_.first_authentication_key);
  if (!status.ok()) co_return status;
  spdlog::info("enrolled as {}", identity_.unit_id());
  enrolled_at_ = clock_.Monotonic();
  if (identity_.expired(clock_.Now())) spdlog::warn("{}", identity_.ValidityProblem(clock_.Now()));
  co_return on_enrolled_ ? on_enrolled_() : absl::OkStatus();
}

net::awaitable<absl::Status> UnifiedClient::ConnectOnce() {
  const absl::StatusOr<dataplane::DialOptions> tls = Tls(place_);
  if (!tls.ok()) co_return tls.status();
  const dataplane::Endpoint endpoint = WithTarget(place_.endpoint, kUnifiedPath);
  std::vector<std::string> protocols(1, kUnifiedProtocol);
  dataplane::HttpHeaders headers;
  absl::StatusOr<dataplane::WebSocketDialResult> dialled =
      co_await dataplane::DialWebSocket(endpoint, *tls, protocols, headers);
  if (!dialled.ok()) {
    // Whatever the reason, the other certificate, if there is one, may do better.
    identity_.OnRefused();
    const std::string problem = identity_.ValidityProblem(clock_.Now());
    const absl::Status failure = Annotate(
        dialled.status(), absl::StrCat("connecting to ", dataplane::HostHeader(place_.endpoint)));
    if (problem.empty()) co_return failure;
    co_return absl::Status(failure.code(), absl::StrCat(failure.message(), "; ", problem));
  }
  std::unique_ptr<dataplane::WebSocket> connection = std::move(dialled->websocket);
  if (stopping_) co_return absl::OkStatus();
  co_return co_await Serve(std::move(connection));
}

net::awaitable<void> UnifiedClient::RenewLoop() {
  while (!stopping_) {
    if (clock_.Now() >= identity_.renewal_time()) {
      const absl::StatusOr<dataplane::DialOptions> tls = Tls(connected_to_);
      absl::Status status = tls.status();
      if (tls.ok()) {
        Transport transport(connected_to_.endpoint, *tls);
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
  absl::StatusOr<dataplane::DialOptions> tls = Tls(connected_to_);
  if (!tls.ok()) co_return tls.status();
  tls->send_queue = dataplane::SendQueue::kShort;
  const dataplane::Endpoint endpoint = WithTarget(connected_to_.endpoint, kTunnelPath);
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
  dialled->websocket->Tune(dataplane::kMaxMessageBytes, dataplane::PatientKeepAlive());
  co_return std::move(dialled->websocket);
}

}  // namespace fairlead::device
