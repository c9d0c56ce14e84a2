// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// See audit_service.h.
#include "control/audit_service.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "base/status.h"
#include "base/utf8.h"
#include "control/filter.h"
#include "control/unimplemented_services.h"

namespace fairlead::control {
namespace {

constexpr std::size_t kMaxFilterCharacters = 256;

// Nothing set matches everything.
bool Holds(const absl::optional<std::string>& wanted, const std::string& found) {
  return !wanted.has_value() || *wanted == found;
}

}  // namespace

absl::StatusOr<AuditFilter> AuditFilter::Parse(absl::string_view text) {
  if (CountCharacters(text) > kMaxFilterCharacters) {
    return absl::InvalidArgumentError("filter must have at most 256 characters.");
  }
  AuditFilter filter;
  for (absl::string_view term : absl::StrSplit(text, ' ', absl::SkipWhitespace())) {
    FAIRLEAD_RETURN_IF_ERROR(filter.AddTerm(term));
  }
  return filter;
}

absl::Status AuditFilter::AddTerm(absl::string_view term) {
  absl::string_view value = term;
  if (absl::ConsumePrefix(&value, "actor=")) {
    actor_ = std::string(value);
  } else if (absl::ConsumePrefix(&value, "action=")) {
    action_ = std::string(value);
  } else if (absl::ConsumePrefix(&value, "resource=")) {
    resource_ = std::string(value);
  } else if (absl::ConsumePrefix(&value, "outcome=")) {
    v1::AuditEvent::Outcome outcome;
    if (!v1::AuditEvent::Outcome_Parse(std::string(value), &outcome) ||
        outcome == v1::AuditEvent::OUTCOME_UNSPECIFIED) {
      return absl::InvalidArgumentError("filter: outcome must be SUCCEEDED, REFUSED or FAILED.");
    }
    outcome_ = outcome;
  } else {
    return absl::InvalidArgumentError(absl::StrCat(
        "filter: \"", term, "\" is not a term; use actor=, action=, resource= and outcome=."));
  }
  return absl::OkStatus();
}

bool AuditFilter::Matches(const v1::AuditEvent& event) const {
  return Holds(actor_, event.actor()) && Holds(action_, event.action()) &&
         Holds(resource_, event.resource()) &&
         (!outcome_.has_value() || *outcome_ == event.outcome());
}

grpc::ServerUnaryReactor* AuditService::ListAuditEvents(grpc::CallbackServerContext* context,
                                                        const v1::ListAuditEventsRequest* request,
                                                        v1::ListAuditEventsResponse* response) {
  return UnaryCall(support_, context, request, response,
                   [this](const Caller&, const v1::ListAuditEventsRequest& asked,
                          v1::ListAuditEventsResponse* reply) { return List(asked, reply); });
}

grpc::ServerUnaryReactor* AuditService::VerifyAuditLog(grpc::CallbackServerContext* context,
                                                       const v1::VerifyAuditLogRequest* request,
                                                       v1::VerifyAuditLogResponse* response) {
  return RefuseUnimplemented(support_, context, request, response, "AuditService.VerifyAuditLog",
                             "read the log with AuditService.ListAuditEvents");
}

absl::Status AuditService::List(const v1::ListAuditEventsRequest& request,
                                v1::ListAuditEventsResponse* response) {
  FAIRLEAD_ASSIGN_OR_RETURN(const Page page, ParsePage(request.page_size(), request.page_token()));
  FAIRLEAD_ASSIGN_OR_RETURN(const AuditFilter filter, AuditFilter::Parse(request.filter()));
  const auto select = [&filter](const v1::AuditEvent& event) { return filter.Matches(event); };
  FAIRLEAD_ASSIGN_OR_RETURN(
      std::vector<v1::AuditEvent> events,
      store_.ListAuditEvents(page, select, response->mutable_next_page_token()));
  for (v1::AuditEvent& event : events) *response->add_audit_events() = std::move(event);
  return absl::OkStatus();
}

}  // namespace fairlead::control
