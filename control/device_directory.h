// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// All devices, in memory: what the store keeps of them, and whether they are connected now, which
// only the links say. Used by the device service, the coordinator and enrolment.
#ifndef FAIRLEAD_CONTROL_DEVICE_DIRECTORY_H_
#define FAIRLEAD_CONTROL_DEVICE_DIRECTORY_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "base/clock.h"
#include "control/filter.h"
#include "control/store.h"
#include "proto/device.pb.h"
#include "proto/edge.pb.h"

namespace fairlead::control {

// The name of the server's own edge. An ICG's is its resource name, "icgs/x".
inline constexpr char kLocalEdge[] = "";

// Which connection leads to a device.
struct DeviceRoute {
  std::string edge;
  std::uint64_t connection_id = 0;
};

// Follows the devices that a filter selects.
// Thread: called with the directory's lock held: must return at once and not call the directory.
class DeviceWatcher {
 public:
  virtual ~DeviceWatcher() = default;
  virtual void OnDeviceEvent(const v1::DeviceEvent& event) = 0;
};

// Thread: any. Methods that say so block on the store.
// Lifetime: store and clock outlive it.
class DeviceDirectory {
 public:
  DeviceDirectory(Store& store, const Clock& clock) : store_(store), clock_(clock) {}

  // Reads all devices from the store, all of them offline. Blocks.
  absl::Status Load();

  // Errors: NOT_FOUND.
  absl::StatusOr<v1::Device> Get(absl::string_view unit_id) const;

  // A page of those that match, in the order of their names. Sets the next page's token.
  // Errors: INVALID_ARGUMENT a bad page token.
  absl::StatusOr<std::vector<v1::Device>> List(const DeviceFilter& filter, const Page& page,
                                               std::string* next_token) const;

  // Adds a device; unit_id names it. Blocks.
  // Errors: ALREADY_EXISTS; the store's.
  absl::StatusOr<v1::Device> Create(v1::Device device);

  // Changes a device, in the store and then here. Blocks.
  // Errors: NOT_FOUND; what `change` returns; the store's.
  absl::StatusOr<v1::Device> Change(absl::string_view unit_id,
                                    absl::FunctionRef<absl::Status(v1::Device&)> change);

  // Removes a device and revokes its certificates, and runs `also` in the same transaction. Returns
  // the fingerprints of its certificates. Blocks.
  // Errors: NOT_FOUND; the store's.
  absl::StatusOr<std::vector<std::string>> Delete(absl::string_view unit_id,
                                                  absl::FunctionRef<absl::Status()> also);

  // Writes what is known of the device to the store, if it still exists. Blocks.
  absl::Status Save(absl::string_view unit_id);

  // Takes over what enrolment wrote to the store.
  void OnEnrolled(const v1::Device& device);

  // A device connected over `edge`; newer connections replace older ones. Nothing if no such device
  // exists, or if a newer connection over the same edge is known.
  absl::optional<v1::Device> OnConnected(absl::string_view edge,
                                         const v1::DeviceConnected& connected);

  // A connection is gone. False if it is not the device's present one.
  bool OnDisconnected(absl::string_view edge, absl::string_view unit_id,
                      std::uint64_t connection_id);

  // The link to an edge is gone: its devices are offline. Returns their unit IDs.
  std::vector<std::string> OnEdgeGone(absl::string_view edge);

  // The connection to a device; nothing if it is offline or does not exist.
  absl::optional<DeviceRoute> RouteTo(absl::string_view unit_id) const;

  // Shows `watcher` every device that matches, a SNAPSHOT_COMPLETE, and each change until Unwatch.
  // Lifetime: `watcher` must live until Unwatch has returned.
  void Watch(DeviceFilter filter, DeviceWatcher* watcher);
  void Unwatch(DeviceWatcher* watcher);

 private:
  struct Entry {
    v1::Device device;
    absl::optional<DeviceRoute> route;
  };
  using Entries = std::map<std::string, Entry, std::less<>>;

  // `before` is null for a new device, `after` for a deleted one.
  void Notify(const v1::Device* before, const v1::Device* after)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void SetOffline(Entry& entry) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  Store& store_;
  const Clock& clock_;
  // Held while the store is written, so that what is written last is what was known last. Taken
  // before mutex_ and before the store's own lock; OnEnrolled, which may be called within a
  // transaction, does not take it.
  absl::Mutex write_mutex_ ABSL_ACQUIRED_BEFORE(mutex_);
  mutable absl::Mutex mutex_;
  Entries entries_ ABSL_GUARDED_BY(mutex_);
  std::map<DeviceWatcher*, DeviceFilter> watchers_ ABSL_GUARDED_BY(mutex_);
};

// Fills absent settings with their defaults.
void FillDefaults(v1::TerminalSettings& settings);

// Puts the fields that `change` has into `settings`.
// Errors: INVALID_ARGUMENT a value out of its range.
absl::Status MergeSettings(const v1::TerminalSettings& change, v1::TerminalSettings& settings);

// How sentences name a device: "device 00E0C514325B (reception)".
std::string DeviceLabel(const v1::Device& device);

}  // namespace fairlead::control

#endif  // FAIRLEAD_CONTROL_DEVICE_DIRECTORY_H_
