// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// See command_support.h.
#include "console/command_support.h"

#include <google/protobuf/util/json_util.h>

#include <cstdio>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "base/plain_text.h"
#include "base/status.h"
#include "console/table.h"

namespace fairlead::console {

using google::protobuf::Message;

ServerAddress ServerOf(const CommandContext& context) {
  ServerAddress server;
  server.url = context.state.server;
  server.trust.ca_pem = context.state.ca_pem;
  server.trust.sha256_fingerprint = context.state.fingerprint;
  server.proxy = context.proxy;
  return server;
}

absl::Status Call(CommandContext& context, absl::string_view method, const Message& request,
                  Message* response) {
  const absl::Status status = context.api.Call(absl::StrCat("fairlead.v1.", method),
                                               context.state.token, request, response);
  if (absl::IsUnauthenticated(status) && !context.state.token.empty()) {
    return absl::UnauthenticatedError(
        absl::StrCat(status.message(), " (run the login command again)"));
  }
  return status;
}

std::string LocalTime(const google::protobuf::Timestamp& time) {
  if (time.seconds() == 0) return "never";
  return absl::FormatTime("%Y-%m-%d %H:%M:%S", absl::FromUnixSeconds(time.seconds()),
                          absl::LocalTimeZone());
}

std::string ResourceName(const std::string& collection, const std::string& name) {
  return absl::StartsWith(name, collection + "/") ? name : absl::StrCat(collection, "/", name);
}

std::string LastPart(const std::string& name) { return name.substr(name.rfind('/') + 1); }

absl::StatusOr<std::string> ToJson(const Message& message) {
  google::protobuf::util::JsonPrintOptions options;
  options.add_whitespace = true;
  options.always_print_primitive_fields = true;
  std::string json;
  const auto status = google::protobuf::util::MessageToJsonString(message, &json, options);
  if (!status.ok()) return absl::InternalError(std::string(status.message()));
  return json;
}

absl::Status Print(const CommandContext& context, const Message& message,
                   const std::vector<std::vector<std::string>>& rows) {
  std::string text;
  if (context.output == OutputFormat::kJson) {
    FAIRLEAD_ASSIGN_OR_RETURN(text, ToJson(message));
  } else {
    text = FormatTable(rows);
  }
  std::fputs(text.c_str(), stdout);
  return absl::OkStatus();
}

absl::Status Report(const CommandContext& context, const Message& message,
                    const std::vector<std::string>& lines) {
  if (context.output == OutputFormat::kJson) return Print(context, message, {});
  for (const std::string& line : lines) std::printf("%s\n", PlainText(line).c_str());
  return absl::OkStatus();
}

}  // namespace fairlead::console
