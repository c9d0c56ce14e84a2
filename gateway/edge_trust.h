// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// The edge's certificates: its own, and the CAs whose clients it believes; from files, from texts
// and from the server's link. Used by the gateway.
#ifndef FAIRLEAD_GATEWAY_EDGE_TRUST_H_
#define FAIRLEAD_GATEWAY_EDGE_TRUST_H_

#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "dataplane/tls_context.h"
#include "dataplane/x509_util.h"

namespace fairlead::gateway {

// Where the certificates come from; a file's name wins over the text. PEM all.
struct EdgeTrustSource {
  std::string certificate_file;
  std::string private_key_file;
  std::string client_ca_file;
  dataplane::TlsIdentity identity;
  std::string client_ca_pem;
};

// Thread: any.
class EdgeTrust {
 public:
  // Errors: NOT_FOUND a file cannot be read; INVALID_ARGUMENT what it holds is no good. Both name
  // the file.
  static absl::StatusOr<std::unique_ptr<EdgeTrust>> Create(EdgeTrustSource source);

  // Reads the files again. Errors: as Create; then what was in force stays so.
  absl::Status Reload();

  // Believes clients of these CAs too, in place of those of the last call.
  // Errors: INVALID_ARGUMENT; then what was in force stays so.
  absl::Status SetDeviceCa(std::string device_ca_pem);

  // Takes another certificate, key and CA in place of those of the source's texts.
  // Errors: as Create; then what was in force stays so.
  absl::Status Replace(const dataplane::TlsIdentity& identity, const std::string& client_ca_pem);

  // Whether the edge's own certificate is valid at `time`.
  bool ValidAt(absl::Time time) const;

  // The CAs whose clients are believed, PEM.
  std::string client_ca_pem() const;

  const std::shared_ptr<dataplane::TlsServerContext>& context() const { return context_; }

 private:
  struct Loaded {
    dataplane::TlsIdentity identity;
    std::string client_ca_pem;
    dataplane::Validity validity;
  };
  EdgeTrust(EdgeTrustSource source, Loaded loaded,
            std::shared_ptr<dataplane::TlsServerContext> context);
  static absl::StatusOr<Loaded> Load(const EdgeTrustSource& source);
  // Puts both kinds of CAs into force.
  absl::Status Apply(const Loaded& loaded, const std::string& device_ca_pem);
  absl::Status PutIntoForce(Loaded loaded);

  const EdgeTrustSource source_;
  const std::shared_ptr<dataplane::TlsServerContext> context_;
  mutable absl::Mutex mutex_;
  Loaded loaded_ ABSL_GUARDED_BY(mutex_);
  std::string device_ca_pem_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace fairlead::gateway

#endif  // FAIRLEAD_GATEWAY_EDGE_TRUST_H_
