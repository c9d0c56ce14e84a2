// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// See device_directory.h. Presence is in device_presence.cc.
#include "control/device_directory.h"

#include <algorithm>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "base/plain_text.h"
#include "base/status.h"
#include "base/utf8.h"
#include "control/proto_time.h"

namespace fairlead::control {
namespace {

constexpr std::size_t kMaxProfileCharacters = 128;

absl::Status NoSuchDevice(absl::string_view unit_id) {
  return absl::NotFoundError(absl::StrCat("no device has the unit ID \"",
                                          absl::CHexEscape(unit_id.substr(0, 64)),
                                          "\"; list the devices to see those there are"));
}

// What a newly loaded, created or enrolled device lacks.
void Complete(v1::Device& device) {
  device.set_name(absl::StrCat("devices/", device.unit_id()));
  FillDefaults(*device.mutable_terminal());
}

absl::Status CheckLimit(const google::protobuf::Duration& value, absl::Duration most,
                        absl::string_view field) {
  const absl::Duration limit = FromDuration(value);
  if (limit == absl::ZeroDuration() || (limit >= absl::Minutes(1) && limit <= most)) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(
      absl::StrCat("terminal_settings.", field, ": ", absl::FormatDuration(limit),
                   " is out of range; use 0 for never, or 1m to ", absl::FormatDuration(most)));
}

absl::Status CheckProfile(absl::string_view profile) {
  if (CountCharacters(profile) > kMaxProfileCharacters) {
    return absl::InvalidArgumentError(
        absl::StrCat("terminal_settings.default_profile: longer than ", kMaxProfileCharacters,
                     " characters; no profile is called that"));
  }
  if (IsPlainText(profile)) return absl::OkStatus();
  return absl::InvalidArgumentError(
      "terminal_settings.default_profile: has control or invisible characters; no profile is "
      "called that");
}

}  // namespace

void MarkOffline(v1::Device& device) {
  device.mutable_connection()->Clear();
  device.mutable_connection()->set_state(v1::Connection::OFFLINE);
}

void FillDefaults(v1::TerminalSettings& settings) {
  if (!settings.has_enabled()) settings.set_enabled(true);
  if (!settings.has_max_sessions()) settings.set_max_sessions(16);
  if (!settings.has_default_profile()) settings.set_default_profile("");
  settings.mutable_idle_timeout();
  settings.mutable_max_lifetime();
}

absl::Status MergeSettings(const v1::TerminalSettings& change, v1::TerminalSettings& settings) {
  if (change.has_max_sessions() && (change.max_sessions() < 1 || change.max_sessions() > 100)) {
    return absl::InvalidArgumentError(
        absl::StrCat("terminal_settings.max_sessions: ", change.max_sessions(),
                     " is out of range; use 1 to 100"));
  }
  FAIRLEAD_RETURN_IF_ERROR(CheckProfile(change.default_profile()));
  FAIRLEAD_RETURN_IF_ERROR(CheckLimit(change.idle_timeout(), absl::Hours(7 * 24), "idle_timeout"));
  FAIRLEAD_RETURN_IF_ERROR(CheckLimit(change.max_lifetime(), absl::Hours(30 * 24), "max_lifetime"));
  settings.MergeFrom(change);
  // Merging keeps the old nanoseconds when the new ones are 0.
  if (change.has_idle_timeout()) *settings.mutable_idle_timeout() = change.idle_timeout();
  if (change.has_max_lifetime()) *settings.mutable_max_lifetime() = change.max_lifetime();
  return absl::OkStatus();
}

std::string DeviceLabel(const v1::Device& device) {
  if (device.display_name().empty() || device.display_name() == device.unit_id()) {
    return absl::StrCat("device ", device.unit_id());
  }
  return absl::StrCat("device ", device.unit_id(), " (", device.display_name(), ")");
}

absl::Status DeviceDirectory::Load() {
  FAIRLEAD_ASSIGN_OR_RETURN(std::vector<v1::Device> devices, store_.AllDevices());
  absl::MutexLock lock(&mutex_);
  for (v1::Device& device : devices) {
    Complete(device);
    MarkOffline(device);
    if (device.has_last_seen_time()) {
      *device.mutable_connection()->mutable_since_time() = device.last_seen_time();
    }
    const std::string unit_id = device.unit_id();
    entries_[unit_id].device = std::move(device);
  }
  return absl::OkStatus();
}

absl::StatusOr<v1::Device> DeviceDirectory::Get(absl::string_view unit_id) const {
  absl::MutexLock lock(&mutex_);
  const auto found = entries_.find(unit_id);
  if (found == entries_.end()) return NoSuchDevice(unit_id);
  return found->second.device;
}

absl::StatusOr<std::vector<v1::Device>> DeviceDirectory::List(const DeviceFilter& filter,
                                                              const Page& page,
                                                              std::string* next_token) const {
  FAIRLEAD_ASSIGN_OR_RETURN(const std::string after, ParsePageToken(page.token, "devices"));
  next_token->clear();
  absl::MutexLock lock(&mutex_);
  std::vector<v1::Device> devices;
  for (auto it = entries_.upper_bound(after); it != entries_.end(); ++it) {
    if (!filter.Matches(it->second.device)) continue;
    if (devices.size() == static_cast<std::size_t>(page.size)) {
      *next_token = PageTokenAfter(devices.back().name());
      break;
    }
    devices.push_back(it->second.device);
  }
  return devices;
}

absl::StatusOr<v1::Device> DeviceDirectory::Create(v1::Device device, Also also) {
  Complete(device);
  MarkOffline(device);
  *device.mutable_create_time() = ToTimestamp(clock_.Now());
  absl::MutexLock write_lock(&write_mutex_);
  if (Get(device.unit_id()).ok()) {
    return absl::AlreadyExistsError(
        absl::StrCat("a device with the unit ID ", device.unit_id(), " exists already"));
  }
  FAIRLEAD_RETURN_IF_ERROR(Write(device, also));
  absl::MutexLock lock(&mutex_);
  entries_[device.unit_id()].device = device;
  Notify(nullptr, &device);
  return device;
}

absl::StatusOr<v1::Device> DeviceDirectory::Change(
    absl::string_view unit_id, absl::FunctionRef<absl::Status(v1::Device&)> change, Also also) {
  absl::MutexLock write_lock(&write_mutex_);
  FAIRLEAD_ASSIGN_OR_RETURN(v1::Device device, Get(unit_id));
  FAIRLEAD_RETURN_IF_ERROR(change(device));
  FAIRLEAD_RETURN_IF_ERROR(Write(device, also));
  absl::MutexLock lock(&mutex_);
  const auto found = entries_.find(unit_id);
  if (found == entries_.end()) return NoSuchDevice(unit_id);
  // Presence may have changed meanwhile, so the change is made again on what is known now.
  const v1::Device before = found->second.device;
  FAIRLEAD_RETURN_IF_ERROR(change(found->second.device));
  if (found->second.device.address() != before.address()) {
    // What failed at the old address says nothing of the new one, which was not tried yet.
    found->second.device.mutable_connection()->clear_last_error();
  }
  Notify(&before, &found->second.device);
  return found->second.device;
}

absl::Status DeviceDirectory::Write(const v1::Device& device, Also also) {
  return store_.Transact([&]() -> absl::Status {
    FAIRLEAD_RETURN_IF_ERROR(store_.PutDevice(device));
    return also(device);
  });
}

absl::StatusOr<std::vector<std::string>> DeviceDirectory::Delete(absl::string_view unit_id,
                                                                 Also also) {
  absl::MutexLock write_lock(&write_mutex_);
  FAIRLEAD_ASSIGN_OR_RETURN(const v1::Device device, Get(unit_id));
  std::vector<std::string> fingerprints;
  FAIRLEAD_RETURN_IF_ERROR(store_.Transact([&]() -> absl::Status {
    FAIRLEAD_ASSIGN_OR_RETURN(const std::vector<CertificateRecord> certificates,
                              store_.CertificatesOf(unit_id));
    for (const CertificateRecord& certificate : certificates) {
      fingerprints.push_back(certificate.fingerprint);
    }
    FAIRLEAD_RETURN_IF_ERROR(store_.RevokeCertificatesOf(unit_id));
    FAIRLEAD_RETURN_IF_ERROR(store_.DeleteDevice(unit_id));
    return also(device);
  }));
  absl::MutexLock lock(&mutex_);
  const auto found = entries_.find(unit_id);
  if (found != entries_.end()) {
    Notify(&found->second.device, nullptr);
    if (found->second.route.has_value()) SetRoute(found->second, absl::nullopt);
    entries_.erase(found);
  }
  return fingerprints;
}

absl::Status DeviceDirectory::Save(absl::string_view unit_id) {
  absl::MutexLock write_lock(&write_mutex_);
  const absl::StatusOr<v1::Device> device = Get(unit_id);
  if (!device.ok()) return absl::OkStatus();
  return store_.PutDevice(*device);
}

absl::Status DeviceDirectory::Enroll(
    absl::FunctionRef<absl::StatusOr<absl::optional<v1::Device>>()> work) {
  absl::MutexLock write_lock(&write_mutex_);
  absl::optional<v1::Device> enrolled;
  FAIRLEAD_RETURN_IF_ERROR(store_.Transact([&]() -> absl::Status {
    FAIRLEAD_ASSIGN_OR_RETURN(enrolled, work());
    return absl::OkStatus();
  }));
  if (enrolled.has_value()) TakeEnrolled(*enrolled);
  return absl::OkStatus();
}

void DeviceDirectory::TakeEnrolled(const v1::Device& device) {
  absl::MutexLock lock(&mutex_);
  const auto [found, added] = entries_.try_emplace(device.unit_id());
  v1::Device& known = found->second.device;
  const v1::Device before = known;
  if (added) {
    known = device;
    Complete(known);
    MarkOffline(known);
  } else {
    *known.mutable_create_time() = device.create_time();
    *known.mutable_certificate_expire_time() = device.certificate_expire_time();
    if (known.display_name().empty() && device.has_display_name()) {
      known.set_display_name(device.display_name());
    }
  }
  Notify(added ? nullptr : &before, &known);
}

void DeviceDirectory::Watch(DeviceFilter filter, WatchStart start, DeviceWatcher* watcher) {
  absl::MutexLock lock(&mutex_);
  Selection selection{std::move(filter), absl::nullopt};
  v1::DeviceEvent event;
  event.set_type(v1::DeviceEvent::SNAPSHOT_COMPLETE);
  if (start == WatchStart::kSnapshot) {
    ShowAll(selection.filter, *watcher);
  } else {
    selection.count = CountMatches(selection.filter);
    event.set_device_count(*selection.count);
  }
  watcher->OnDeviceEvent(event);
  watchers_.emplace(watcher, std::move(selection));
}

void DeviceDirectory::Unwatch(DeviceWatcher* watcher) {
  absl::MutexLock lock(&mutex_);
  watchers_.erase(watcher);
}

void DeviceDirectory::ShowAll(const DeviceFilter& filter, DeviceWatcher& watcher) const {
  v1::DeviceEvent event;
  event.set_type(v1::DeviceEvent::UPDATED);
  for (const auto& [unit_id, entry] : entries_) {
    if (!filter.Matches(entry.device)) continue;
    *event.mutable_device() = entry.device;
    watcher.OnDeviceEvent(event);
  }
}

std::int32_t DeviceDirectory::CountMatches(const DeviceFilter& filter) const {
  return static_cast<std::int32_t>(
      std::count_if(entries_.begin(), entries_.end(),
                    [&filter](const auto& entry) { return filter.Matches(entry.second.device); }));
}

void DeviceDirectory::Notify(const v1::Device* before, const v1::Device* after) {
  for (auto& [watcher, selection] : watchers_) {
    const bool matched = before != nullptr && selection.filter.Matches(*before);
    const bool matches = after != nullptr && selection.filter.Matches(*after);
    if (!matched && !matches) continue;
    v1::DeviceEvent event;
    if (matches) {
      event.set_type(v1::DeviceEvent::UPDATED);
      *event.mutable_device() = *after;
    } else {
      event.set_type(v1::DeviceEvent::DELETED);
      event.mutable_device()->set_name(before->name());
    }
    if (selection.count.has_value()) {
      *selection.count += (matches ? 1 : 0) - (matched ? 1 : 0);
      event.set_device_count(*selection.count);
    }
    watcher->OnDeviceEvent(event);
  }
}

}  // namespace fairlead::control
