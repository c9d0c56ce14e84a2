// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// See rest_services.h. A service is found by its file, which a message of the file leads to: so the
// linker keeps the file, and its options are registered.
#include "proto/rest_services.h"

#include "proto/audit.pb.h"
#include "proto/auth.pb.h"
#include "proto/device.pb.h"
#include "proto/enrollment.pb.h"
#include "proto/icg.pb.h"
#include "proto/role.pb.h"
#include "proto/session.pb.h"
#include "proto/user.pb.h"

namespace fairlead::proto {

std::vector<const google::protobuf::ServiceDescriptor*> RestServices() {
  std::vector<const google::protobuf::ServiceDescriptor*> services;
  for (const google::protobuf::Descriptor* message :
       {v1::LoginRequest::descriptor(), v1::GetDeviceRequest::descriptor(),
        v1::GetSessionRequest::descriptor(), v1::CreateFirstAuthenticationKeyRequest::descriptor(),
        v1::RegisterIcgRequest::descriptor(), v1::GetUserRequest::descriptor(),
        v1::GetRoleRequest::descriptor(), v1::ListAuditEventsRequest::descriptor()}) {
    const google::protobuf::FileDescriptor* file = message->file();
    for (int i = 0; i < file->service_count(); ++i) services.push_back(file->service(i));
  }
  return services;
}

}  // namespace fairlead::proto
