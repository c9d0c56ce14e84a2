// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// See device_service.h.
#include "control/device_service.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "base/plain_text.h"
#include "base/status.h"
#include "base/unit_id.h"
#include "base/utf8.h"
#include "control/certificate_authority.h"
#include "control/device_tags.h"
#include "control/filter.h"
#include "control/host_port.h"
#include "control/watch_stream.h"

namespace fairlead::control {
namespace {

// How many changes may wait for a watching client.
constexpr std::size_t kMaxQueuedChanges = 1000;
constexpr std::size_t kMaxDisplayNameCharacters = 128;

absl::Status CheckUnitId(absl::string_view unit_id) {
  if (IsUnitId(unit_id)) return absl::OkStatus();
  return absl::InvalidArgumentError(
      "device.unit_id: use 1 to 64 characters of A-Z, a-z, 0-9, '.', '_' and '-', and not \".\" or "
      "\"..\"");
}

absl::Status CheckTexts(const v1::Device& device) {
  if (CountCharacters(device.display_name()) > kMaxDisplayNameCharacters) {
    return absl::InvalidArgumentError("device.display_name: longer than 128 characters");
  }
  if (!IsPlainText(device.display_name())) {
    return absl::InvalidArgumentError(
        "device.display_name: has control or invisible characters; use a line of plain text");
  }
  if (!v1::Device::OsGeneration_IsValid(device.os_generation())) {
    return absl::InvalidArgumentError("device.os_generation: use OS_12 or OS_11");
  }
  if (!v1::Device::ConnectorPreference_IsValid(device.connector_preference())) {
    return absl::InvalidArgumentError("device.connector_preference: use NONE, SERVER or ICG");
  }
  if (device.address().empty() || ParseHostPort(device.address()).has_value()) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(
      "device.address: use host:port, for example \"192.0.2.7:30022\" or \"[2001:db8::7]:30022\"");
}

void SetAddress(const std::string& address, v1::Device& device) {
  device.set_address(address);
  // Only OS 11 devices are dialled; one that has never connected cannot have said what it is.
  if (!address.empty() && device.os_generation() == v1::Device::OS_GENERATION_UNSPECIFIED) {
    device.set_os_generation(v1::Device::OS_11);
  }
}

// Follows the directory for one call.
class DeviceWatch : public WatchStream<v1::DeviceEvent>, private DeviceWatcher {
 public:
  explicit DeviceWatch(DeviceDirectory& directory)
      : WatchStream(SlowWatch::kEnd), directory_(directory) {}

  void Begin(DeviceFilter filter, WatchStart start) {
    directory_.Watch(std::move(filter), start, this);
    // The snapshot is as large as it is; only changes count.
    SetLimit(kMaxQueuedChanges);
  }

 private:
  void OnDeviceEvent(const v1::DeviceEvent& event) override { Push(event); }
  void Unsubscribe() override { directory_.Unwatch(this); }

