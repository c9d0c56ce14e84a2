// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
#include "gateway/device_hub.h"

#include <algorithm>
#include <boost/asio/steady_timer.hpp>
#include <map>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "base/log.h"
#include "base/status.h"
#include "gateway/device_limit.h"
#include "gateway/refusal.h"

namespace fairlead::gateway {

namespace net = dataplane::net;

// When a device that cannot be served now should try again.
constexpr char kRetryAfterSeconds[] = "10";

using dataplane::CloseReason;
using dataplane::HttpRequest;
using dataplane::kToken;
using dataplane::PendingUpgrade;
using dataplane::WebSocket;

// Lock order: this mutex, then the sink's and a connection's; never the other way.
struct DeviceHub::State {
  State(EdgeEventSink& event_sink, const Clock& time, DeviceHubOptions given)
      : sink(&event_sink), clock(time), options(given), limit(given.max_connections, registry) {}

  // Whether devices of this kind belong here.
  bool Welcomes(const v1::DeviceHello& hello);
  // Enters a device whose hello was read, and tells the server. Returns its connection's number.
  absl::StatusOr<std::uint64_t> Enter(const DeviceIdentity& device, const v1::DeviceHello& hello,
                                      const std::shared_ptr<DeviceConnection>& connection);
  // Takes a connection out and tells the server, unless that was done before.
  void Leave(absl::string_view unit_id, std::uint64_t id, absl::string_view reason)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex);
  void CloseRevoked(const std::vector<std::uint64_t>& ids) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex);
  void PublishConnected(const DeviceIdentity& device, const v1::DeviceHello& hello,
                        std::uint64_t id, const std::string& address)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex);
  void PublishDisconnected(absl::string_view unit_id, std::uint64_t id, absl::string_view reason)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex);
  void PublishReport(const DeviceIdentity& device, std::uint64_t id, v1::DeviceMessage message);
  bool Open(const std::shared_ptr<DeviceConnection>& connection);

  // A device with an open, entered connection.
  struct Entered {
    std::string unit_id;
    std::shared_ptr<DeviceConnection> connection;
  };

  mutable absl::Mutex mutex;
  // Null once the hub is gone.
  EdgeEventSink* sink ABSL_GUARDED_BY(mutex);
  const Clock& clock;
  const DeviceHubOptions options;
  DeviceRegistry registry ABSL_GUARDED_BY(mutex);
  std::map<std::uint64_t, Entered> entered ABSL_GUARDED_BY(mutex);
  std::set<std::shared_ptr<DeviceConnection>> open ABSL_GUARDED_BY(mutex);
  DeviceLimit limit ABSL_GUARDED_BY(mutex);
  std::function<absl::Status()> admission = [] { return absl::OkStatus(); };
  absl::optional<CloseReason> stopping ABSL_GUARDED_BY(mutex);
  DeviceHubCounters counters ABSL_GUARDED_BY(mutex);
};

namespace {

constexpr char kDialledByServer[] =
    "An OS 11 device is dialled by the server at its address; it holds a standing connection to an "
    "ICG only.";

// How a connection's end reads in the server's log.
std::string DescribeEnd(const DeviceConnection& connection, const CloseReason& received) {
  const auto ours = connection.close_reason();
  if (ours.has_value()) return ours->text;
  if (received.code == dataplane::kCloseLost) return "The connection was lost.";
  return absl::StrCat("The device closed the connection (", received.code,
                      received.text.empty() ? "" : ": ", Printable(received.text), ").");
}

// Waits while the device has said more than it may.
net::awaitable<void> Throttle(std::shared_ptr<DeviceConnection> connection, TokenBucket& bucket,
                              const Clock& clock) {
  for (;;) {
    const absl::Duration wait = bucket.Take(clock.Monotonic());
    if (wait <= absl::ZeroDuration()) co_return;
    net::steady_timer timer(connection->executor());
    timer.expires_after(absl::ToChronoNanoseconds(wait));
    co_await timer.async_wait(kToken);
  }
}

}  // namespace

