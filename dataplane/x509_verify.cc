// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Decides whether a certificate chain is trusted, and says why not.
#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/mem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "base/status.h"
#include "dataplane/x509_util.h"

namespace fairlead::dataplane {
namespace {

constexpr absl::string_view kTrustRemedy =
    ": give the CA file of this server, or its fingerprint after comparing it with the one that "
    "the server shows";

absl::Status Untrusted(absl::string_view message) {
  return ErrorWithReason(absl::StatusCode::kFailedPrecondition, "TLS_UNTRUSTED", message);
}

std::string TimeText(const ASN1_TIME* time) {
  bssl::UniquePtr<BIO> bio(BIO_new(BIO_s_mem()));
  ASN1_TIME_print(bio.get(), time);
  const std::uint8_t* data = nullptr;
  std::size_t size = 0;
  BIO_mem_contents(bio.get(), &data, &size);
  return std::string(reinterpret_cast<const char*>(data), size);
}

std::string ClockText() {
  return absl::FormatTime("%b %d %H:%M:%S %Y UTC", absl::Now(), absl::UTCTimeZone());
}

std::string NameText(X509_NAME* name) {
  char text[256] = "";
  X509_NAME_oneline(name, text, sizeof(text));
  return text;
}

std::string HexOf(const X509& certificate) {
  return absl::BytesToHexString(FingerprintOf(certificate));
}

// `whose` is "the certificate of ums.example" or "the client's certificate"; `remedy` ends the
// sentence when the issuer is not known.
absl::Status Explain(X509_STORE_CTX* context, const X509& leaf, absl::string_view whose,
                     absl::string_view remedy, CertificateAlert& alert) {
  const int error = X509_STORE_CTX_get_error(context);
  X509* at = X509_STORE_CTX_get_current_cert(context);
  std::string which(whose);
  if (at != nullptr && X509_STORE_CTX_get_error_depth(context) > 0) {
    absl::StrAppend(&which, " depends on ", NameText(X509_get_subject_name(at)), ", which");
  }
  alert = CertificateAlert::kBadCertificate;
  switch (error) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
      alert = CertificateAlert::kExpired;
      return Untrusted(absl::StrCat(which, " expired on ", TimeText(X509_get0_notAfter(at)),
                                    "; this machine's clock says ", ClockText(),
                                    ": have it renewed, or correct the clock"));
    case X509_V_ERR_CERT_NOT_YET_VALID:
      alert = CertificateAlert::kExpired;
      return Untrusted(absl::StrCat(
          which, " is not valid before ", TimeText(X509_get0_notBefore(at)),
          "; this machine's clock says ", ClockText(), ": correct the clock that is wrong"));
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_CERT_SIGNATURE_FAILURE:
      alert = CertificateAlert::kUnknownCa;
      return Untrusted(absl::StrCat(whose, " (SHA-256 fingerprint ", HexOf(leaf), ") is signed by ",
                                    NameText(X509_get_issuer_name(&leaf)),
                                    ", which is not trusted here", remedy));
    case X509_V_ERR_INVALID_PURPOSE:
      alert = CertificateAlert::kUnsupported;
      return Untrusted(absl::StrCat(which, " is not meant for this use (extendedKeyUsage)"));
    default:
      return Untrusted(
          absl::StrCat(which, " is not acceptable: ", X509_verify_cert_error_string(error)));
  }
}

enum class Purpose { kServer, kClient };

bssl::UniquePtr<STACK_OF(X509)> StackOf(const Certificates& certificates, std::size_t from) {
  bssl::UniquePtr<STACK_OF(X509)> stack(sk_X509_new_null());
  for (std::size_t i = from; i < certificates.size(); ++i) {
    X509_up_ref(certificates[i].get());
    sk_X509_push(stack.get(), certificates[i].get());
  }
  return stack;
}

// `anchors` need not be self-signed.
absl::Status VerifyChain(const Certificates& chain, const std::vector<X509*>& anchors,
                         Purpose purpose, absl::string_view whose, absl::string_view remedy,
                         CertificateAlert& alert) {
  bssl::UniquePtr<X509_STORE> store(X509_STORE_new());
  for (X509* anchor : anchors) X509_STORE_add_cert(store.get(), anchor);
  const bssl::UniquePtr<STACK_OF(X509)> others = StackOf(chain, 1);
  bssl::UniquePtr<X509_STORE_CTX> context(X509_STORE_CTX_new());
  if (!X509_STORE_CTX_init(context.get(), store.get(), chain[0].get(), others.get())) {
    return absl::InternalError("cannot prepare the verification of a certificate");
  }
  X509_STORE_CTX_set_purpose(context.get(), purpose == Purpose::kServer ? X509_PURPOSE_SSL_SERVER
                                                                        : X509_PURPOSE_SSL_CLIENT);
  X509_STORE_CTX_set_flags(context.get(), X509_V_FLAG_PARTIAL_CHAIN);
  const bool trusted = X509_verify_cert(context.get()) == 1;
  ERR_clear_error();
  return trusted ? absl::OkStatus() : Explain(context.get(), *chain[0], whose, remedy, alert);
}

absl::Status VerifyTimes(X509* certificate, absl::string_view whose) {
  if (X509_cmp_current_time(X509_get0_notBefore(certificate)) > 0) {
    return Untrusted(absl::StrCat(
        whose, " is not valid before ", TimeText(X509_get0_notBefore(certificate)),
        "; this machine's clock says ", ClockText(), ": correct the clock that is wrong"));
  }
  if (X509_cmp_current_time(X509_get0_notAfter(certificate)) < 0) {
    return Untrusted(absl::StrCat(whose, " expired on ", TimeText(X509_get0_notAfter(certificate)),
                                  "; this machine's clock says ", ClockText(),
                                  ": have it renewed, or correct the clock"));
  }
  return absl::OkStatus();
}

absl::Status VerifyName(X509* leaf, const std::string& name) {
  // The common name of the subject is for people.
  const bool matches = IsIpAddress(name)
                           ? X509_check_ip_asc(leaf, name.c_str(), 0) == 1
                           : X509_check_host(leaf, name.data(), name.size(),
                                             X509_CHECK_FLAG_NEVER_CHECK_SUBJECT, nullptr) == 1;
  ERR_clear_error();
  if (matches) return absl::OkStatus();
  const std::vector<std::string> names = NamesOf(*leaf);
  return Untrusted(absl::StrCat(
      "the server's certificate is for ", names.empty() ? "no name" : absl::StrJoin(names, ", "),
      ", not for ", name,
      ": dial a name that it is for, or have the server's certificate made for this name too"));
}

absl::Status VerifyUri(const X509& leaf, const std::string& uri, absl::string_view whose) {
  const std::vector<std::string> uris = DescribeCertificate(leaf).uris;
  if (std::find(uris.begin(), uris.end(), uri) != uris.end()) return absl::OkStatus();
  return Untrusted(absl::StrCat(
      whose, " is for ", uris.empty() ? "no URI" : absl::StrJoin(uris, ", "), ", not for ", uri,
      ": somebody else answers there; correct the address, or enrol the right one"));
}

std::vector<X509*> PointersTo(const Certificates& certificates) {
  std::vector<X509*> result;
  for (const auto& certificate : certificates) result.push_back(certificate.get());
  return result;
}

}  // namespace

