// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// See icg_service.h.
#include "control/icg_service.h"

#include <algorithm>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "base/status.h"
#include "control/filter.h"
#include "control/host_port.h"
#include "control/proto_time.h"

namespace fairlead::control {
namespace {

constexpr char kCollection[] = "icgs";
constexpr std::size_t kMaxFurtherNames = 32;
constexpr absl::Duration kMaxGrace = absl::Hours(24);

absl::Status Bad(absl::string_view field, absl::string_view takes) {
  return absl::InvalidArgumentError(absl::StrCat(field, ": ", takes));
}

absl::Status BadValue(absl::string_view field, absl::string_view value, absl::string_view takes) {
  return Bad(absl::StrCat(field, " \"", absl::CHexEscape(value.substr(0, 80)), "\""), takes);
}

// "grpcs://host:port" or "wss://host:port".
absl::optional<HostPort> ParseInternal(absl::string_view address) {
  if (!absl::ConsumePrefix(&address, "grpcs://") && !absl::ConsumePrefix(&address, "wss://")) {
    return absl::nullopt;
  }
  return ParseHostPort(address);
}

absl::Status CheckAddresses(const v1::Icg& icg) {
  if (!ParseInternal(icg.internal_address()).has_value()) {
    return BadValue(
        "icg.internal_address", icg.internal_address(),
        "use grpcs://host:port or wss://host:port, where this server dials the ICG, for "
        "example \"grpcs://10.0.0.5:8443\"");
  }
  if (!ParseHostPort(icg.external_address()).has_value()) {
    return BadValue("icg.external_address", icg.external_address(),
                    "use host:port, where devices and Consoles dial the ICG, for example "
                    "\"icg.example:8443\"");
  }
  absl::string_view proxy = icg.proxy();
  if (proxy.empty() ||
      (absl::ConsumePrefix(&proxy, "http://") && ParseHostPort(proxy).has_value())) {
    return absl::OkStatus();
  }
  return BadValue("icg.proxy", icg.proxy(), "use http://host:port, or leave it empty for none");
}

absl::Status CheckGrace(const v1::Icg& icg) {
  const google::protobuf::Duration& grace = icg.grace_period();
  const bool valid = grace.seconds() >= 0 && grace.nanos() >= 0 && grace.nanos() < 1'000'000'000;
  if (valid && FromDuration(grace) <= kMaxGrace) return absl::OkStatus();
  return Bad("icg.grace_period", "use 0s to 86400s (1 day)");
}

absl::Status NoSuchIcg(absl::string_view name) {
  return absl::NotFoundError(absl::StrCat("there is no ICG \"",
                                          absl::CHexEscape(name.substr(0, 80)),
                                          "\"; list the ICGs to see those there are"));
}

}  // namespace

absl::StatusOr<v1::Icg> CheckNewIcg(const v1::Icg& icg) {
  absl::string_view id = icg.name();
  if (!absl::ConsumePrefix(&id, "icgs/") || !IsIcgId(id)) {
    return BadValue("icg.name", icg.name(), "use icgs/ and 1 to 64 characters of a-z, 0-9 and '-'");
  }
  FAIRLEAD_RETURN_IF_ERROR(CheckAddresses(icg));
  FAIRLEAD_RETURN_IF_ERROR(CheckGrace(icg));
  v1::Icg checked;
  checked.set_name(icg.name());
  checked.set_internal_address(icg.internal_address());
  checked.set_external_address(icg.external_address());
  checked.set_proxy(icg.proxy());
  checked.set_max_devices(icg.max_devices());
  if (icg.has_grace_period()) *checked.mutable_grace_period() = icg.grace_period();
  return checked;
}

absl::StatusOr<std::vector<std::string>> CertificateNames(const v1::Icg& icg,
                                                          const std::vector<std::string>& further) {
  if (further.size() > kMaxFurtherNames) {
    return Bad("subject_alternative_names",
               absl::StrCat(further.size(), " are too many; name at most ", kMaxFurtherNames));
  }
  std::vector<std::string> names = further;
  const absl::optional<HostPort> internal = ParseInternal(icg.internal_address());
  const absl::optional<HostPort> external = ParseHostPort(icg.external_address());
  if (internal.has_value()) names.push_back(internal->host);
  if (external.has_value()) names.push_back(external->host);
  return names;
}

grpc::ServerUnaryReactor* IcgService::RegisterIcg(grpc::CallbackServerContext* context,
                                                  const v1::RegisterIcgRequest* request,
                                                  v1::RegisterIcgResponse* response) {
  return UnaryCall(
      calls_, context, request, response,
      [this](const Caller& caller, const v1::RegisterIcgRequest& asked,
             v1::RegisterIcgResponse* answer) { return Register(caller, asked, answer); });
}

grpc::ServerUnaryReactor* IcgService::ListIcgs(grpc::CallbackServerContext* context,
                                               const v1::ListIcgsRequest* request,
                                               v1::ListIcgsResponse* response) {
  return UnaryCall(calls_, context, request, response,
                   [this](const Caller&, const v1::ListIcgsRequest& asked,
                          v1::ListIcgsResponse* answer) { return List(asked, answer); });
}

grpc::ServerUnaryReactor* IcgService::DeleteIcg(grpc::CallbackServerContext* context,
                                                const v1::DeleteIcgRequest* request,
                                                v1::DeleteIcgResponse* response) {
  return UnaryCall(calls_, context, request, response,
                   [this](const Caller& caller, const v1::DeleteIcgRequest& asked,
                          v1::DeleteIcgResponse*) { return Delete(caller, asked); });
}

absl::Status IcgService::Register(const Caller& caller, const v1::RegisterIcgRequest& request,
                                  v1::RegisterIcgResponse* response) {
  FAIRLEAD_ASSIGN_OR_RETURN(v1::Icg icg, CheckNewIcg(request.icg()));
  const auto& further = request.subject_alternative_names();
  FAIRLEAD_ASSIGN_OR_RETURN(
      const std::vector<std::string> names,
      CertificateNames(icg, std::vector<std::string>(further.begin(), further.end())));
  absl::StatusOr<IssuedIdentity> identity =
      support_.authority.IssueIcgCertificate(absl::StripPrefix(icg.name(), "icgs/"), names);
  if (!identity.ok()) return Annotate(identity.status(), "the names for the ICG's certificate");
  *icg.mutable_create_time() = ToTimestamp(support_.clock.Now());
  *icg.mutable_certificate_expire_time() = ToTimestamp(identity->certificate.not_after);
  {
    absl::MutexLock lock(&change_mutex_);
    FAIRLEAD_RETURN_IF_ERROR(Insert(caller, icg, *identity));
    support_.links.Add(icg);
  }
  ShowStanding(icg);
  *response->mutable_icg() = std::move(icg);
  response->set_private_key_pem(std::move(identity->private_key_pem));
  response->set_certificate_chain_pem(std::move(identity->certificate_chain_pem));
  response->set_ca_certificates_pem(support_.authority.certificate_pem());
  return absl::OkStatus();
}

absl::Status IcgService::Insert(const Caller& caller, const v1::Icg& icg,
                                const IssuedIdentity& identity) {
  CertificateRecord certificate;
  certificate.fingerprint = identity.certificate.fingerprint;
  certificate.unit_id = icg.name();
  certificate.public_key_sha256 = identity.public_key_sha256;
  certificate.der = identity.certificate.der;
  certificate.not_after = identity.certificate.not_after;
  return support_.store.Transact([&]() -> absl::Status {
    const absl::Status found = support_.store.GetIcg(icg.name()).status();
    if (found.ok()) {
      return absl::AlreadyExistsError(absl::StrCat(
          icg.name(), " is registered already; delete it first, or choose another identifier"));
    }
    if (!absl::IsNotFound(found)) return found;
    FAIRLEAD_RETURN_IF_ERROR(support_.store.PutIcg(icg));
    FAIRLEAD_RETURN_IF_ERROR(support_.store.InsertCertificate(certificate));
    return support_.audit.Append(
        {.actor = caller.user,
         .action = "icg.register",
         .resource = icg.name(),
         .outcome = v1::AuditEvent::SUCCEEDED,
         .peer_address = caller.peer_address,
         .detail = absl::StrCat("at ", icg.internal_address(), ", for devices and Consoles at ",
                                icg.external_address())});
  });
}

absl::Status IcgService::List(const v1::ListIcgsRequest& request,
                              v1::ListIcgsResponse* response) const {
  FAIRLEAD_ASSIGN_OR_RETURN(const Page page, ParsePage(request.page_size(), request.page_token()));
  FAIRLEAD_ASSIGN_OR_RETURN(const std::string after, ParsePageToken(page.token, kCollection));
  FAIRLEAD_ASSIGN_OR_RETURN(std::vector<v1::Icg> icgs, support_.store.ListIcgs());
  for (v1::Icg& icg : icgs) {
    if (!after.empty() && icg.name() <= absl::StrCat(kCollection, "/", after)) continue;
    if (response->icgs_size() == page.size) {
      const std::string& last = response->icgs(page.size - 1).name();
      response->set_next_page_token(PageTokenAfter(last));
      break;
    }
    ShowStanding(icg);
    *response->add_icgs() = std::move(icg);
  }
  return absl::OkStatus();
}

void IcgService::ShowStanding(v1::Icg& icg) const {
  const absl::optional<EdgeStanding> standing = support_.board.Get(icg.name());
  icg.set_state(v1::Icg::DISCONNECTED);
  if (!standing.has_value()) {
    // Just registered: the link is about to be opened.
    *icg.mutable_since_time() = icg.create_time();
    return;
  }
  if (standing->connected) icg.set_state(v1::Icg::CONNECTED);
  *icg.mutable_since_time() = ToTimestamp(standing->since);
  icg.set_last_error(standing->last_error);
  icg.set_connected_devices(support_.directory.CountConnected(icg.name()));
}

absl::Status IcgService::Delete(const Caller& caller, const v1::DeleteIcgRequest& request) {
  FAIRLEAD_RETURN_IF_ERROR(ParseName(request.name(), kCollection).status());
  absl::MutexLock lock(&change_mutex_);
  FAIRLEAD_ASSIGN_OR_RETURN(const std::vector<std::string> fingerprints,
                            Erase(caller, request.name()));
  support_.links.Remove(request.name(), fingerprints);
  return absl::OkStatus();
}

absl::StatusOr<std::vector<std::string>> IcgService::Erase(const Caller& caller,
                                                           const std::string& name) {
  std::vector<std::string> fingerprints;
  FAIRLEAD_RETURN_IF_ERROR(support_.store.Transact([&]() -> absl::Status {
    const absl::Status found = support_.store.GetIcg(name).status();
    if (absl::IsNotFound(found)) return NoSuchIcg(name);
    FAIRLEAD_RETURN_IF_ERROR(found);
    FAIRLEAD_ASSIGN_OR_RETURN(const std::vector<CertificateRecord> certificates,
                              support_.store.CertificatesOf(name));
    for (const CertificateRecord& certificate : certificates) {
      if (!certificate.revoked) fingerprints.push_back(certificate.fingerprint);
    }
    FAIRLEAD_RETURN_IF_ERROR(support_.store.RevokeCertificatesOf(name));
    FAIRLEAD_RETURN_IF_ERROR(support_.store.DeleteIcg(name));
    return support_.audit.Append({.actor = caller.user,
                                  .action = "icg.delete",
                                  .resource = name,
                                  .outcome = v1::AuditEvent::SUCCEEDED,
                                  .peer_address = caller.peer_address,
                                  .detail = "certificate revoked"});
  }));
  return fingerprints;
}

}  // namespace fairlead::control
