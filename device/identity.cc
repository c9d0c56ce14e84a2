// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
#include "device/identity.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "base/status.h"

namespace fairlead::device {
namespace {

constexpr char kUnitIdFile[] = "unit_id";
constexpr char kKeyFile[] = "device.key";
constexpr char kCurrentFile[] = "certificate.pem";
constexpr char kNextFile[] = "certificate.next.pem";

// The file's contents; empty if there is none.
absl::StatusOr<std::string> ReadIfThere(const StateDir& state, absl::string_view name) {
  absl::StatusOr<std::string> contents = state.Read(name);
  if (absl::IsNotFound(contents.status())) return std::string();
  return contents;
}

std::string TimeText(absl::Time time) {
  return absl::FormatTime("%Y-%m-%d %H:%M:%S UTC", time, absl::UTCTimeZone());
}

}  // namespace

absl::StatusOr<Identity> Identity::Load(const StateDir& state, const std::string& unit_id) {
  FAIRLEAD_ASSIGN_OR_RETURN(std::string stored, ReadIfThere(state, kUnitIdFile));
  stored = std::string(absl::StripAsciiWhitespace(stored));
  if (stored.empty()) {
    FAIRLEAD_RETURN_IF_ERROR(state.Write(kUnitIdFile, absl::StrCat(unit_id, "\n")));
    stored = unit_id;
  } else if (!unit_id.empty() && stored != unit_id) {
    return absl::FailedPreconditionError(
        absl::StrCat("the state folder belongs to the unit ID ", stored, ", not to ", unit_id,
                     "; give this device a --state_dir of its own"));
  }
  Identity identity(state, stored);
  FAIRLEAD_RETURN_IF_ERROR(identity.LoadKey());
  FAIRLEAD_RETURN_IF_ERROR(identity.LoadCertificates());
  return identity;
}

absl::Status Identity::LoadKey() {
  FAIRLEAD_ASSIGN_OR_RETURN(key_, ReadIfThere(state_, kKeyFile));
  if (!key_.empty()) {
    if (CheckKey(key_).ok()) return absl::OkStatus();
    return absl::FailedPreconditionError(absl::StrCat(
        kKeyFile,
        " in the state folder is damaged: restore it, or remove it and enrol this device ",
        "again with a new first-authentication key (--key_file)"));
  }
  FAIRLEAD_ASSIGN_OR_RETURN(key_, MakeKey());
  return state_.Write(kKeyFile, key_);
}

absl::Status Identity::LoadCertificates() {
  FAIRLEAD_ASSIGN_OR_RETURN(current_, ReadIfThere(state_, kCurrentFile));
  FAIRLEAD_ASSIGN_OR_RETURN(next_, ReadIfThere(state_, kNextFile));
  // One that is damaged or of another key is as good as none: the device enrols again.
  if (!InspectCertificate(current_, key_).ok()) current_.clear();
  if (!InspectCertificate(next_, key_).ok()) next_.clear();
  if (current_.empty()) current_.swap(next_);
  try_next_ = !next_.empty();
  return absl::OkStatus();
}

absl::Status Identity::OnAccepted() {
  if (!try_next_) return absl::OkStatus();
  FAIRLEAD_RETURN_IF_ERROR(state_.Rename(kNextFile, kCurrentFile));
  current_ = std::exchange(next_, std::string());
  try_next_ = false;
  return absl::OkStatus();
}

absl::Status Identity::Add(const std::string& chain_pem) {
  FAIRLEAD_RETURN_IF_ERROR(InspectCertificate(chain_pem, key_).status());
  if (!enrolled()) {
    FAIRLEAD_RETURN_IF_ERROR(state_.Write(kCurrentFile, chain_pem));
    current_ = chain_pem;
    return absl::OkStatus();
  }
  FAIRLEAD_RETURN_IF_ERROR(state_.Write(kNextFile, chain_pem));
  next_ = chain_pem;
  try_next_ = true;
  return absl::OkStatus();
}

bool Identity::expired(absl::Time now) const {
  const absl::StatusOr<CertificateFacts> facts = InspectCertificate(chain_pem(), key_);
  return facts.ok() && now >= facts->not_after;
}

std::string Identity::ValidityProblem(absl::Time now) const {
  const absl::StatusOr<CertificateFacts> facts = InspectCertificate(chain_pem(), key_);
  if (!facts.ok()) return "";
  const std::string clock = absl::StrCat("; this device's clock says ", TimeText(now), ": ");
  if (now < facts->not_before) {
    return absl::StrCat("this device's certificate is not valid before ",
                        TimeText(facts->not_before), clock, "correct the clock");
  }
  if (now < facts->not_after) return "";
  return absl::StrCat("this device's certificate expired on ", TimeText(facts->not_after), clock,
                      "enrol it again with a new first-authentication key (--key_file), or correct "
                      "the clock");
}

absl::Time Identity::renewal_time() const {
  if (!next_.empty()) return absl::InfiniteFuture();
  const absl::StatusOr<CertificateFacts> facts = InspectCertificate(current_, key_);
  if (!facts.ok()) return absl::InfiniteFuture();
  return facts->not_after - (facts->not_after - facts->not_before) / 3;
}

}  // namespace fairlead::device