bool DeviceHub::State::Open(const std::shared_ptr<DeviceConnection>& connection) {
  absl::MutexLock lock(&mutex);
  if (stopping.has_value()) {
    connection->Close(*stopping);
  } else if (open.size() >= options.max_connections) {
    connection->Close({dataplane::kCloseTooMany, "Too many devices are connected here."});
    ++counters.refused;
    limit.NoteRefusal("(not yet named)", clock.Monotonic());
  } else {
    open.insert(connection);
    return true;
  }
  return false;
}

// Such a device has done nothing wrong, and goes on asking: it is counted, but not told of.
bool DeviceHub::State::Welcomes(const v1::DeviceHello& hello) {
  if (options.accept_os_11 || hello.os_generation() != v1::Device::OS_11) return true;
  absl::MutexLock lock(&mutex);
  ++counters.refused;
  return false;
}

absl::StatusOr<std::uint64_t> DeviceHub::State::Enter(
    const DeviceIdentity& device, const v1::DeviceHello& hello,
    const std::shared_ptr<DeviceConnection>& connection) {
  absl::MutexLock lock(&mutex);
  if (stopping.has_value()) return absl::UnavailableError(stopping->text);
  FAIRLEAD_ASSIGN_OR_RETURN(const DeviceRegistry::Entry entry, registry.Enter(device));
  const auto old = entry.replaced.has_value() ? entered.find(*entry.replaced) : entered.end();
  if (old != entered.end()) {
    const CloseReason reason{dataplane::kCloseSideTaken,
                             "A newer connection of this device took the place of this one."};
    old->second.connection->Close(reason);
    PublishDisconnected(device.unit_id, *entry.replaced, reason.text);
    entered.erase(old);
  }
  entered[entry.connection_id] = Entered{device.unit_id, connection};
  ++counters.connected;
  PublishConnected(device, hello, entry.connection_id, connection->peer().address);
  return entry.connection_id;
}

void DeviceHub::State::PublishConnected(const DeviceIdentity& device, const v1::DeviceHello& hello,
                                        std::uint64_t id, const std::string& address) {
  if (sink == nullptr) return;
  v1::EdgeEvent event;
  v1::DeviceConnected& connected = *event.mutable_device_connected();
  connected.set_unit_id(device.unit_id);
  connected.set_connection_id(id);
  *connected.mutable_hello() = hello;
  connected.set_peer_address(address);
  connected.set_certificate_fingerprint(device.fingerprint);
  *connected.mutable_since_time() = ToProto(clock.Now());
  sink->Publish(std::move(event));
}

void DeviceHub::State::PublishReport(const DeviceIdentity& device, std::uint64_t id,
                                     v1::DeviceMessage message) {
  v1::EdgeEvent event;
  event.mutable_device_report()->set_unit_id(device.unit_id);
  event.mutable_device_report()->set_connection_id(id);
  *event.mutable_device_report()->mutable_message() = std::move(message);
  absl::MutexLock lock(&mutex);
  // What a replaced or dropped connection still says is no longer the device's word.
  if (sink != nullptr && registry.Find(device.unit_id) == id) sink->Publish(std::move(event));
}

void DeviceHub::State::Leave(absl::string_view unit_id, std::uint64_t id,
                             absl::string_view reason) {
  if (!registry.Leave(unit_id, id)) return;
  entered.erase(id);
  PublishDisconnected(unit_id, id, reason);
}

void DeviceHub::State::PublishDisconnected(absl::string_view unit_id, std::uint64_t id,
                                           absl::string_view reason) {
  if (sink == nullptr) return;
  v1::EdgeEvent event;
  event.mutable_device_disconnected()->set_unit_id(std::string(unit_id));
  event.mutable_device_disconnected()->set_connection_id(id);
  event.mutable_device_disconnected()->set_reason(std::string(reason));
  sink->Publish(std::move(event));
}

void DeviceHub::State::CloseRevoked(const std::vector<std::uint64_t>& ids) {
  const CloseReason reason{dataplane::kCloseDenied,
                           "The device's certificate is revoked. Enrol the device anew."};
  for (const std::uint64_t id : ids) {
    const auto found = entered.find(id);
    if (found == entered.end()) continue;
    const Entered gone = found->second;
    gone.connection->Close(reason);
    Leave(gone.unit_id, id, reason.text);
  }
}

