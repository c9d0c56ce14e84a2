// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// What a tunnel's handshake says: its ticket, its subprotocol and its origin. Sans-I/O; used by the
// tunnel routes.
#ifndef FAIRLEAD_GATEWAY_TICKET_REQUEST_H_
#define FAIRLEAD_GATEWAY_TICKET_REQUEST_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "dataplane/http.h"

namespace fairlead::gateway {

inline constexpr char kTerminalSubprotocol[] = "fairlead.terminal.v1";

// Characters of a ticket: 256 bits, base64url without padding.
inline constexpr std::size_t kTicketLength = 43;

// The ticket of a handshake: from "Authorization: Bearer", else from the offered subprotocol
// "fairlead.ticket.<ticket>". Empty if there is none; not checked in any way.
std::string TicketOf(const dataplane::HttpHeaders& headers,
                     const std::vector<std::string>& offered_subprotocols);

// Whether `ticket` could be one: 43 characters of base64url.
bool LooksLikeTicket(absl::string_view ticket);

// Whether a browser at `origin` may connect to `host` (the Host field): only from the same place,
// or from one of `allowed_origins`. An absent origin (no browser) is fine.
bool OriginAllowed(absl::string_view origin, absl::string_view host,
                   const std::vector<std::string>& allowed_origins);

}  // namespace fairlead::gateway

#endif  // FAIRLEAD_GATEWAY_TICKET_REQUEST_H_
