// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// All devices, in memory: what the store keeps of them, and whether they can be reached now, which
// only links and probes say. Used by the device service, the coordinator and enrolment.
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

// Which standing connection leads to a device.
struct DeviceRoute {
  std::string edge;
  std::uint64_t connection_id = 0;
};

// How a connection becomes known: as it comes up, or told in the snapshot of an edge whose link
// came up, so that it may be older than another one.
enum class Arrival { kNow, kInSnapshot };

// A device that has a standing connection, and which connectors it is to try first.
struct ConnectedDevice {
  std::string unit_id;
  v1::Device::ConnectorPreference preference = v1::Device::NONE;
};

// What a watcher is shown first.
enum class WatchStart {
  // Every device that matches.
  kSnapshot,
  // Nothing but how many match; it is told so with each change too.
  kCount,
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
  // What goes into the store in the transaction of a change, its audit record, so that neither is
  // there without the other. Gets the device as it is after the change, or was before its deletion.
  using Also = absl::FunctionRef<absl::Status(const v1::Device&)>;

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
  // Errors: ALREADY_EXISTS; what `also` returns; the store's. Then nothing has changed.
  absl::StatusOr<v1::Device> Create(v1::Device device, Also also);

  // Changes a device, in the store and then here. Blocks.
  // Errors: NOT_FOUND; what `change` or `also` returns; the store's. Then nothing has changed.
  absl::StatusOr<v1::Device> Change(absl::string_view unit_id,
                                    absl::FunctionRef<absl::Status(v1::Device&)> change, Also also);

  // Removes a device and revokes its certificates. Returns their fingerprints. Blocks.
  // Errors: NOT_FOUND; what `also` returns; the store's. Then nothing has changed.
  absl::StatusOr<std::vector<std::string>> Delete(absl::string_view unit_id, Also also);

  // Writes what is known of the device to the store, if it still exists. Blocks.
  absl::Status Save(absl::string_view unit_id);

  // Runs `work`, an enrolment or a renewal, in a transaction of the store, and takes over the
  // device that it put there, which it returns, if any. No change or deletion of a device comes
  // between the two. Blocks. Errors: what `work` returns; the store's. Then nothing has changed.
  absl::Status Enroll(absl::FunctionRef<absl::StatusOr<absl::optional<v1::Device>>()> work);

  // A device connected over `edge`; newer connections replace older ones, and one that a snapshot
  // tells of is only kept in reserve while there is one over another edge. Nothing if no such
  // device exists, or if the device's present connection stays.
  absl::optional<v1::Device> OnConnected(absl::string_view edge,
                                         const v1::DeviceConnected& connected,
                                         Arrival arrival = Arrival::kNow);

  // A connection is gone; one in reserve takes its place. False if it is not the device's present
  // one.
  bool OnDisconnected(absl::string_view edge, absl::string_view unit_id,
                      std::uint64_t connection_id);

  // The link to an edge is gone: its devices are offline, unless they have a connection in reserve.
  // Returns their unit IDs.
  std::vector<std::string> OnEdgeGone(absl::string_view edge);

  // The standing connection to a device; nothing if it has none or does not exist.
  absl::optional<DeviceRoute> RouteTo(absl::string_view unit_id) const;

  // Where a device is dialled: that of an OS 11 device with an address and without a standing
  // connection, whatever the last probe said. Nothing for others.
  absl::optional<std::string> DialAddress(absl::string_view unit_id) const;

  // The unit IDs of all devices that have a DialAddress.
  std::vector<std::string> Dialable() const;

  // What a probe of `address` came to: the device is online and direct, or offline for the status's
  // reason. True if its state changed; nothing happens unless `address` is its DialAddress still.
  bool OnProbed(absl::string_view unit_id, absl::string_view address, const absl::Status& result);

  // The device is not dialled any more: without a standing connection it is offline. True if its
  // state changed.
  bool OnNotDialable(absl::string_view unit_id);

  // The next `limit` devices, by unit ID, that have a standing connection.
  std::vector<ConnectedDevice> ConnectedAfter(absl::string_view unit_id, std::size_t limit) const;

  // At most `limit` devices whose standing connection is over an edge.
  std::vector<ConnectedDevice> ConnectedBy(absl::string_view edge, std::size_t limit) const;

  // How many devices have their standing connection over an edge.
  std::uint32_t CountConnected(absl::string_view edge) const;

  // Shows `watcher` what `start` says, a SNAPSHOT_COMPLETE, and each change until Unwatch.
  // Lifetime: `watcher` must live until Unwatch has returned.
  void Watch(DeviceFilter filter, WatchStart start, DeviceWatcher* watcher);
  void Unwatch(DeviceWatcher* watcher);

 private:
  struct Entry {
    v1::Device device;
    absl::optional<DeviceRoute> route;
    // Connections over other edges, the latest last.
    std::vector<DeviceRoute> reserve;
  };
  using Entries = std::map<std::string, Entry, std::less<>>;
  // What one watcher follows. Which devices it has been shown is not kept: a change concerns it if
  // the device matched before or does now.
  struct Selection {
    DeviceFilter filter;
    // How many devices match, for a watcher that is told so.
    absl::optional<std::int32_t> count;
  };

  // Puts `device` into the store, and what `also` writes.
  absl::Status Write(const v1::Device& device, Also also)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(write_mutex_);
  // Takes over what enrolment wrote to the store.
  void TakeEnrolled(const v1::Device& device) ABSL_EXCLUSIVE_LOCKS_REQUIRED(write_mutex_);
  // Shows `watcher` every device that matches.
  void ShowAll(const DeviceFilter& filter, DeviceWatcher& watcher) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  std::int32_t CountMatches(const DeviceFilter& filter) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // `before` is null for a new device, `after` for a deleted one.
  void Notify(const v1::Device* before, const v1::Device* after)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Puts `route` into force, or nothing, and shows it in the device.
  void SetRoute(Entry& entry, absl::optional<DeviceRoute> route)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // The present connection is gone.
  void FallBack(Entry& entry) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void SetOffline(v1::Device& device) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  Store& store_;
  const Clock& clock_;
  // Held from before a device is written to the store until it is known here, so that what is
  // written last is what was known last, and both know the same devices. Taken before mutex_ and
  // before the store's own lock: never within a transaction.
  absl::Mutex write_mutex_ ABSL_ACQUIRED_BEFORE(mutex_);
  mutable absl::Mutex mutex_;
  Entries entries_ ABSL_GUARDED_BY(mutex_);
  // Devices by the edge of their present connection.
  std::map<std::string, std::uint32_t, std::less<>> connected_ ABSL_GUARDED_BY(mutex_);
  std::map<DeviceWatcher*, Selection> watchers_ ABSL_GUARDED_BY(mutex_);
};

// Shows a device as one of whose connection nothing is known.
void MarkOffline(v1::Device& device);

// Fills absent settings with their defaults.
void FillDefaults(v1::TerminalSettings& settings);

// Puts the fields that `change` has into `settings`.
// Errors: INVALID_ARGUMENT a value out of its range.
absl::Status MergeSettings(const v1::TerminalSettings& change, v1::TerminalSettings& settings);

// How sentences name a device: "device 00E0C514325B (reception)".
std::string DeviceLabel(const v1::Device& device);

}  // namespace fairlead::control

#endif  // FAIRLEAD_CONTROL_DEVICE_DIRECTORY_H_
