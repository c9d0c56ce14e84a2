// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// DeviceService: the directory of devices and their terminal settings, for callers.
#ifndef FAIRLEAD_CONTROL_DEVICE_SERVICE_H_
#define FAIRLEAD_CONTROL_DEVICE_SERVICE_H_

#include "absl/status/status.h"
#include "control/audit_log.h"
#include "control/call.h"
#include "control/device_directory.h"
#include "control/edge_controller.h"
#include "control/session_coordinator.h"
#include "control/watch_support.h"
#include "proto/device.grpc.pb.h"

namespace fairlead::control {

// Lifetime: all parameters outlive it; it outlives the gRPC server.
class DeviceService : public v1::DeviceService::CallbackService {
 public:
  DeviceService(const CallSupport& support, const WatchSupport& watches, DeviceDirectory& directory,
                EdgeController& edges, SessionCoordinator& sessions, AuditLog& audit)
      : support_(support),
        watches_(watches),
        directory_(directory),
        edges_(edges),
        sessions_(sessions),
        audit_(audit) {}

  grpc::ServerUnaryReactor* ListDevices(grpc::CallbackServerContext* context,
                                        const v1::ListDevicesRequest* request,
                                        v1::ListDevicesResponse* response) override;
  grpc::ServerUnaryReactor* GetDevice(grpc::CallbackServerContext* context,
                                      const v1::GetDeviceRequest* request,
                                      v1::Device* response) override;
  grpc::ServerUnaryReactor* CreateDevice(grpc::CallbackServerContext* context,
                                         const v1::CreateDeviceRequest* request,
                                         v1::Device* response) override;
  grpc::ServerUnaryReactor* UpdateDevice(grpc::CallbackServerContext* context,
                                         const v1::UpdateDeviceRequest* request,
                                         v1::Device* response) override;
  grpc::ServerUnaryReactor* ChangeDeviceTags(grpc::CallbackServerContext* context,
                                             const v1::ChangeDeviceTagsRequest* request,
                                             v1::Device* response) override;
  grpc::ServerUnaryReactor* UpdateTerminalSettings(grpc::CallbackServerContext* context,
                                                   const v1::UpdateTerminalSettingsRequest* request,
                                                   v1::TerminalSettings* response) override;
  grpc::ServerUnaryReactor* DeleteDevice(grpc::CallbackServerContext* context,
                                         const v1::DeleteDeviceRequest* request,
                                         v1::DeleteDeviceResponse* response) override;
  grpc::ServerWriteReactor<v1::DeviceEvent>* WatchDevices(
      grpc::CallbackServerContext* context, const v1::WatchDevicesRequest* request) override;

 private:
  absl::Status List(const v1::ListDevicesRequest& request, v1::ListDevicesResponse* response);
  absl::Status Create(const Caller& caller, const v1::CreateDeviceRequest& request,
                      v1::Device* response);
  absl::Status Update(const Caller& caller, const v1::UpdateDeviceRequest& request,
                      v1::Device* response);
  absl::Status ChangeTags(const Caller& caller, const v1::ChangeDeviceTagsRequest& request,
                          v1::Device* response);
  absl::Status UpdateSettings(const Caller& caller,
                              const v1::UpdateTerminalSettingsRequest& request,
                              v1::TerminalSettings* response);
  absl::Status Delete(const Caller& caller, const v1::DeleteDeviceRequest& request);
  absl::Status Audit(const Caller& caller, absl::string_view action, const v1::Device& device,
                     absl::string_view detail);

  const CallSupport support_;
  const WatchSupport watches_;
  DeviceDirectory& directory_;
  EdgeController& edges_;
  SessionCoordinator& sessions_;
  AuditLog& audit_;
};

}  // namespace fairlead::control

#endif  // FAIRLEAD_CONTROL_DEVICE_SERVICE_H_