DeviceHub::DeviceHub(EdgeEventSink& sink, const Clock& clock, DeviceHubOptions options)
    : state_(std::make_shared<State>(sink, clock, options)) {}

DeviceHub::~DeviceHub() {
  absl::MutexLock lock(&state_->mutex);
  state_->sink = nullptr;
}

net::awaitable<void> DeviceHub::HandleUpgrade(HttpRequest request,
                                              std::unique_ptr<PendingUpgrade> upgrade) {
  const std::shared_ptr<State> state = state_;
  absl::StatusOr<DeviceIdentity> device = IdentifyDevice(request.peer);
  absl::Status admitted = device.status();
  const bool offers = OffersSubprotocol(*upgrade, kUnifiedSubprotocol);
  // That nobody may come in now is no matter for the audit log.
  absl::Status now;
  if (admitted.ok()) now = state->admission();
  {
    absl::MutexLock lock(&state->mutex);
    if (admitted.ok() && state->registry.IsRevoked(device->fingerprint)) {
      admitted = absl::PermissionDeniedError(
          absl::StrCat("The certificate of device ", device->unit_id,
                       " is revoked. Enrol the device anew with a first-authentication key."));
    }
    if (admitted.ok() && now.ok() && offers)
      admitted = state->limit.Expect(device->unit_id, state->clock.Monotonic());
    if (!admitted.ok() || !now.ok()) ++state->counters.refused;
    if (!admitted.ok()) {
      const std::string actor = device.ok() ? absl::StrCat("devices/", device->unit_id) : "";
      if (state->sink != nullptr) {
        state->sink->PublishRefusal(
            MakeRefusal("device.connect", actor, "", admitted, request.peer.address));
      }
    }
  }
  if (admitted.ok()) admitted = now;
  if (admitted.ok() && !offers) {
    admitted = absl::InvalidArgumentError(
        absl::StrCat("A device must offer the subprotocol ", kUnifiedSubprotocol, "."));
  }
  if (!admitted.ok()) {
    dataplane::HttpResponse response = dataplane::ErrorResponse(admitted);
    if (absl::IsUnavailable(admitted)) {
      response.headers.emplace_back("Retry-After", kRetryAfterSeconds);
    }
    co_await upgrade->Refuse(std::move(response));
    co_return;
  }
  const std::string unit_id = device->unit_id;
  absl::StatusOr<std::unique_ptr<WebSocket>> accepted =
      co_await upgrade->Accept(kUnifiedSubprotocol);
  if (accepted.ok()) {
    co_await Serve(std::move(*device), std::move(*accepted));
    co_return;
  }
  absl::MutexLock lock(&state->mutex);
  state->limit.NoLongerExpected(unit_id);
}

net::awaitable<void> DeviceHub::Serve(DeviceIdentity device, std::unique_ptr<WebSocket> websocket) {
  const std::shared_ptr<State> state = state_;
  const auto connection =
      std::make_shared<DeviceConnection>(std::move(websocket), state->options.queue);
  connection->Start();
  const bool opened = state->Open(connection);
  CloseReason end;
  std::uint64_t id = 0;
  if (opened) {
    const CloseReason late{dataplane::kCloseLimit, "The device's hello did not come in time."};
    connection->SetDeadline(state->options.hello_timeout, late);
    absl::StatusOr<v1::DeviceMessage> first = co_await ReadDeviceMessage(connection, end);
    connection->CancelDeadline();
    if (first.ok() && !first->has_hello()) {
      connection->Close(Malformed("the first message must be hello"));
    } else if (first.ok() && !connection->close_reason().has_value()) {
      const absl::StatusOr<std::uint64_t> entered =
          state->Welcomes(first->hello()) ? state->Enter(device, first->hello(), connection)
                                          : absl::PermissionDeniedError(kDialledByServer);
      if (entered.ok()) {
        id = *entered;
      } else {
        connection->Close({CloseCodeFromCode(entered.status().code()),
                           ClipReason(absl::string_view(entered.status().message()))});
      }
    }
  }
  {
    absl::MutexLock lock(&state->mutex);
    state->limit.NoLongerExpected(device.unit_id);
  }
  TokenBucket bucket(state->options.message_rate);
  while (id != 0) {
    absl::StatusOr<v1::DeviceMessage> message = co_await ReadDeviceMessage(connection, end);
    if (!message.ok()) break;
    {
      absl::MutexLock lock(&state->mutex);
      ++state->counters.messages_received;
    }
    if (message->has_hello()) {
      connection->Close(Malformed("hello came twice"));
      break;
    }
    const bool says_nothing =
        message->has_heartbeat() || message->message_case() == v1::DeviceMessage::MESSAGE_NOT_SET;
    if (!says_nothing) state->PublishReport(device, id, std::move(*message));
    co_await Throttle(connection, bucket, state->clock);
  }
  {
    absl::MutexLock lock(&state->mutex);
    state->Leave(device.unit_id, id, DescribeEnd(*connection, end));
  }
  connection->Close(end);
  co_await connection->WaitForWriter();
  absl::MutexLock lock(&state->mutex);
  state->open.erase(connection);
}

