// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// See commands.h.
#include "console/commands.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/status.h"
#include "console/learn_ca.h"
#include "console/tell.h"
#include "proto/audit.pb.h"
#include "proto/auth.pb.h"
#include "proto/session.pb.h"

namespace fairlead::console {
namespace {

// A fingerprint says nothing of the ICGs to which tunnels may lead; the server's CA does.
void RememberCa(CommandContext& context) {
  if (context.state.fingerprint.empty() || !context.state.ca_pem.empty()) return;
  absl::StatusOr<std::string> ca = LearnCa(ServerOf(context));
  if (ca.ok()) {
    context.state.ca_pem = *std::move(ca);
    return;
  }
  Tell(absl::StrCat(
      "terminals over an ICG will need --ca_file, since the server's CA could not be learned: ",
      ca.status().message()));
}

}  // namespace

absl::Status Login(CommandContext& context, const std::string& password) {
  v1::LoginRequest request;
  request.set_username(context.state.username);
  request.set_password(password);
  v1::LoginResponse response;
  context.state.token.clear();
  FAIRLEAD_RETURN_IF_ERROR(Call(context, "AuthService.Login", request, &response));
  context.state.token = response.access_token();
  RememberCa(context);
  FAIRLEAD_ASSIGN_OR_RETURN(const std::string path, SavedStatePath());
  FAIRLEAD_RETURN_IF_ERROR(SaveState(path, context.state));
  v1::LoginResponse shown = response;
  shown.clear_access_token();
  return Report(
      context, shown,
      {absl::StrCat("Logged in to ", context.state.server, " as ", context.state.username, ".")});
}

absl::Status Logout(CommandContext& context) {
  v1::LogoutResponse response;
  FAIRLEAD_RETURN_IF_ERROR(Call(context, "AuthService.Logout", v1::LogoutRequest(), &response));
  context.state.token.clear();
  FAIRLEAD_ASSIGN_OR_RETURN(const std::string path, SavedStatePath());
  FAIRLEAD_RETURN_IF_ERROR(SaveState(path, context.state));
  return Report(context, response, {"Logged out."});
}

absl::Status Sessions(CommandContext& context, const std::string& filter, int limit) {
  std::vector<std::vector<std::string>> rows = {
      {"SESSION", "DEVICE", "USER", "FLOW", "STATE", "STARTED", "END"}};
  v1::ListSessionsRequest request;
  request.set_filter(filter);
  v1::ListSessionsResponse all;
  FAIRLEAD_RETURN_IF_ERROR(CallPages<v1::ListSessionsResponse>(
      context, "SessionService.ListSessions", request, limit,
      [&](const v1::ListSessionsResponse& page) {
        all.mutable_sessions()->MergeFrom(page.sessions());
        for (const v1::Session& session : page.sessions()) {
          rows.push_back(
              {LastPart(session.name()), LastPart(session.device()), LastPart(session.user()),
               v1::Session::Flow_Name(session.flow()), v1::Session::State_Name(session.state()),
               session.timeline().empty() ? "-" : LocalTime(session.timeline(0).time()),
               session.has_end() ? v1::SessionEnd::Cause_Name(session.end().cause()) : "-"});
        }
        return page.sessions_size();
      }));
  return Print(context, all, rows);
}

absl::Status Terminate(CommandContext& context, const std::string& session,
                       const std::string& reason) {
  v1::TerminateSessionRequest request;
  request.set_name(ResourceName("sessions", session));
  request.set_reason(reason);
  v1::Session ended;
  FAIRLEAD_RETURN_IF_ERROR(Call(context, "SessionService.TerminateSession", request, &ended));
  return Report(context, ended, {absl::StrCat(ended.name(), " has ended.")});
}

absl::Status CreateKey(CommandContext& context, const v1::FirstAuthenticationKey& key) {
  v1::CreateFirstAuthenticationKeyRequest request;
  *request.mutable_first_authentication_key() = key;
  v1::FirstAuthenticationKey created;
  FAIRLEAD_RETURN_IF_ERROR(
      Call(context, "EnrollmentService.CreateFirstAuthenticationKey", request, &created));
  return Report(context, created,
                {absl::StrCat("Created ", created.name(),
                              ". The key is shown only now; give it to the device:"),
                 created.key()});
}

absl::Status ListKeys(CommandContext& context) {
  std::vector<std::vector<std::string>> rows = {
      {"KEY", "TYPE", "NAME", "STATE", "USED", "DEVICES", "CREATED"}};
  v1::ListFirstAuthenticationKeysResponse all;
  FAIRLEAD_RETURN_IF_ERROR(CallPages<v1::ListFirstAuthenticationKeysResponse>(
      context, "EnrollmentService.ListFirstAuthenticationKeys",
      v1::ListFirstAuthenticationKeysRequest(), 100'000,
      [&](const v1::ListFirstAuthenticationKeysResponse& page) {
        all.mutable_first_authentication_keys()->MergeFrom(page.first_authentication_keys());
        for (const v1::FirstAuthenticationKey& key : page.first_authentication_keys()) {
          rows.push_back({LastPart(key.name()), v1::FirstAuthenticationKey::Type_Name(key.type()),
                          key.display_name(), key.disabled() ? "disabled" : "enabled",
                          absl::StrCat(key.use_count()), absl::StrJoin(key.unit_ids(), " "),
                          LocalTime(key.create_time())});
        }
        return page.first_authentication_keys_size();
      }));
  return Print(context, all, rows);
}

absl::Status DisableKey(CommandContext& context, const std::string& name) {
  v1::DisableFirstAuthenticationKeyRequest request;
  request.set_name(ResourceName("firstAuthenticationKeys", name));
  v1::FirstAuthenticationKey key;
  FAIRLEAD_RETURN_IF_ERROR(
      Call(context, "EnrollmentService.DisableFirstAuthenticationKey", request, &key));
  return Report(context, key, {absl::StrCat(key.name(), " is disabled.")});
}

absl::Status DeleteKey(CommandContext& context, const std::string& name) {
  v1::DeleteFirstAuthenticationKeyRequest request;
  request.set_name(ResourceName("firstAuthenticationKeys", name));
  v1::DeleteFirstAuthenticationKeyResponse response;
  FAIRLEAD_RETURN_IF_ERROR(
      Call(context, "EnrollmentService.DeleteFirstAuthenticationKey", request, &response));
  return Report(context, response, {absl::StrCat(request.name(), " is deleted.")});
}

absl::Status Audit(CommandContext& context, const std::string& filter, int limit) {
  std::vector<std::vector<std::string>> rows = {
      {"NO", "TIME", "ACTOR", "ACTION", "RESOURCE", "OUTCOME", "FROM", "DETAIL"}};
  v1::ListAuditEventsRequest request;
  request.set_filter(filter);
  v1::ListAuditEventsResponse all;
  FAIRLEAD_RETURN_IF_ERROR(CallPages<v1::ListAuditEventsResponse>(
      context, "AuditService.ListAuditEvents", request, limit,
      [&](const v1::ListAuditEventsResponse& page) {
        all.mutable_audit_events()->MergeFrom(page.audit_events());
        for (const v1::AuditEvent& event : page.audit_events()) {
          rows.push_back({LastPart(event.name()), LocalTime(event.time()), event.actor(),
                          event.action(), event.resource(),
                          v1::AuditEvent::Outcome_Name(event.outcome()), event.peer_address(),
                          event.detail()});
        }
        return page.audit_events_size();
      }));
  return Print(context, all, rows);
}

}  // namespace fairlead::console
