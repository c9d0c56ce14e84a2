// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Where the parts of an edge tell what happened: the link to the server takes it from here. Given
// to the device hub and the routes, implemented by EdgeServer, faked in tests.
#ifndef FAIRLEAD_GATEWAY_EDGE_EVENTS_H_
#define FAIRLEAD_GATEWAY_EDGE_EVENTS_H_

#include "absl/status/statusor.h"
#include "dataplane/asio.h"
#include "proto/edge.pb.h"

namespace fairlead::gateway {

// Thread: all methods may be called from any thread, also with the caller's locks held.
class EdgeEventSink {
 public:
  virtual ~EdgeEventSink() = default;

  // Tells the server, in the order of the calls. With no link it only updates what the next link's
  // snapshot says.
  virtual void Publish(v1::EdgeEvent event) = 0;

  // Tells of a refusal for the audit log; the time is filled in. A flood of them is thinned out, so
  // that strangers cannot crowd out what matters.
  virtual void PublishRefusal(v1::EdgeRefusal refusal) = 0;
};

// Carries enrolment requests to the server and back.
class EstForwarder {
 public:
  virtual ~EstForwarder() = default;

  // Sends `request` (its number is filled in) and waits for the answer.
  // Errors: UNAVAILABLE no server is linked, or the link was lost; DEADLINE_EXCEEDED no answer in
  // time; RESOURCE_EXHAUSTED too many requests wait.
  // Thread: any coroutine.
  virtual dataplane::net::awaitable<absl::StatusOr<v1::EstResponse>> Forward(
      v1::EstRequest request) = 0;
};

}  // namespace fairlead::gateway

#endif  // FAIRLEAD_GATEWAY_EDGE_EVENTS_H_
