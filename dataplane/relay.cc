// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// See relay.h: the table of sessions and tickets. What a session does is in relay_session.cc.
#include "dataplane/relay.h"

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "dataplane/io_threads.h"
#include "dataplane/relay_session.h"

namespace fairlead::dataplane {

Relay::Relay(IoThreads& threads, RelayObserver& observer, const Clock& clock, RelayOptions options)
    : Relay([&threads](absl::string_view session_id) { return threads.ExecutorFor(session_id); },
            observer, clock, std::move(options)) {}

Relay::Relay(SessionExecutor executor_of, RelayObserver& observer, const Clock& clock,
             RelayOptions options)
    : executor_of_(std::move(executor_of)),
      shared_(std::make_shared<RelayShared>(observer, clock, std::move(options))) {}

Relay::~Relay() {
  // Sessions and what they share keep each other alive.
  absl::flat_hash_map<std::string, std::shared_ptr<RelaySession>> sessions;
  absl::flat_hash_set<std::shared_ptr<RelaySession>> closing;
  absl::MutexLock lock(&shared_->mutex);
  sessions.swap(shared_->sessions);
  closing.swap(shared_->closing);
}

absl::Status Relay::Register(SessionSpec spec) {
  if (spec.session_id.empty()) {
    return absl::InvalidArgumentError("a session without an identifier cannot be registered");
  }
  if (spec.pairing_timeout <= absl::ZeroDuration()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "session ", spec.session_id, ": the pairing timeout must be positive, for example 30s"));
  }
  const std::string id = spec.session_id;
  auto session = std::make_shared<RelaySession>(shared_, std::move(spec), executor_of_(id));
  {
    absl::MutexLock lock(&shared_->mutex);
    if (shared_->sessions.contains(id)) {
      return absl::AlreadyExistsError(absl::StrCat("session ", id, " is registered already"));
    }
    if (shared_->sessions.size() >= shared_->options.max_sessions) {
      return absl::ResourceExhaustedError(
          absl::StrCat("session ", id, ": all ", shared_->options.max_sessions,
                       " sessions of this edge are in use; try again later"));
    }
    const absl::Duration now = shared_->clock.Monotonic();
    const absl::Status added = shared_->tickets.Add(session->spec(), now);
    if (!added.ok()) return added;
    shared_->sessions.emplace(id, session);
    // Under the lock: whoever ends the session finds it only afterwards.
    shared_->observer.OnRegistered(id);
  }
  ++shared_->sessions_registered;
  session->PostStart();
  return absl::OkStatus();
}

std::shared_ptr<RelaySession> Relay::Find(absl::string_view session_id) const {
  absl::MutexLock lock(&shared_->mutex);
  const auto found = shared_->sessions.find(session_id);
  return found == shared_->sessions.end() ? nullptr : found->second;
}

void Relay::End(absl::string_view session_id, CloseReason reason) {
  const std::shared_ptr<RelaySession> session = Find(session_id);
  if (session != nullptr) session->PostEnd(std::move(reason));
}

void Relay::FailLeg(absl::string_view session_id, Side side, CloseReason reason) {
  const std::shared_ptr<RelaySession> session = Find(session_id);
  if (session != nullptr) session->PostFailed(side, std::move(reason));
}

bool Relay::Knows(absl::string_view session_id) const { return Find(session_id) != nullptr; }

void Relay::EndAll(CloseReason reason) {
  std::vector<std::shared_ptr<RelaySession>> sessions;
  {
    absl::MutexLock lock(&shared_->mutex);
    for (const auto& [id, session] : shared_->sessions) sessions.push_back(session);
  }
  for (const auto& session : sessions) session->PostEnd(reason);
}

Claim Relay::ClaimTicket(absl::string_view ticket, Side side, absl::string_view unit_id,
                         const PeerInfo& peer) {
  Claim claim;
  claim.side = side;
  {
    absl::MutexLock lock(&shared_->mutex);
    TicketVerdict verdict =
        shared_->tickets.Claim(ticket, side, unit_id, shared_->clock.Monotonic());
    claim.granted = verdict.granted;
    claim.refusal = std::move(verdict.refusal);
    claim.session_id = std::move(verdict.session_id);
    // A ticket is known only while its session is.
    if (claim.granted) claim.session = shared_->sessions.at(claim.session_id);
  }
  if (claim.granted) {
    claim.executor = claim.session->executor();
    claim.session->PostClaimed(side);
    return claim;
  }
  // Any thread will do; those who guess are spread over all.
  claim.executor = executor_of_(ticket);
  ++shared_->refused;
  shared_->observer.OnRefused(claim.session_id, side, peer, claim.refusal);
  return claim;
}

net::awaitable<void> Relay::Serve(Claim claim, std::unique_ptr<TunnelLeg> leg) {
  if (claim.session == nullptr) {
    co_await CloseTunnelLeg(std::move(leg), claim.refusal);
    co_return;
  }
  co_await claim.session->Serve(claim.side, std::move(leg));
}

void Relay::Abandon(const Claim& claim) {
  if (claim.session != nullptr) claim.session->PostAbandoned(claim.side);
}

RelayCounters Relay::counters() const {
  RelayCounters counters;
  counters.sessions_registered = shared_->sessions_registered;
  counters.legs_now = shared_->legs_now;
  counters.bytes_to_console = shared_->bytes_to_console;
  counters.bytes_to_device = shared_->bytes_to_device;
  counters.refused = shared_->refused;
  absl::MutexLock lock(&shared_->mutex);
  counters.sessions_now = shared_->sessions.size();
  return counters;
}

}  // namespace fairlead::dataplane
