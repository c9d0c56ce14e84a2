// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
#include "gateway/ticket_request.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace fairlead::gateway {
namespace {

constexpr char kTicketSubprotocol[] = "fairlead.ticket.";

}  // namespace

std::string TicketOf(const dataplane::HttpHeaders& headers,
                     const std::vector<std::string>& offered_subprotocols) {
  absl::string_view authorization = dataplane::FindHeader(headers, "Authorization");
  if (absl::StartsWithIgnoreCase(authorization, "Bearer ")) {
    authorization.remove_prefix(7);
    return std::string(absl::StripAsciiWhitespace(authorization));
  }
  for (const std::string& offered : offered_subprotocols) {
    absl::string_view ticket = offered;
    if (absl::ConsumePrefix(&ticket, kTicketSubprotocol)) return std::string(ticket);
  }
  return "";
}

bool LooksLikeTicket(absl::string_view ticket) {
  return ticket.size() == kTicketLength &&
         std::all_of(ticket.begin(), ticket.end(), [](unsigned char c) {
           return absl::ascii_isalnum(c) || c == '-' || c == '_';
         });
}

bool OriginAllowed(absl::string_view origin, absl::string_view host,
                   const std::vector<std::string>& allowed_origins) {
  if (origin.empty()) return true;
  if (absl::EqualsIgnoreCase(origin, absl::StrCat("https://", host))) return true;
  return std::any_of(
      allowed_origins.begin(), allowed_origins.end(),
      [&](const std::string& allowed) { return absl::EqualsIgnoreCase(origin, allowed); });
}

}  // namespace fairlead::gateway