absl::Status VerifyClientChain(const Certificates& chain, const Certificates& anchors,
                               CertificateAlert& alert) {
  alert = CertificateAlert::kBadCertificate;
  if (chain.empty()) return Untrusted("the client sent an empty certificate chain");
  return VerifyChain(chain, PointersTo(anchors), Purpose::kClient, "the client's certificate", "",
                     alert);
}

absl::StatusOr<std::shared_ptr<const ServerTrust>> ServerTrust::Parse(absl::string_view ca_pem,
                                                                      absl::string_view fingerprint,
                                                                      absl::string_view uri) {
  if (!uri.empty() && (ca_pem.empty() || !fingerprint.empty())) {
    return absl::InvalidArgumentError("a URI is demanded of certificates that a given CA signed");
  }
  if (ca_pem.empty() && fingerprint.empty()) {
    return absl::InvalidArgumentError(
        "nothing says which server to trust: give the CA file or a SHA-256 fingerprint");
  }
  auto trust = std::make_shared<ServerTrust>();
  if (!ca_pem.empty()) {
    FAIRLEAD_ASSIGN_OR_RETURN(trust->anchors_, ParseCertificatesPem(ca_pem, "the CA file"));
  }
  if (!fingerprint.empty()) {
    FAIRLEAD_ASSIGN_OR_RETURN(trust->fingerprint_, ParseFingerprint(fingerprint));
  }
  trust->uri_ = std::string(uri);
  return std::shared_ptr<const ServerTrust>(std::move(trust));
}

absl::Status ServerTrust::Verify(const Certificates& chain, const std::string& name,
                                 CertificateAlert& alert) const {
  alert = CertificateAlert::kUnknown;
  if (chain.empty()) return Untrusted(absl::StrCat(name, " sent no certificate"));
  if (!fingerprint_.empty()) return VerifyPinned(chain, name, alert);
  const std::string whose = absl::StrCat("the certificate of ", name);
  const Purpose purpose = uri_.empty() ? Purpose::kServer : Purpose::kClient;
  const absl::string_view remedy = uri_.empty() ? kTrustRemedy : ": enrol it here";
  FAIRLEAD_RETURN_IF_ERROR(VerifyChain(chain, PointersTo(anchors_), purpose, whose, remedy, alert));
  alert = CertificateAlert::kUnknown;
  return uri_.empty() ? VerifyName(chain[0].get(), name) : VerifyUri(*chain[0], uri_, whose);
}

absl::Status ServerTrust::VerifyPinned(const Certificates& chain, const std::string& name,
                                       CertificateAlert& alert) const {
  const std::string whose = absl::StrCat("the certificate of ", name);
  if (FingerprintOf(*chain[0]) == fingerprint_) {
    alert = CertificateAlert::kExpired;
    return VerifyTimes(chain[0].get(), whose);
  }
  std::vector<X509*> candidates = PointersTo(chain);
  for (X509* anchor : PointersTo(anchors_)) candidates.push_back(anchor);
  const auto pinned = std::find_if(candidates.begin(), candidates.end(), [this](X509* candidate) {
    return FingerprintOf(*candidate) == fingerprint_;
  });
  if (pinned == candidates.end()) {
    return Untrusted(absl::StrCat(
        "no certificate that ", name, " sent has the expected SHA-256 fingerprint ",
        absl::BytesToHexString(fingerprint_), "; its own has ", HexOf(*chain[0]),
        ": unless the server was set up anew, somebody may be between; compare the fingerprint "
        "with the one that the server shows"));
  }
  FAIRLEAD_RETURN_IF_ERROR(
      VerifyChain(chain, {*pinned}, Purpose::kServer, whose, kTrustRemedy, alert));
  alert = CertificateAlert::kUnknown;
  return VerifyName(chain[0].get(), name);
}

}  // namespace fairlead::dataplane