absl::Status DeviceHub::Send(absl::string_view unit_id, const v1::ServerMessage& message) {
  absl::MutexLock lock(&state_->mutex);
  const absl::optional<std::uint64_t> id = state_->registry.Find(unit_id);
  if (!id.has_value()) {
    ++state_->counters.messages_dropped;
    return absl::NotFoundError(absl::StrCat("device ", unit_id, " is not connected"));
  }
  if (!state_->entered.at(*id).connection->Send(message.SerializeAsString())) {
    ++state_->counters.messages_dropped;
    return absl::ResourceExhaustedError(
        absl::StrCat("device ", unit_id, " reads too slowly, or its connection is closing"));
  }
  ++state_->counters.messages_sent;
  return absl::OkStatus();
}

bool DeviceHub::IsConnected(absl::string_view unit_id) const {
  absl::MutexLock lock(&state_->mutex);
  return state_->registry.Find(unit_id).has_value();
}

void DeviceHub::Drop(absl::string_view unit_id, CloseReason reason) {
  absl::MutexLock lock(&state_->mutex);
  const absl::optional<std::uint64_t> id = state_->registry.Find(unit_id);
  if (!id.has_value()) return;
  state_->entered.at(*id).connection->Close(reason);
  state_->Leave(unit_id, *id, reason.text);
}

void DeviceHub::SetAdmission(std::function<absl::Status()> admission) {
  state_->admission = std::move(admission);
}

void DeviceHub::SetMaxDevices(std::size_t max_devices) {
  absl::MutexLock lock(&state_->mutex);
  state_->limit.Set(max_devices);
}

void DeviceHub::DropAll(CloseReason reason) {
  absl::MutexLock lock(&state_->mutex);
  // Leaving changes the map.
  const std::map<std::uint64_t, State::Entered> all = state_->entered;
  for (const auto& [id, gone] : all) {
    gone.connection->Close(reason);
    state_->Leave(gone.unit_id, id, reason.text);
  }
}

void DeviceHub::SetRevoked(std::set<std::string> fingerprints) {
  absl::MutexLock lock(&state_->mutex);
  state_->CloseRevoked(state_->registry.SetRevoked(std::move(fingerprints)));
}

void DeviceHub::Revoke(const std::vector<std::string>& fingerprints) {
  absl::MutexLock lock(&state_->mutex);
  state_->CloseRevoked(state_->registry.Revoke(fingerprints));
}

bool DeviceHub::IsRevoked(absl::string_view fingerprint) const {
  absl::MutexLock lock(&state_->mutex);
  return state_->registry.IsRevoked(fingerprint);
}

void DeviceHub::CloseAll(CloseReason reason) {
  absl::MutexLock lock(&state_->mutex);
  state_->stopping = reason;
  for (const auto& connection : state_->open) connection->Close(reason);
}

std::size_t DeviceHub::open_connections() const {
  absl::MutexLock lock(&state_->mutex);
  return state_->open.size();
}

DeviceHubCounters DeviceHub::counters() const {
  absl::MutexLock lock(&state_->mutex);
  DeviceHubCounters counters = state_->counters;
  counters.connected_now = state_->registry.size();
  counters.refused_limit = state_->limit.refused();
  return counters;
}

}  // namespace fairlead::gateway
