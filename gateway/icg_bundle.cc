// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
#include "gateway/icg_bundle.h"

#include <google/protobuf/util/json_util.h>
#include <sys/stat.h>

#include <cstdio>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "base/log.h"
#include "base/state_file.h"
#include "base/status.h"
#include "dataplane/x509_util.h"
#include "proto/icg.pb.h"

namespace fairlead::gateway {
namespace {

constexpr char kUriPrefix[] = "urn:fairlead:";
constexpr char kHowToGetOne[] =
    "; an ICG starts with the file that `console icgs register` has written";

absl::Status NoBundle(absl::string_view why) {
  return absl::InvalidArgumentError(
      absl::StrCat("this is no bundle of an ICG: ", why, kHowToGetOne));
}

absl::StatusOr<v1::RegisterIcgResponse> ParseJson(absl::string_view json) {
  const absl::string_view text = absl::StripAsciiWhitespace(json);
  if (absl::StartsWith(text, "-----BEGIN")) return NoBundle("it is a PEM file, not JSON");
  if (!absl::StartsWith(text, "{")) return NoBundle("it is not JSON");
  // A later server may say more.
  google::protobuf::util::JsonParseOptions options;
  options.ignore_unknown_fields = true;
  v1::RegisterIcgResponse response;
  if (!google::protobuf::util::JsonStringToMessage(std::string(text), &response, options).ok()) {
    return NoBundle("it is not JSON, or not of that kind");
  }
  if (response.certificate_chain_pem().empty()) return NoBundle("it holds no certificate");
  if (response.private_key_pem().empty()) return NoBundle("it holds no private key");
  if (response.ca_certificates_pem().empty()) return NoBundle("it holds no CA certificate");
  return response;
}

// The identifier that the certificate gives an ICG.
absl::StatusOr<std::string> IdOf(const X509& certificate) {
  std::string role = "no role";
  for (const std::string& uri : dataplane::DescribeCertificate(certificate).uris) {
    absl::string_view rest = uri;
    if (!absl::ConsumePrefix(&rest, kUriPrefix)) continue;
    if (absl::ConsumePrefix(&rest, "icg:") && !rest.empty()) return std::string(rest);
    role = absl::StrCat("the role ", Printable(rest.substr(0, rest.find(':'))));
  }
  return NoBundle(absl::StrCat("this certificate has ", role, ", not an ICG's"));
}

absl::Status CheckBelongTogether(const dataplane::Certificates& chain,
                                 const dataplane::Certificates& anchors, const EVP_PKEY& key) {
  X509* leaf = chain[0].get();
  if (X509_check_private_key(leaf, const_cast<EVP_PKEY*>(&key)) != 1) {
    return absl::InvalidArgumentError(
        "the private key and the certificate of the bundle do not belong together; register the "
        "ICG anew, and do not mix two bundles");
  }
  for (const dataplane::Certificates* issuers : {&chain, &anchors}) {
    for (const auto& issuer : *issuers) {
      const bssl::UniquePtr<EVP_PKEY> issuer_key(X509_get_pubkey(issuer.get()));
      if (issuer.get() != leaf && X509_verify(leaf, issuer_key.get()) == 1) return absl::OkStatus();
    }
  }
  return absl::InvalidArgumentError(
      "the certificate of the bundle was not signed by the CA of the bundle; register the ICG "
      "anew, and do not mix two bundles");
}

absl::Status CheckTime(const dataplane::Validity& validity, absl::Time now) {
  if (validity.not_before <= now && now <= validity.not_after) return absl::OkStatus();
  const bool early = now < validity.not_before;
  const auto text = [](absl::Time time) {
    return absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", time, absl::UTCTimeZone());
  };
  return absl::FailedPreconditionError(
      absl::StrCat("the certificate of the bundle ", early ? "is not valid yet" : "has expired",
                   ": the clock of this host says ", text(now), ", the certificate is valid from ",
                   text(validity.not_before), " to ", text(validity.not_after),
                   "; is the clock wrong? If not, register the ICG anew"));
}

}  // namespace

absl::StatusOr<IcgBundle> ParseIcgBundle(absl::string_view json, absl::Time now) {
  FAIRLEAD_ASSIGN_OR_RETURN(v1::RegisterIcgResponse response, ParseJson(json));
  FAIRLEAD_ASSIGN_OR_RETURN(const dataplane::Certificates chain,
                            dataplane::ParseCertificatesPem(response.certificate_chain_pem(),
                                                            "certificateChainPem of the bundle"));
  FAIRLEAD_ASSIGN_OR_RETURN(const dataplane::Certificates anchors,
                            dataplane::ParseCertificatesPem(response.ca_certificates_pem(),
                                                            "caCertificatesPem of the bundle"));
  FAIRLEAD_ASSIGN_OR_RETURN(const bssl::UniquePtr<EVP_PKEY> key,
                            dataplane::ParsePrivateKeyPem(response.private_key_pem()));
  IcgBundle bundle;
  FAIRLEAD_ASSIGN_OR_RETURN(bundle.id, IdOf(*chain[0]));
  const std::string& name = response.icg().name();
  if (!name.empty() && name != absl::StrCat("icgs/", bundle.id)) {
    return absl::InvalidArgumentError(
        absl::StrCat("the bundle is for ", Printable(name), ", but its certificate for icgs/",
                     Printable(bundle.id), "; do not mix two bundles"));
  }
  FAIRLEAD_RETURN_IF_ERROR(CheckBelongTogether(chain, anchors, *key));
  const dataplane::Validity validity = dataplane::ValidityOf(*chain[0]);
  FAIRLEAD_RETURN_IF_ERROR(CheckTime(validity, now));
  bundle.not_after = validity.not_after;
  bundle.identity.certificate_chain_pem = std::move(*response.mutable_certificate_chain_pem());
  bundle.identity.private_key_pem = std::move(*response.mutable_private_key_pem());
  bundle.ca_pem = std::move(*response.mutable_ca_certificates_pem());
  bundle.external_address = response.icg().external_address();
  return bundle;
}

absl::StatusOr<IcgBundle> ReadIcgBundle(const std::string& file, absl::Time now) {
  FAIRLEAD_ASSIGN_OR_RETURN(const std::string json, ReadStateFile(file));
  absl::StatusOr<IcgBundle> bundle = ParseIcgBundle(json, now);
  if (!bundle.ok()) return Annotate(bundle.status(), file);
  struct stat info;
  if (stat(file.c_str(), &info) == 0 && (info.st_mode & 0077) != 0) {
    char mode[8];
    std::snprintf(mode, sizeof(mode), "%04o", static_cast<unsigned>(info.st_mode & 07777));
    bundle->warning = absl::StrCat(file, " holds a private key and has the mode ", mode,
                                   ", so that others can read it: chmod 600 ", file);
  }
  return bundle;
}

}  // namespace fairlead::gateway