  DeviceDirectory& directory_;
};

}  // namespace

grpc::ServerUnaryReactor* DeviceService::ListDevices(grpc::CallbackServerContext* context,
                                                     const v1::ListDevicesRequest* request,
                                                     v1::ListDevicesResponse* response) {
  return UnaryCall(support_, context, request, response,
                   [this](const Caller&, const v1::ListDevicesRequest& asked,
                          v1::ListDevicesResponse* answer) { return List(asked, answer); });
}

grpc::ServerUnaryReactor* DeviceService::GetDevice(grpc::CallbackServerContext* context,
                                                   const v1::GetDeviceRequest* request,
                                                   v1::Device* response) {
  return UnaryCall(
      support_, context, request, response,
      [this](const Caller&, const v1::GetDeviceRequest& asked, v1::Device* answer) -> absl::Status {
        FAIRLEAD_ASSIGN_OR_RETURN(const std::string unit_id, ParseName(asked.name(), "devices"));
        FAIRLEAD_ASSIGN_OR_RETURN(*answer, directory_.Get(unit_id));
        return absl::OkStatus();
      });
}

grpc::ServerUnaryReactor* DeviceService::CreateDevice(grpc::CallbackServerContext* context,
                                                      const v1::CreateDeviceRequest* request,
                                                      v1::Device* response) {
  return UnaryCall(support_, context, request, response,
                   [this](const Caller& caller, const v1::CreateDeviceRequest& asked,
                          v1::Device* answer) { return Create(caller, asked, answer); });
}

grpc::ServerUnaryReactor* DeviceService::UpdateDevice(grpc::CallbackServerContext* context,
                                                      const v1::UpdateDeviceRequest* request,
                                                      v1::Device* response) {
  return UnaryCall(support_, context, request, response,
                   [this](const Caller& caller, const v1::UpdateDeviceRequest& asked,
                          v1::Device* answer) { return Update(caller, asked, answer); });
}

grpc::ServerUnaryReactor* DeviceService::ChangeDeviceTags(
    grpc::CallbackServerContext* context, const v1::ChangeDeviceTagsRequest* request,
    v1::Device* response) {
  return UnaryCall(support_, context, request, response,
                   [this](const Caller& caller, const v1::ChangeDeviceTagsRequest& asked,
                          v1::Device* answer) { return ChangeTags(caller, asked, answer); });
}

grpc::ServerUnaryReactor* DeviceService::UpdateTerminalSettings(
    grpc::CallbackServerContext* context, const v1::UpdateTerminalSettingsRequest* request,
    v1::TerminalSettings* response) {
  return UnaryCall(
      support_, context, request, response,
      [this](const Caller& caller, const v1::UpdateTerminalSettingsRequest& asked,
             v1::TerminalSettings* answer) { return UpdateSettings(caller, asked, answer); });
}

grpc::ServerUnaryReactor* DeviceService::DeleteDevice(grpc::CallbackServerContext* context,
                                                      const v1::DeleteDeviceRequest* request,
                                                      v1::DeleteDeviceResponse* response) {
  return UnaryCall(support_, context, request, response,
                   [this](const Caller& caller, const v1::DeleteDeviceRequest& asked,
                          v1::DeleteDeviceResponse*) { return Delete(caller, asked); });
}

grpc::ServerWriteReactor<v1::DeviceEvent>* DeviceService::WatchDevices(
    grpc::CallbackServerContext* context, const v1::WatchDevicesRequest* request) {
  auto* watch = new DeviceWatch(directory_);
  const auto set_up = [this, context, request, watch]() -> absl::Status {
    FAIRLEAD_ASSIGN_OR_RETURN(const Caller caller, support_.authenticator.Authenticate(*context));
    FAIRLEAD_ASSIGN_OR_RETURN(DeviceFilter filter, DeviceFilter::Parse(request->filter()));
    watch->Begin(std::move(filter),
                 request->changes_only() ? WatchStart::kCount : WatchStart::kSnapshot);
    watch->CheckEvery(support_.workers, watches_.token_check_interval,
                      [support = watches_, token = caller.token_sha256]() {
                        return CheckTokenStillGood(support, token);
                      });
    return absl::OkStatus();
  };
  const bool posted = support_.workers.Post([watch, set_up]() {
    const absl::Status status = set_up();
    if (!status.ok()) watch->Close(status);
    watch->EndSetup();
  });
  if (!posted) {
    watch->Close(WorkersBusy());
    watch->EndSetup();
  }
  return watch;
}

absl::Status DeviceService::List(const v1::ListDevicesRequest& request,
                                 v1::ListDevicesResponse* response) {
  FAIRLEAD_ASSIGN_OR_RETURN(const Page page, ParsePage(request.page_size(), request.page_token()));
  FAIRLEAD_ASSIGN_OR_RETURN(const DeviceFilter filter, DeviceFilter::Parse(request.filter()));
  FAIRLEAD_ASSIGN_OR_RETURN(std::vector<v1::Device> devices,
                            directory_.List(filter, page, response->mutable_next_page_token()));
  for (v1::Device& device : devices) *response->add_devices() = std::move(device);
  return absl::OkStatus();
}

absl::Status DeviceService::Create(const Caller& caller, const v1::CreateDeviceRequest& request,
                                   v1::Device* response) {
  FAIRLEAD_RETURN_IF_ERROR(CheckUnitId(request.device().unit_id()));
  FAIRLEAD_RETURN_IF_ERROR(CheckTexts(request.device()));
  v1::Device device;
  device.set_unit_id(request.device().unit_id());
  device.set_os_generation(request.device().os_generation());
  if (request.device().has_display_name()) {
    device.set_display_name(request.device().display_name());
  }
  device.set_connector_preference(request.device().connector_preference());
  if (request.device().has_address()) SetAddress(request.device().address(), device);
  FAIRLEAD_RETURN_IF_ERROR(ApplyTags(request.device().tags(), {}, device));
  const auto audit = [&](const v1::Device& created) {
    return Audit(caller, "device.create", created, "");
  };
  FAIRLEAD_ASSIGN_OR_RETURN(*response, directory_.Create(std::move(device), audit));
  edges_.ProbeDevice(response->unit_id());
  return absl::OkStatus();
}

absl::Status DeviceService::Update(const Caller& caller, const v1::UpdateDeviceRequest& request,
                                   v1::Device* response) {
  FAIRLEAD_ASSIGN_OR_RETURN(const std::string unit_id,
                            ParseName(request.device().name(), "devices", "device.name"));
  FAIRLEAD_RETURN_IF_ERROR(CheckTexts(request.device()));
  const auto merge = [&](v1::Device& device) -> absl::Status {
    const v1::Device& change = request.device();
    if (change.has_display_name()) device.set_display_name(change.display_name());
    if (change.has_address()) SetAddress(change.address(), device);
    if (change.connector_preference() != v1::Device::CONNECTOR_PREFERENCE_UNSPECIFIED) {
      device.set_connector_preference(change.connector_preference());
    }
    return absl::OkStatus();
  };
  const auto audit = [&](const v1::Device& changed) {
    return Audit(caller, "device.update", changed, "");
  };
  FAIRLEAD_ASSIGN_OR_RETURN(*response, directory_.Change(unit_id, merge, audit));
  if (request.device().has_address()) edges_.ProbeDevice(unit_id);
  if (request.device().connector_preference() != v1::Device::CONNECTOR_PREFERENCE_UNSPECIFIED) {
    edges_.ForwardConnectors(unit_id, response->connector_preference());
  }
  return absl::OkStatus();
}

absl::Status DeviceService::ChangeTags(const Caller& caller,
                                       const v1::ChangeDeviceTagsRequest& request,
                                       v1::Device* response) {
  FAIRLEAD_ASSIGN_OR_RETURN(const std::string unit_id, ParseName(request.name(), "devices"));
  if (request.add().empty() && request.remove().empty()) {
    return absl::InvalidArgumentError("nothing to change is given: name tags in add or in remove");
  }
  const auto apply = [&](v1::Device& device) {
    return ApplyTags(request.add(), request.remove(), device);
  };
  const auto audit = [&](const v1::Device& changed) {
    return Audit(caller, "device.change_tags", changed,
                 absl::StrCat("now ", changed.tags().empty() ? "none" : TagList(changed)));
  };
  FAIRLEAD_ASSIGN_OR_RETURN(*response, directory_.Change(unit_id, apply, audit));
  return absl::OkStatus();
}

absl::Status DeviceService::UpdateSettings(const Caller& caller,
                                           const v1::UpdateTerminalSettingsRequest& request,
                                           v1::TerminalSettings* response) {
  FAIRLEAD_ASSIGN_OR_RETURN(const std::string unit_id, ParseName(request.name(), "devices"));
  const auto merge = [&](v1::Device& device) {
    return MergeSettings(request.terminal_settings(), *device.mutable_terminal());
  };
  const auto audit = [&](const v1::Device& changed) {
    return Audit(caller, "device.update_terminal_settings", changed,
                 absl::StrCat("now ", changed.terminal().ShortDebugString()));
  };
  FAIRLEAD_ASSIGN_OR_RETURN(const v1::Device device, directory_.Change(unit_id, merge, audit));
  *response = device.terminal();
  edges_.ForwardSettings(unit_id, device.terminal());
  return absl::OkStatus();
}

absl::Status DeviceService::Delete(const Caller& caller, const v1::DeleteDeviceRequest& request) {
  FAIRLEAD_ASSIGN_OR_RETURN(const std::string unit_id, ParseName(request.name(), "devices"));
  const auto audit = [&](const v1::Device& deleted) {
    return Audit(caller, "device.delete", deleted, "certificates revoked");
  };
  FAIRLEAD_ASSIGN_OR_RETURN(std::vector<std::string> fingerprints,
                            directory_.Delete(unit_id, audit));
  const std::string message = absl::StrCat("device ", unit_id, " was deleted by ", caller.user);
  sessions_.EndSessionsOf(unit_id, message);
  edges_.DropDevice(unit_id, message, std::move(fingerprints));
  return absl::OkStatus();
}

absl::Status DeviceService::Audit(const Caller& caller, absl::string_view action,
                                  const v1::Device& device, absl::string_view detail) {
  return audit_.Append({.actor = caller.user,
                        .action = std::string(action),
                        .resource = device.name(),
                        .outcome = v1::AuditEvent::SUCCEEDED,
                        .peer_address = caller.peer_address,
                        .detail = std::string(detail)});
}

}  // namespace fairlead::control
