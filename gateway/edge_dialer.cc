// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// See edge_dialer.h.
#include "gateway/edge_dialer.h"

#include <grpcpp/channel.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "base/grpc_fd_channel.h"
#include "base/log.h"
#include "base/status.h"
#include "dataplane/client.h"
#include "dataplane/fd_splice.h"
#include "dataplane/tls_context.h"
#include "dataplane/tls_stream.h"
#include "gateway/edge_websocket.h"
#include "gateway/websocket_channel.h"

namespace fairlead::gateway {
namespace {

namespace net = dataplane::net;

using ChannelOr = absl::StatusOr<std::shared_ptr<grpc::Channel>>;

// The two steps of dialling, TLS and the WebSocket's handshake, take so long each at most.
constexpr absl::Duration kStepTimeout = absl::Seconds(7);

// A dead link is found out within 30 s.
ChannelPings LinkPings() {
  ChannelPings pings;
  pings.interval = absl::Seconds(10);
  pings.timeout = absl::Seconds(10);
  return pings;
}

absl::StatusOr<dataplane::DialOptions> OptionsFor(const EdgeDialRequest& request,
                                                  std::vector<std::string> alpn) {
  dataplane::TlsTrust trust;
  trust.ca_pem = request.ca_pem;
  dataplane::TlsIdentity identity;
  identity.certificate_chain_pem = request.certificate_chain_pem;
  identity.private_key_pem = request.private_key_pem;
  dataplane::DialOptions options;
  FAIRLEAD_ASSIGN_OR_RETURN(options.tls,
                            dataplane::TlsClientContext::Create(trust, &identity, std::move(alpn)));
  options.timeout = kStepTimeout;
  options.proxy = request.proxy;
  return options;
}

absl::Status CheckIdentity(const EdgeDialRequest& request,
                           const std::optional<dataplane::PeerCertificate>& certificate) {
  const std::string wanted = absl::StrCat("urn:fairlead:icg:", request.icg_id);
  std::vector<std::string> shown;
  if (certificate.has_value()) shown = certificate->uris;
  const std::vector<std::string>& revoked = request.revoked_fingerprints;
  if (certificate.has_value() &&
      std::find(revoked.begin(), revoked.end(), certificate->fingerprint) != revoked.end()) {
    return absl::PermissionDeniedError(absl::StrCat(
        "the peer at ", request.address,
        " shows a certificate that was revoked when its ICG was deleted: start it with the bundle "
        "of its last registration"));
  }
  if (std::find(shown.begin(), shown.end(), wanted) != shown.end()) return absl::OkStatus();
  const std::string who = shown.empty() ? "no ICG" : Printable(absl::StrJoin(shown, ", "));
  return absl::PermissionDeniedError(
      absl::StrCat("the peer at ", request.address, " is ", who, ", not icgs/", request.icg_id,
                   ": correct its internal address, or start it with its own bundle"));
}

net::awaitable<ChannelOr> DialGrpc(EdgeDialRequest request, dataplane::Endpoint endpoint) {
  absl::StatusOr<dataplane::DialOptions> options = OptionsFor(request, {"h2"});
  if (!options.ok()) co_return options.status();
  const std::string name = dataplane::HostHeader(endpoint);
  absl::StatusOr<std::unique_ptr<dataplane::TlsStream>> tls =
      co_await dataplane::DialTls(std::move(endpoint), *std::move(options));
  if (!tls.ok()) co_return tls.status();
  const absl::Status identity = CheckIdentity(request, (*tls)->peer_certificate());
  if (!identity.ok()) co_return identity;
  if ((*tls)->alpn() != "h2") {
    co_return absl::FailedPreconditionError(absl::StrCat(
        name, " does not speak gRPC: check the address, or use wss:// if a proxy is between"));
  }
  const absl::StatusOr<int> fd = dataplane::SpliceToFd(*std::move(tls));
  if (!fd.ok()) co_return fd.status();
  co_return ChannelOverFd(name, *fd, LinkPings());
}

net::awaitable<ChannelOr> DialWebSocket(EdgeDialRequest request, dataplane::Endpoint endpoint) {
  // No ALPN: an ICG asks those who offer http/1.1 for no certificate.
  absl::StatusOr<dataplane::DialOptions> options = OptionsFor(request, {});
  if (!options.ok()) co_return options.status();
  endpoint.target = kLinkPath;
  const std::vector<std::string> subprotocols = {kLinkSubprotocol};
  absl::StatusOr<dataplane::WebSocketDialResult> dialled = co_await dataplane::DialWebSocket(
      std::move(endpoint), *std::move(options), subprotocols, dataplane::HttpHeaders());
  if (!dialled.ok()) co_return dialled.status();
  absl::Status fit = CheckIdentity(request, dialled->websocket->peer().certificate);
  if (fit.ok() && dialled->subprotocol != kLinkSubprotocol) {
    fit = absl::FailedPreconditionError(
        absl::StrCat(request.address, " offers no link: check that an ICG listens there"));
  }
  if (!fit.ok()) {
    dialled->websocket->Abort();
    co_return fit;
  }
  co_return ChannelOverWebSocket(std::move(dialled->websocket));
}

net::awaitable<ChannelOr> DialEdge(EdgeDialRequest request) {
  absl::StatusOr<LinkAddress> address = ParseLinkAddress(request.address);
  if (!address.ok()) co_return address.status();
  if (address->form == LinkAddress::Form::kGrpc) {
    co_return co_await DialGrpc(std::move(request), std::move(address->endpoint));
  }
  co_return co_await DialWebSocket(std::move(request), std::move(address->endpoint));
}

}  // namespace

absl::StatusOr<LinkAddress> ParseLinkAddress(absl::string_view address) {
  LinkAddress result;
  absl::string_view rest = address;
  if (absl::ConsumePrefix(&rest, "wss://")) {
    result.form = LinkAddress::Form::kWebSocket;
  } else if (!absl::ConsumePrefix(&rest, "grpcs://")) {
    return absl::InvalidArgumentError(absl::StrCat(
        "\"", address, "\" is no address of an ICG: it must begin with grpcs:// or wss://"));
  }
  if (rest.find_first_of("/?#") != absl::string_view::npos) {
    return absl::InvalidArgumentError(
        absl::StrCat("\"", address, "\" is no address of an ICG: nothing may follow host:port"));
  }
  FAIRLEAD_ASSIGN_OR_RETURN(result.endpoint, dataplane::ParseUrl(absl::StrCat("wss://", rest)));
  return result;
}

void LinkDialer::Dial(EdgeDialRequest request, Done done) {
  net::co_spawn(threads_.executor(0), DialEdge(std::move(request)),
                [done = std::move(done)](std::exception_ptr error, ChannelOr channel) mutable {
                  if (error) {
                    spdlog::critical("dialling an ICG threw");
                    std::terminate();
                  }
                  done(std::move(channel));
                });
}

}  // namespace fairlead::gateway
