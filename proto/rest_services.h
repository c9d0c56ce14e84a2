// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// The one list of services that have a REST form. Used by the server (gateway's adapters) and by
// the console's REST client, so that both know the same paths.
#ifndef FAIRLEAD_PROTO_REST_SERVICES_H_
#define FAIRLEAD_PROTO_REST_SERVICES_H_

#include <google/protobuf/descriptor.h>

#include <vector>

namespace fairlead::proto {

// The services, in the order of the contract. Lifetime: the descriptors live for ever.
std::vector<const google::protobuf::ServiceDescriptor*> RestServices();

}  // namespace fairlead::proto

#endif  // FAIRLEAD_PROTO_REST_SERVICES_H_
