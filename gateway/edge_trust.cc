// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
#include "gateway/edge_trust.h"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status.h"

namespace fairlead::gateway {
namespace {

using dataplane::TlsServerContext;

// The text itself, or that of the file if one is named.
absl::StatusOr<std::string> TextOrFile(const std::string& text, const std::string& file) {
  if (file.empty()) return text;
  std::ifstream stream(file, std::ios::binary);
  if (!stream) {
    return absl::NotFoundError(
        absl::StrCat("cannot read ", file, ": ", std::strerror(errno), "; check name and mode"));
  }
  return std::string(std::istreambuf_iterator<char>(stream), {});
}

absl::StatusOr<dataplane::Validity> ValidityOfLeaf(const dataplane::TlsIdentity& identity) {
  FAIRLEAD_ASSIGN_OR_RETURN(
      const dataplane::Certificates chain,
      dataplane::ParseCertificatesPem(identity.certificate_chain_pem, "the certificate chain"));
  return dataplane::ValidityOf(*chain[0]);
}

}  // namespace

EdgeTrust::EdgeTrust(EdgeTrustSource source, Loaded loaded,
                     std::shared_ptr<TlsServerContext> context)
    : source_(std::move(source)), context_(std::move(context)), loaded_(std::move(loaded)) {}

absl::StatusOr<EdgeTrust::Loaded> EdgeTrust::Load(const EdgeTrustSource& source) {
  Loaded loaded;
  FAIRLEAD_ASSIGN_OR_RETURN(
      loaded.identity.certificate_chain_pem,
      TextOrFile(source.identity.certificate_chain_pem, source.certificate_file));
  FAIRLEAD_ASSIGN_OR_RETURN(loaded.identity.private_key_pem,
                            TextOrFile(source.identity.private_key_pem, source.private_key_file));
  FAIRLEAD_ASSIGN_OR_RETURN(loaded.client_ca_pem,
                            TextOrFile(source.client_ca_pem, source.client_ca_file));
  const absl::StatusOr<dataplane::Validity> validity = ValidityOfLeaf(loaded.identity);
  if (!validity.ok()) {
    return Annotate(validity.status(), absl::StrCat("certificate ", source.certificate_file));
  }
  loaded.validity = *validity;
  return loaded;
}

absl::StatusOr<std::unique_ptr<EdgeTrust>> EdgeTrust::Create(EdgeTrustSource source) {
  FAIRLEAD_ASSIGN_OR_RETURN(Loaded loaded, Load(source));
  auto context = TlsServerContext::Create(loaded.identity, loaded.client_ca_pem);
  if (!context.ok()) {
    return Annotate(context.status(), absl::StrCat("certificate ", source.certificate_file));
  }
  return std::unique_ptr<EdgeTrust>(
      new EdgeTrust(std::move(source), std::move(loaded), *std::move(context)));
}

absl::Status EdgeTrust::Apply(const Loaded& loaded, const std::string& device_ca_pem) {
  const bool same = device_ca_pem == loaded.client_ca_pem;
  return context_->Reload(
      loaded.identity,
      same ? device_ca_pem : absl::StrCat(loaded.client_ca_pem, "\n", device_ca_pem));
}

absl::Status EdgeTrust::Reload() {
  FAIRLEAD_ASSIGN_OR_RETURN(Loaded loaded, Load(source_));
  return PutIntoForce(std::move(loaded));
}

absl::Status EdgeTrust::Replace(const dataplane::TlsIdentity& identity,
                                const std::string& client_ca_pem) {
  Loaded loaded;
  loaded.identity = identity;
  loaded.client_ca_pem = client_ca_pem;
  FAIRLEAD_ASSIGN_OR_RETURN(loaded.validity, ValidityOfLeaf(identity));
  return PutIntoForce(std::move(loaded));
}

bool EdgeTrust::ValidAt(absl::Time time) const {
  absl::MutexLock lock(&mutex_);
  return loaded_.validity.not_before <= time && time <= loaded_.validity.not_after;
}

absl::Status EdgeTrust::PutIntoForce(Loaded loaded) {
  absl::MutexLock lock(&mutex_);
  FAIRLEAD_RETURN_IF_ERROR(Annotate(Apply(loaded, device_ca_pem_),
                                    absl::StrCat("certificate ", source_.certificate_file)));
  loaded_ = std::move(loaded);
  return absl::OkStatus();
}

absl::Status EdgeTrust::SetDeviceCa(std::string device_ca_pem) {
  absl::MutexLock lock(&mutex_);
  if (device_ca_pem == device_ca_pem_) return absl::OkStatus();
  FAIRLEAD_RETURN_IF_ERROR(
      Annotate(Apply(loaded_, device_ca_pem), "the CA certificates named by the server"));
  device_ca_pem_ = std::move(device_ca_pem);
  return absl::OkStatus();
}

std::string EdgeTrust::client_ca_pem() const {
  absl::MutexLock lock(&mutex_);
  if (device_ca_pem_.empty() || device_ca_pem_ == loaded_.client_ca_pem) {
    return loaded_.client_ca_pem;
  }
  return absl::StrCat(loaded_.client_ca_pem, "\n", device_ca_pem_);
}

}  // namespace fairlead::gateway
