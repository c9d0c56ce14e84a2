// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// See ticket_register.h.
#include "dataplane/ticket_register.h"

#include <openssl/mem.h>
#include <openssl/sha.h>

#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "dataplane/close_reason.h"

namespace fairlead::dataplane {
namespace {

constexpr std::size_t kHashBytes = SHA256_DIGEST_LENGTH;

// Longer texts cannot be tickets and are not worth a hash.
constexpr std::size_t kMaxTicketBytes = 256;

const std::string& HashOf(const SessionSpec& spec, Side side) {
  return side == Side::kConsole ? spec.console_ticket_sha256 : spec.device_ticket_sha256;
}

std::uint64_t KeyOf(const std::string& hash) {
  std::uint64_t key = 0;
  std::memcpy(&key, hash.data(), sizeof(key));
  return key;
}

CloseReason Unknown() {
  return MakeCloseReason(
      kCloseBadTicket, "this ticket is not known here: it may have expired; ask for a new session");
}

}  // namespace

std::string HashTicket(absl::string_view ticket) {
  std::string hash(kHashBytes, '\0');
  SHA256(reinterpret_cast<const std::uint8_t*>(ticket.data()), ticket.size(),
         reinterpret_cast<std::uint8_t*>(&hash[0]));
  return hash;
}

absl::Status TicketRegister::Add(const SessionSpec& spec, absl::Duration now) {
  for (const Side side : kSides) {
    const std::string& hash = HashOf(spec, side);
    if (hash.size() != kHashBytes) {
      return absl::InvalidArgumentError(
          absl::StrCat("session ", spec.session_id, ": the hash of the ", NameOf(side),
                       "'s ticket has ", hash.size(), " bytes; SHA-256 has ", kHashBytes));
    }
    if (entries_.contains(KeyOf(hash))) {
      return absl::AlreadyExistsError(absl::StrCat("session ", spec.session_id, ": the ticket of ",
                                                   "the ", NameOf(side),
                                                   " is registered already; draw a new one"));
    }
  }
  if (KeyOf(spec.console_ticket_sha256) == KeyOf(spec.device_ticket_sha256)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "session ", spec.session_id, ": both sides have the same ticket; each ", "needs its own"));
  }
  for (const Side side : kSides) Insert(spec, side, now);
  return absl::OkStatus();
}

void TicketRegister::Insert(const SessionSpec& spec, Side side, absl::Duration now) {
  Entry entry;
  entry.hash = HashOf(spec, side);
  entry.session_id = spec.session_id;
  entry.side = side;
  if (side == Side::kDevice) entry.unit_id = spec.unit_id;
  entry.good_until = now + spec.pairing_timeout;
  const std::uint64_t key = KeyOf(entry.hash);
  entries_.emplace(key, std::move(entry));
}

TicketVerdict TicketRegister::Claim(absl::string_view ticket, Side side, absl::string_view unit_id,
                                    absl::Duration now) {
  TicketVerdict verdict;
  verdict.refusal = Unknown();
  if (ticket.size() > kMaxTicketBytes) return verdict;
  const std::string hash = HashTicket(ticket);
  const auto found = entries_.find(KeyOf(hash));
  if (found == entries_.end()) return verdict;
  Entry& entry = found->second;
  if (CRYPTO_memcmp(entry.hash.data(), hash.data(), kHashBytes) != 0) return verdict;

  verdict.session_id = entry.session_id;
  if (entry.side != side) {
    verdict.refusal = MakeCloseReason(
        kCloseBadTicket, absl::StrCat("this ticket is for the ", NameOf(entry.side),
                                      "'s side of the session, not for the ", NameOf(side), "'s"));
  } else if (entry.used) {
    verdict.refusal =
        MakeCloseReason(kCloseBadTicket, "this ticket was already used; ask for a new session");
  } else if (now >= entry.good_until) {
    verdict.refusal =
        MakeCloseReason(kCloseBadTicket, "this ticket has expired; ask for a new session");
  } else if (!entry.unit_id.empty() && entry.unit_id != unit_id) {
    verdict.refusal = MakeCloseReason(
        kCloseDenied, "this ticket is for another device than your certificate names");
  } else {
    entry.used = true;
    verdict.granted = true;
    verdict.refusal = CloseReason();
  }
  return verdict;
}

void TicketRegister::Remove(const SessionSpec& spec) {
  for (const Side side : kSides) {
    const std::string& hash = HashOf(spec, side);
    if (hash.size() != kHashBytes) continue;
    const auto found = entries_.find(KeyOf(hash));
    if (found != entries_.end() && found->second.session_id == spec.session_id) {
      entries_.erase(found);
    }
  }
}

}  // namespace fairlead::dataplane
