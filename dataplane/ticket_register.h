// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// The tickets of expected sessions: which hash opens which side of which session, once, until when
// and for whom. Free of I/O; time is passed in. Used by the relay, which guards it with a mutex.
#ifndef FAIRLEAD_DATAPLANE_TICKET_REGISTER_H_
#define FAIRLEAD_DATAPLANE_TICKET_REGISTER_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "dataplane/relay_types.h"

namespace fairlead::dataplane {

// SHA-256 of a ticket as the register knows it, 32 bytes.
std::string HashTicket(absl::string_view ticket);

// The answer to a ticket.
struct TicketVerdict {
  bool granted = false;
  // Whose ticket it is, also if it was refused; empty if nobody's.
  std::string session_id;
  // Unless granted: the close code and one sentence.
  CloseReason refusal;
};

// Thread: not safe; the owner serialises. Times are of one monotonic clock.
class TicketRegister {
 public:
  // Both tickets of `spec` are good from now on, for its pairing_timeout.
  // Errors: INVALID_ARGUMENT a hash is not 32 bytes long, or both are the same; ALREADY_EXISTS a
  // ticket is registered already.
  absl::Status Add(const SessionSpec& spec, absl::Duration now);

  // Consumes `ticket` if it is good for `side` and `unit_id`. A refusal consumes nothing, so that
  // a ticket shown by the wrong party does not lock out the right one.
  TicketVerdict Claim(absl::string_view ticket, Side side, absl::string_view unit_id,
                      absl::Duration now);

  // Forgets the tickets of `spec`, used or not.
  void Remove(const SessionSpec& spec);

  // Tickets that are known, used ones included.
  std::size_t size() const { return entries_.size(); }

 private:
  struct Entry {
    std::string hash;
    std::string session_id;
    Side side = Side::kConsole;
    std::string unit_id;
    absl::Duration good_until;
    bool used = false;
  };

  void Insert(const SessionSpec& spec, Side side, absl::Duration now);

  // Keyed by the first bytes of the hash; the rest is compared in constant time.
  absl::flat_hash_map<std::uint64_t, Entry> entries_;
};

}  // namespace fairlead::dataplane

#endif  // FAIRLEAD_DATAPLANE_TICKET_REGISTER_H_
