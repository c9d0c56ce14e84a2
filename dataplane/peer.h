// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Who is at the other end of a connection: address and verified certificate. Filled by the TLS
// handshake, read by the router's handlers and the relay.
#ifndef FAIRLEAD_DATAPLANE_PEER_H_
#define FAIRLEAD_DATAPLANE_PEER_H_

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"

namespace fairlead::dataplane {

// A certificate that the TLS handshake verified against our CA.
struct PeerCertificate {
  std::string der;
  // SHA-256 of der, 32 bytes.
  std::string fingerprint;
  // Subject common name; may be empty.
  std::string common_name;
  // URIs of the subject alternative name, in order. Roles are told by "urn:fairlead:device:<unit
  // ID>", "urn:fairlead:server:<name>" and "urn:fairlead:icg:<id>".
  std::vector<std::string> uris;
  absl::Time not_after;
};

// The place that a connection takes among those that have not shown who they are.
// Thread: any.
class Admission {
 public:
  virtual ~Admission() = default;
  // Gives the place back: from now on the connection counts as authenticated. Idempotent.
  virtual void MarkAuthenticated() = 0;
};

// The other end of a connection.
struct PeerInfo {
  // "192.0.2.1:4711" or "[2001:db8::1]:4711".
  std::string address;
  // The address alone, without the port: what limits are counted by.
  std::string host;
  // Absent when the peer showed none.
  std::optional<PeerCertificate> certificate;
  // Set by the listener; null elsewhere. See MarkAuthenticated.
  std::shared_ptr<Admission> admission = nullptr;

  // To be called by whoever has verified a ticket, a token or a key of this peer: the connection
  // no longer counts against the caps on unauthenticated ones. (A verified client certificate does
  // so by itself.)
  void MarkAuthenticated() const {
    if (admission != nullptr) admission->MarkAuthenticated();
  }
};

}  // namespace fairlead::dataplane

#endif  // FAIRLEAD_DATAPLANE_PEER_H_
