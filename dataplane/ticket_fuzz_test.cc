// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Whatever is shown as a ticket: only the right one opens, once, and every refusal fits into a
// close frame.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "dataplane/ticket_register.h"

namespace {

using fairlead::dataplane::HashTicket;
using fairlead::dataplane::SessionSpec;
using fairlead::dataplane::Side;
using fairlead::dataplane::TicketRegister;
using fairlead::dataplane::TicketVerdict;

constexpr char kConsoleTicket[] = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
constexpr char kDeviceTicket[] = "BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB";
constexpr char kUnitId[] = "00E0C514325B";

void Require(bool holds) {
  if (!holds) std::abort();
}

void Try(TicketRegister& tickets, absl::string_view ticket, Side side, absl::string_view unit_id) {
  const bool right = side == Side::kConsole ? ticket == kConsoleTicket
                                            : ticket == kDeviceTicket && unit_id == kUnitId;
  const TicketVerdict first = tickets.Claim(ticket, side, unit_id, absl::Seconds(1));
  const TicketVerdict second = tickets.Claim(ticket, side, unit_id, absl::Seconds(1));
  Require(first.granted == right);
  Require(!second.granted);
  Require(!second.refusal.text.empty() && second.refusal.text.size() <= 123);
  Require(second.refusal.code == 4401 || second.refusal.code == 4403);
}

}  // namespace

// The first byte chooses the side, the rest up to the first NUL is the ticket, then the unit ID.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  TicketRegister tickets;
  SessionSpec spec;
  spec.session_id = "s";
  spec.console_ticket_sha256 = HashTicket(kConsoleTicket);
  spec.device_ticket_sha256 = HashTicket(kDeviceTicket);
  spec.unit_id = kUnitId;
  Require(tickets.Add(spec, absl::ZeroDuration()).ok());

  const absl::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  const size_t border = text.find('\0');
  const absl::string_view ticket = text.substr(0, border);
  const absl::string_view unit_id =
      border == absl::string_view::npos ? absl::string_view() : text.substr(border + 1);
  Try(tickets, ticket, data[0] % 2 == 0 ? Side::kConsole : Side::kDevice, unit_id);
  return 0;
}
