// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// See device_prober.h.
#include "control/device_prober.h"

#include <algorithm>
#include <utility>

#include "base/log.h"

namespace fairlead::control {
namespace {

// At the start so few are probed at once that nobody need wait for an interval to pass.
constexpr std::size_t kAtOnceAtStart = 100;
// After a change: 1, 2, 4 and 8 s after a failure.
constexpr int kRetries = 4;
constexpr absl::Duration kLongestRetry = absl::Seconds(8);

}  // namespace

DeviceProber::DeviceProber(Executor& serial, DeviceDirectory& directory, EdgeSender& edges,
                           std::function<void(const std::string&)> on_changed,
                           DeviceProberOptions options)
    : serial_(serial),
      directory_(directory),
      edges_(edges),
      on_changed_(std::move(on_changed)),
      options_(options),
      slots_(std::max<std::int64_t>(1, options.interval / options.step)) {}

void DeviceProber::Start() {
  std::size_t count = 0;
  for (const std::string& unit_id : directory_.Dialable()) {
    Target& target = Add(unit_id);
    if (count++ < kAtOnceAtStart) Enqueue(unit_id, target, due_);
  }
  Pump();
}

DeviceProber::Target& DeviceProber::Add(const std::string& unit_id) {
  const auto [found, added] = targets_.try_emplace(unit_id);
  if (!added) return found->second;
  found->second.slot = next_slot_;
  slots_[next_slot_].insert(unit_id);
  next_slot_ = (next_slot_ + 1) % slots_.size();
  if (!stepping_) {
    stepping_ = true;
    serial_.PostAfter(options_.step, [this]() { Step(); });
  }
  return found->second;
}

void DeviceProber::Update(absl::string_view unit_id) {
  const absl::optional<std::string> address = directory_.DialAddress(unit_id);
  if (!address.has_value()) {
    const auto found = targets_.find(unit_id);
    if (found != targets_.end()) Forget(found);
    if (directory_.OnNotDialable(unit_id)) on_changed_(std::string(unit_id));
    return;
  }
  const std::string name(unit_id);
  Target& target = Add(name);
  // What is under way may ask for another address, or from before the change.
  Land(target);
  target.waiting = false;
  serial_.Cancel(std::exchange(target.retry_timer, 0));
  target.retries = kRetries;
  Enqueue(name, target, urgent_);
  Pump();
}

void DeviceProber::Forget(Targets::iterator target) {
  Land(target->second);
  serial_.Cancel(target->second.retry_timer);
  slots_[target->second.slot].erase(target->first);
  targets_.erase(target);
}

void DeviceProber::Land(Target& target) {
  const auto flight = flights_.find(std::exchange(target.probe_id, 0));
  if (flight == flights_.end()) return;
  serial_.Cancel(flight->second.timer);
  flights_.erase(flight);
}

void DeviceProber::RetrySoon(const std::string& unit_id, Target& target) {
  if (target.retries == 0) return;
  const absl::Duration wait = kLongestRetry / (1 << --target.retries);
  serial_.Cancel(target.retry_timer);
  target.retry_timer = serial_.PostAfter(wait, [this, unit_id]() {
    const auto found = targets_.find(unit_id);
    if (found == targets_.end()) return;
    Enqueue(unit_id, found->second, urgent_);
    Pump();
  });
}

void DeviceProber::Enqueue(const std::string& unit_id, Target& target,
                           std::deque<std::string>& queue) {
  if (target.waiting || target.probe_id != 0) return;
  target.waiting = true;
  queue.push_back(unit_id);
}

void DeviceProber::Pump() {
  while (linked_ && flights_.size() < options_.max_under_way) {
    std::deque<std::string>& queue = urgent_.empty() ? due_ : urgent_;
    if (queue.empty()) return;
    const std::string unit_id = queue.front();
    const auto found = targets_.find(unit_id);
    if (found != targets_.end() && found->second.waiting) {
      const absl::optional<std::string> address = directory_.DialAddress(unit_id);
      if (address.has_value() && !Send(unit_id, found->second, *address)) return;
      found->second.waiting = false;
    }
    queue.pop_front();
  }
}

bool DeviceProber::Send(const std::string& unit_id, Target& target, const std::string& address) {
  const std::uint64_t probe_id = ++last_probe_id_;
  v1::EdgeCommand command;
  command.mutable_probe_device()->set_unit_id(unit_id);
  command.mutable_probe_device()->set_address(address);
  command.mutable_probe_device()->set_probe_id(probe_id);
  if (!edges_.SendTo(kLocalEdge, command)) return false;
  target.probe_id = probe_id;
  const TimerId timer = serial_.PostAfter(options_.timeout, [this, probe_id]() {
    Finish(probe_id, absl::DeadlineExceededError("the device did not answer in time"));
  });
  flights_.emplace(probe_id, Flight{unit_id, address, timer});
  return true;
}

void DeviceProber::Step() {
  if (targets_.empty()) {
    stepping_ = false;
    return;
  }
  serial_.PostAfter(options_.step, [this]() { Step(); });
  present_slot_ = (present_slot_ + 1) % slots_.size();
  for (const std::string& unit_id : slots_[present_slot_]) {
    Enqueue(unit_id, targets_.find(unit_id)->second, due_);
  }
  Pump();
}

void DeviceProber::OnResult(const v1::ProbeResult& result) {
  const auto found = flights_.find(result.probe_id());
  if (found == flights_.end() || found->second.unit_id != result.unit_id()) return;
  Finish(result.probe_id(),
         result.reachable()
             ? absl::OkStatus()
             : absl::UnavailableError(result.error().empty() ? "it could not be reached"
                                                             : result.error()));
}

void DeviceProber::Finish(std::uint64_t probe_id, const absl::Status& result) {
  const auto found = flights_.find(probe_id);
  if (found == flights_.end()) return;
  const Flight flight = std::move(found->second);
  Target& target = targets_.find(flight.unit_id)->second;
  Land(target);
  if (result.ok()) {
    target.retries = 0;
  } else {
    RetrySoon(flight.unit_id, target);
  }
  if (directory_.OnProbed(flight.unit_id, flight.address, result)) {
    spdlog::info("device {} at {}: {}", Printable(flight.unit_id), Printable(flight.address),
                 result.ok() ? "can be reached" : Printable(result.message()));
    on_changed_(flight.unit_id);
  }
  Pump();
}

void DeviceProber::OnEdgeUp() {
  linked_ = true;
  Pump();
}

void DeviceProber::OnEdgeDown() {
  linked_ = false;
  // What was asked says nothing about the devices.
  for (auto& [unit_id, target] : targets_) {
    if (target.probe_id == 0) continue;
    Land(target);
    Enqueue(unit_id, target, due_);
  }
}

}  // namespace fairlead::control
