// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// See est_handler.h.
#include "control/est_handler.h"

#include <cmath>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "base/log.h"
#include "base/status.h"
#include "base/unit_id.h"
#include "control/proto_time.h"
#include "control/sha256.h"

namespace fairlead::control {
namespace {

using Action = EnrollmentDecision::Action;

constexpr std::size_t kMaxBodyBytes = 64 * 1024;
constexpr std::size_t kMaxKeyBytes = 128;
constexpr std::size_t kBase64LineLength = 64;
constexpr std::uint32_t kRetryAfterFailureSeconds = 10;
constexpr std::uint32_t kRetryAfterTooManySeconds = 3600;
constexpr char kCertsOnly[] = "application/pkcs7-mime; smime-type=certs-only";
constexpr std::uint32_t kDefaultMaxSessions = 16;

v1::EstResponse Error(std::uint32_t http_status, absl::string_view sentence,
                      std::uint32_t retry_after_seconds = 0) {
  v1::EstResponse response;
  response.set_http_status(http_status);
  response.set_content_type("text/plain; charset=utf-8");
  response.set_body(absl::StrCat(sentence, "\n"));
  response.set_retry_after_seconds(retry_after_seconds);
  return response;
}

// The sentence tells nothing about the server's inside; the log does.
v1::EstResponse Unavailable(const absl::Status& status) {
  spdlog::error("Cannot answer an enrolment request: {}", std::string(status.message()));
  return Error(503, "The server cannot issue certificates at present; try again later.",
               kRetryAfterFailureSeconds);
}

v1::EstResponse Certificates(const absl::StatusOr<std::string>& pkcs7) {
  if (!pkcs7.ok()) return Unavailable(pkcs7.status());
  const std::string base64 = absl::Base64Escape(*pkcs7);
  v1::EstResponse response;
  response.set_http_status(200);
  response.set_content_type(kCertsOnly);
  std::string* body = response.mutable_body();
  for (std::size_t i = 0; i < base64.size(); i += kBase64LineLength) {
    absl::StrAppend(body, base64.substr(i, kBase64LineLength), "\n");
  }
  return response;
}

absl::StatusOr<CertificateRequest> ParseBody(const std::string& body) {
  if (body.size() > kMaxBodyBytes) {
    return absl::InvalidArgumentError("The request has more than 64 KiB; send only a PKCS #10.");
  }
  std::string der;
  if (!absl::Base64Unescape(body, &der) || der.empty()) {
    return absl::InvalidArgumentError("The body is not base64; send a PKCS #10 in base64.");
  }
  return ParseCertificateRequest(der);
}

v1::EstResponse BadUnitId() {
  return Error(400,
               "The unit ID, the user name of HTTP Basic, must have 1 to 64 characters of A-Z, "
               "a-z, 0-9, '.', '_' and '-', and not be \".\" or \"..\".");
}

// A request may leave the name to the server, but not ask for another's.
bool AsksForAnother(const CertificateRequest& csr, absl::string_view unit_id) {
  return !csr.common_name.empty() && csr.common_name != unit_id;
}

std::string DeviceName(absl::string_view unit_id) { return absl::StrCat("devices/", unit_id); }

}  // namespace

StoreEstHandler::StoreEstHandler(Store& store, const CertificateAuthority& authority,
                                 DeviceDirectory& directory, AuditLog& audit, const Clock& clock,
                                 EnrollmentObserver* observer, ThrottleOptions throttle)
    : store_(store),
      authority_(authority),
      directory_(directory),
      audit_(audit),
      clock_(clock),
      observer_(observer),
      throttle_(throttle) {}

v1::EstResponse StoreEstHandler::Handle(const v1::EstRequest& request) {
  v1::EstResponse response;
  switch (request.operation()) {
    case v1::EstRequest::CACERTS:
      response = CaCerts();
      break;
    case v1::EstRequest::SIMPLEENROLL:
      response = Enroll(request);
      break;
    case v1::EstRequest::SIMPLEREENROLL:
      response = Reenroll(request);
      break;
    default:
      response = Error(400,
                       "Unknown enrolment operation; this server knows cacerts, simpleenroll "
                       "and simplereenroll.");
  }
  response.set_request_id(request.request_id());
  return response;
}

v1::EstResponse StoreEstHandler::CaCerts() const { return Certificates(authority_.CaBundle()); }

v1::EstResponse StoreEstHandler::Enroll(const v1::EstRequest& request) {
  if (request.unit_id().empty() || request.key().empty()) {
    return Error(401,
                 "Enrolment needs HTTP Basic authentication: the unit ID as user name and a "
                 "first-authentication key as password.");
  }
  if (!IsUnitId(request.unit_id())) return BadUnitId();
  const LoginThrottle::Verdict verdict =
      throttle_.Begin(request.unit_id(), request.peer_address(), clock_.Monotonic());
  if (verdict.wait > absl::ZeroDuration()) {
    // One record a wait: guessing must not fill the disk.
    if (verdict.first_refusal) {
      (void)Audit(request, "anonymous", request.unit_id(), v1::AuditEvent::REFUSED,
                  "too many refused enrolments");
    }
    const auto seconds = static_cast<std::uint32_t>(std::ceil(absl::ToDoubleSeconds(verdict.wait)));
    return Error(503, "Too many refused enrolments of this device; wait, then try again.", seconds);
  }
  const absl::StatusOr<CertificateRequest> csr = ParseBody(request.body());
  if (!csr.ok()) return Error(400, csr.status().message());
  if (AsksForAnother(*csr, request.unit_id())) {
    return Error(
        409,
        "The request's common name is not the unit ID that is the user name of HTTP Basic; "
        "request the same name, or none.");
  }
  Result result;
  const absl::Status status =
      Transact([&] { return DecideAndEnroll(request, *csr, &result); }, result);
  if (!status.ok()) return Unavailable(status);
  if (result.decision.action == Action::kRefuse) {
    throttle_.Failed(request.unit_id(), request.peer_address(), clock_.Monotonic());
    return RefuseEnrollment(request, result.decision.refusal);
  }
  throttle_.Succeeded(request.unit_id(), request.peer_address());
  return Answer(result);
}

absl::Status StoreEstHandler::Transact(absl::FunctionRef<absl::Status()> decide,
                                       const Result& result) {
  return directory_.Enroll([&]() -> absl::StatusOr<absl::optional<v1::Device>> {
    FAIRLEAD_RETURN_IF_ERROR(decide());
    if (result.decision.action != Action::kIssue) return absl::nullopt;
    return result.device;
  });
}

absl::Status StoreEstHandler::DecideAndEnroll(const v1::EstRequest& request,
                                              const CertificateRequest& csr, Result* result) {
  absl::optional<v1::FirstAuthenticationKey> key;
  absl::StatusOr<KeyRecord> record = absl::NotFoundError("too long");
  if (request.key().size() <= kMaxKeyBytes) record = store_.FindKeyBySecret(Sha256(request.key()));
  if (record.ok()) {
    key = record->key;
  } else if (!absl::IsNotFound(record.status())) {
    return record.status();
  }
  FAIRLEAD_ASSIGN_OR_RETURN(const std::vector<CertificateRecord> certificates,
                            store_.CertificatesOf(request.unit_id()));
  EnrollmentAttempt attempt = {request.unit_id(), csr.public_key_sha256, clock_.Now(), false};
  FAIRLEAD_RETURN_IF_ERROR(LoadDevice(request.unit_id(), &attempt.device_exists, &result->device));
  result->decision = DecideEnrollment(key, certificates, attempt);
  const EnrollmentDecision& decision = result->decision;
  const std::string actor = DeviceName(request.unit_id());
  if (decision.action == Action::kReturnExisting) {
    result->certificate_der = certificates[decision.existing].der;
    return Audit(request, actor, request.unit_id(), v1::AuditEvent::SUCCEEDED,
                 absl::StrCat("Answered a retry with the certificate already issued for ",
                              key->name(), "."));
  }
  if (decision.action != Action::kIssue) return absl::OkStatus();
  if (decision.revoke_others) {
    FAIRLEAD_RETURN_IF_ERROR(store_.RevokeCertificatesOf(request.unit_id()));
    for (const CertificateRecord& certificate : certificates) {
      if (!certificate.revoked) result->revoked.push_back(certificate.fingerprint);
    }
  }
  if (decision.count_use) {
    CountUse(request.unit_id(), &record->key);
    FAIRLEAD_RETURN_IF_ERROR(store_.UpdateKey(*record));
  }
  FAIRLEAD_RETURN_IF_ERROR(Issue(csr, key->name(), result));
  return Audit(
      request, actor, request.unit_id(), v1::AuditEvent::SUCCEEDED,
      absl::StrCat("Enrolled with ", key->name(),
                   decision.revoke_others ? "; its older certificates are revoked." : "."));
}

absl::Status StoreEstHandler::LoadDevice(const std::string& unit_id, bool* exists,
                                         v1::Device* device) {
  absl::StatusOr<v1::Device> stored = store_.GetDevice(unit_id);
  *exists = stored.ok();
  if (stored.ok()) {
    *device = *std::move(stored);
    return absl::OkStatus();
  }
  if (!absl::IsNotFound(stored.status())) return stored.status();
  device->set_name(DeviceName(unit_id));
  device->set_unit_id(unit_id);
  *device->mutable_create_time() = ToTimestamp(clock_.Now());
  device->mutable_terminal()->set_enabled(true);
  device->mutable_terminal()->set_max_sessions(kDefaultMaxSessions);
  return absl::OkStatus();
}

absl::Status StoreEstHandler::Issue(const CertificateRequest& csr, const std::string& key_name,
                                    Result* result) {
  const std::string& unit_id = result->device.unit_id();
  FAIRLEAD_ASSIGN_OR_RETURN(IssuedCertificate issued,
                            authority_.IssueDeviceCertificate(unit_id, csr.public_key.get()));
  CertificateRecord record;
  record.fingerprint = issued.fingerprint;
  record.unit_id = unit_id;
  record.public_key_sha256 = csr.public_key_sha256;
  record.key_name = key_name;
  record.der = issued.der;
  record.not_after = issued.not_after;
  FAIRLEAD_RETURN_IF_ERROR(store_.InsertCertificate(record));
  *result->device.mutable_certificate_expire_time() = ToTimestamp(issued.not_after);
  FAIRLEAD_RETURN_IF_ERROR(store_.PutDevice(result->device));
  result->certificate_der = std::move(issued.der);
  return absl::OkStatus();
}

v1::EstResponse StoreEstHandler::Answer(const Result& result) {
  if (result.decision.action == Action::kWait) {
    return Error(503, "The device got too many certificates within an hour; try again later.",
                 kRetryAfterTooManySeconds);
  }
  if (result.decision.action == Action::kIssue && observer_ != nullptr) {
    if (!result.revoked.empty()) observer_->OnRevoked(result.device.unit_id(), result.revoked);
    observer_->OnEnrolled(result.device);
  }
  return Certificates(authority_.DeviceBundle(result.certificate_der));
}

v1::EstResponse StoreEstHandler::RefuseEnrollment(const v1::EstRequest& request,
                                                  const std::string& why) {
  // Append reports its own failure, and the device is refused either way.
  (void)Audit(request, "anonymous", request.unit_id(), v1::AuditEvent::REFUSED, why);
  return Error(401,
               "The first-authentication key is not valid for this device; ask an administrator "
               "for a new key.");
}

v1::EstResponse StoreEstHandler::Reenroll(const v1::EstRequest& request) {
  if (request.client_certificate_der().empty()) {
    return Error(401, "Renewal needs the device's present certificate as TLS client certificate.");
  }
  const absl::StatusOr<std::string> unit_id =
      authority_.CheckDeviceCertificate(request.client_certificate_der());
  if (!unit_id.ok()) {
    return RefuseRenewal(request, "anonymous", std::string(unit_id.status().message()));
  }
  if (!request.unit_id().empty() && request.unit_id() != *unit_id) {
    return RefuseRenewal(request, DeviceName(*unit_id), "the certificate is of another unit ID");
  }
  const absl::StatusOr<CertificateRequest> csr = ParseBody(request.body());
  if (!csr.ok()) return Error(400, csr.status().message());
  if (AsksForAnother(*csr, *unit_id)) {
    return Error(409,
                 "The request's common name is not the unit ID of the present certificate; request "
                 "the same name, or enrol anew with a first-authentication key.");
  }
  Result result;
  const absl::Status status =
      Transact([&] { return DecideAndRenew(request, *unit_id, *csr, &result); }, result);
  if (!status.ok()) return Unavailable(status);
  if (result.decision.action == Action::kRefuse) {
    return RefuseRenewal(request, DeviceName(*unit_id), result.decision.refusal);
  }
  return Answer(result);
}

absl::Status StoreEstHandler::DecideAndRenew(const v1::EstRequest& request,
                                             const std::string& unit_id,
                                             const CertificateRequest& csr, Result* result) {
  FAIRLEAD_ASSIGN_OR_RETURN(const std::vector<CertificateRecord> certificates,
                            store_.CertificatesOf(unit_id));
  EnrollmentAttempt attempt = {unit_id, csr.public_key_sha256, clock_.Now(), false};
  FAIRLEAD_RETURN_IF_ERROR(LoadDevice(unit_id, &attempt.device_exists, &result->device));
  result->decision = DecideRenewal(Sha256(request.client_certificate_der()), certificates, attempt);
  if (result->decision.action == Action::kReturnExisting) {
    result->certificate_der = certificates[result->decision.existing].der;
    return Audit(request, DeviceName(unit_id), unit_id, v1::AuditEvent::SUCCEEDED,
                 "Answered a retry with the certificate already issued.");
  }
  if (result->decision.action != Action::kIssue) return absl::OkStatus();
  FAIRLEAD_RETURN_IF_ERROR(Issue(csr, std::string(), result));
  return Audit(request, DeviceName(unit_id), unit_id, v1::AuditEvent::SUCCEEDED, "Renewed.");
}

v1::EstResponse StoreEstHandler::RefuseRenewal(const v1::EstRequest& request,
                                               const std::string& actor, const std::string& why) {
  (void)Audit(request, actor, std::string(), v1::AuditEvent::REFUSED, why);
  return Error(403,
               "The device's certificate cannot be renewed; enrol anew with a "
               "first-authentication key from an administrator.");
}

absl::Status StoreEstHandler::Audit(const v1::EstRequest& request, const std::string& actor,
                                    const std::string& unit_id, v1::AuditEvent::Outcome outcome,
                                    const std::string& detail) {
  const bool renewal = request.operation() == v1::EstRequest::SIMPLEREENROLL;
  AuditEntry entry;
  entry.actor = actor;
  entry.action = renewal ? "device.renew" : "device.enroll";
  entry.resource = unit_id.empty() ? std::string() : DeviceName(unit_id);
  entry.outcome = outcome;
  entry.peer_address = request.peer_address();
  entry.detail = outcome == v1::AuditEvent::REFUSED
                     ? absl::StrCat(renewal ? "Renewal" : "Enrolment", " of \"", Printable(unit_id),
                                    "\" refused: ", detail, ".")
                     : detail;
  if (renewal && outcome == v1::AuditEvent::REFUSED) {
    entry.detail = absl::StrCat("Renewal refused: ", detail, ".");
  }
  return audit_.Append(entry);
}

}  // namespace fairlead::control
