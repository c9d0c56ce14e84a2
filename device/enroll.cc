// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
#include "device/enroll.h"

#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "base/log.h"
#include "base/status.h"
#include "dataplane/certs_only.h"

namespace fairlead::device {
namespace {

constexpr char kEstPath[] = "/device-connector/device/.well-known/est/";

dataplane::HttpRequest Request(absl::string_view method, absl::string_view operation) {
  dataplane::HttpRequest request;
  request.method = std::string(method);
  request.path = absl::StrCat(kEstPath, operation);
  return request;
}

absl::StatusOr<dataplane::HttpRequest> CertificateRequest(absl::string_view operation,
                                                          const Identity& identity) {
  dataplane::HttpRequest request = Request("POST", operation);
  FAIRLEAD_ASSIGN_OR_RETURN(request.body,
                            MakeCertificateRequest(identity.key_pem(), identity.unit_id()));
  request.headers.emplace_back("Content-Type", "application/pkcs10");
  request.headers.emplace_back("Content-Transfer-Encoding", "base64");
  return request;
}

absl::Status CheckAnswer(const dataplane::HttpResponse& response) {
  if (response.status == 200) return absl::OkStatus();
  const std::string text = absl::StrCat("the server answered ", response.status, ": ",
                                        Printable(absl::StripAsciiWhitespace(response.body)));
  const bool refused = response.status == 401 || response.status == 403;
  return refused ? absl::PermissionDeniedError(text) : absl::UnavailableError(text);
}

absl::StatusOr<std::string> CertificatesOf(
    const absl::StatusOr<dataplane::HttpResponse>& response) {
  FAIRLEAD_RETURN_IF_ERROR(response.status());
  FAIRLEAD_RETURN_IF_ERROR(CheckAnswer(*response));
  return dataplane::ParseCertsOnly(response->body);
}

net::awaitable<absl::Status> Obtain(EstTransport& transport, Identity& identity,
                                    absl::StatusOr<dataplane::HttpRequest> request) {
  if (!request.ok()) co_return request.status();
  const absl::StatusOr<dataplane::HttpResponse> response =
      co_await transport.Send(*std::move(request));
  const absl::StatusOr<std::string> certificates = CertificatesOf(response);
  if (!certificates.ok()) co_return certificates.status();
  const absl::StatusOr<std::string> chain = PutOwnFirst(*certificates, identity.key_pem());
  if (!chain.ok()) co_return chain.status();
  co_return identity.Add(*chain);
}

}  // namespace

net::awaitable<absl::Status> Enroll(EstTransport& transport, Identity& identity,
                                    const StateDir& state, std::string first_authentication_key) {
  dataplane::HttpRequest ask = Request("GET", "cacerts");
  const absl::StatusOr<dataplane::HttpResponse> response = co_await transport.Send(std::move(ask));
  const absl::StatusOr<std::string> authorities = CertificatesOf(response);
  if (!authorities.ok()) co_return Annotate(authorities.status(), "asking for the CA certificates");
  const absl::Status kept = state.Write(kEnrolledCaFile, *authorities);
  if (!kept.ok()) co_return kept;

  absl::StatusOr<dataplane::HttpRequest> request = CertificateRequest("simpleenroll", identity);
  if (request.ok()) {
    const std::string pair = absl::StrCat(identity.unit_id(), ":", first_authentication_key);
    request->headers.emplace_back("Authorization",
                                  absl::StrCat("Basic ", absl::Base64Escape(pair)));
  }
  const absl::Status enrolled = co_await Obtain(transport, identity, std::move(request));
  co_return Annotate(enrolled, absl::StrCat("enrolling as ", identity.unit_id()));
}

net::awaitable<absl::Status> Renew(EstTransport& transport, Identity& identity) {
  absl::StatusOr<dataplane::HttpRequest> request = CertificateRequest("simplereenroll", identity);
  const absl::Status renewed = co_await Obtain(transport, identity, std::move(request));
  co_return Annotate(renewed, absl::StrCat("renewing the certificate of ", identity.unit_id()));
}

}  // namespace fairlead::device
