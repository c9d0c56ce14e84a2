// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Who the device is: its unit ID, its key pair, and its certificate, of which there are two while a
// renewed one has not been used yet. Kept in the state folder. Used by Enroller and UnifiedClient.
#ifndef FAIRLEAD_DEVICE_IDENTITY_H_
#define FAIRLEAD_DEVICE_IDENTITY_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "device/device_key.h"
#include "device/state_dir.h"

namespace fairlead::device {

// Thread: one. Lifetime: `state` must outlive it.
class Identity {
 public:
  // Reads what the state folder has; makes the key pair, once, if there is none.
  // `unit_id` names the device when the folder does not yet.
  // Errors: FAILED_PRECONDITION the folder belongs to another unit ID, or a file in it cannot be
  // read or used; says which and what to do.
  static absl::StatusOr<Identity> Load(const StateDir& state, const std::string& unit_id);

  const std::string& unit_id() const { return unit_id_; }
  const std::string& key_pem() const { return key_; }
  bool enrolled() const { return !current_.empty(); }

  // The certificate chain for the next connection, PEM.
  const std::string& chain_pem() const { return try_next_ ? next_ : current_; }
  // A connection with chain_pem() did not come about: if there are two, the other is tried next.
  void OnRefused() { try_next_ = !next_.empty() && !try_next_; }
  // A connection with chain_pem() was accepted: if that was the new one, the old one goes.
  absl::Status OnAccepted();

  // Takes a certificate that was issued to this key pair, for connections from now on.
  // Errors: INVALID_ARGUMENT it was made for another key; else it could not be written.
  absl::Status Add(const std::string& chain_pem);

  // Whether chain_pem() is out of date at `now`.
  bool expired(absl::Time now) const;

  // Why chain_pem() is of no use at `now`, and what to do, as the part of a sentence; empty if it
  // is in date, or there is none.
  std::string ValidityProblem(absl::Time now) const;

  // When a third of the certificate's lifetime is left; far in the future if one waits for use.
  absl::Time renewal_time() const;

 private:
  Identity(const StateDir& state, std::string unit_id)
      : state_(state), unit_id_(std::move(unit_id)) {}
  absl::Status LoadKey();
  absl::Status LoadCertificates();

  const StateDir& state_;
  std::string unit_id_;
  std::string key_;
  std::string current_;
  std::string next_;
  bool try_next_ = false;
};

}  // namespace fairlead::device

#endif  // FAIRLEAD_DEVICE_IDENTITY_H_
