// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// What the console's commands share: calls with the saved token, pages, and printing for people or
// programs.
#ifndef FAIRLEAD_CONSOLE_COMMAND_SUPPORT_H_
#define FAIRLEAD_CONSOLE_COMMAND_SUPPORT_H_

#include <google/protobuf/message.h>
#include <google/protobuf/timestamp.pb.h>

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "console/api_client.h"
#include "console/saved_state.h"

namespace fairlead::console {

enum class OutputFormat { kTable, kJson };

// What every command works with.
struct CommandContext {
  ApiClient& api;
  SavedState state;
  OutputFormat output = OutputFormat::kTable;
  // "http://host:port" for every connection; empty for none.
  std::string proxy = {};
};

// The server that the context's state names.
ServerAddress ServerOf(const CommandContext& context);

// Calls "DeviceService.GetDevice" and the like with the saved token.
absl::Status Call(CommandContext& context, absl::string_view method,
                  const google::protobuf::Message& request, google::protobuf::Message* response);

// In the local time zone; "never" for an absent time.
std::string LocalTime(const google::protobuf::Timestamp& time);

// "devices/x" for "x" and for "devices/x".
std::string ResourceName(const std::string& collection, const std::string& name);

// "x" for "devices/x".
std::string LastPart(const std::string& name);

// Prints the message for a program, or `rows`, the first one the headings, for a person.
absl::Status Print(const CommandContext& context, const google::protobuf::Message& message,
                   const std::vector<std::vector<std::string>>& rows);

// Prints the message for a program, or `lines`, made plain, for a person.
absl::Status Report(const CommandContext& context, const google::protobuf::Message& message,
                    const std::vector<std::string>& lines);

// The message as indented JSON, plain fields also at their default.
// Errors: INTERNAL it has no JSON form.
absl::StatusOr<std::string> ToJson(const google::protobuf::Message& message);

// Calls a listing method page by page until `limit` entries are there. `append` gives how many a
// page held.
template <typename Response, typename Request>
absl::Status CallPages(CommandContext& context, absl::string_view method, Request request,
                       int limit, const std::function<int(const Response&)>& append) {
  int count = 0;
  do {
    request.set_page_size(std::min(limit - count, 1000));
    Response page;
    const absl::Status status = Call(context, method, request, &page);
    if (!status.ok()) return status;
    count += append(page);
    request.set_page_token(page.next_page_token());
  } while (!request.page_token().empty() && count < limit);
  return absl::OkStatus();
}

}  // namespace fairlead::console

#endif  // FAIRLEAD_CONSOLE_COMMAND_SUPPORT_H_
