// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
#include "gateway/server_absence.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace fairlead::gateway {
namespace {

constexpr absl::Duration kLongestGrace = absl::Hours(24);

}  // namespace

absl::Status NoServerLinked() {
  return absl::UnavailableError(
      "No server is linked to this ICG now. Connect elsewhere, or again later.");
}

void ServerAbsence::SetGracePeriod(absl::Duration grace_period) {
  grace_period_ = grace_period > absl::ZeroDuration() ? std::min(grace_period, kLongestGrace)
                                                      : options_.grace_period;
}

void ServerAbsence::SetLinked(bool linked, absl::Duration now) {
  if (linked == linked_) return;
  linked_ = linked;
  was_linked_ = true;
  closed_ = false;
  absent_since_ = now;
}

absl::Duration ServerAbsence::CloseAt() const {
  return linked_ || closed_ ? absl::InfiniteDuration() : absent_since_ + grace_period_;
}

bool ServerAbsence::TakeClose(absl::Duration now) {
  if (now < CloseAt()) return false;
  closed_ = true;
  return true;
}

std::string ServerAbsence::CloseSentence() const {
  return absl::StrCat("No server has been linked to this ICG for ",
                      absl::FormatDuration(grace_period_), "; connect again later.");
}

const char* ServerAbsence::Status(bool certificate_valid, absl::Duration now) const {
  if (!certificate_valid) return "err";
  if (linked_) return "ok";
  return !was_linked_ && now - started_ < options_.startup ? "init" : "warn";
}

}  // namespace fairlead::gateway
