// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// What the coordinator and a link to an edge need of each other. EdgeLink (edge_link.h) is the link
// over gRPC; tests have their own.
#ifndef FAIRLEAD_CONTROL_EDGE_CONNECTION_H_
#define FAIRLEAD_CONTROL_EDGE_CONNECTION_H_

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "proto/edge.pb.h"

namespace fairlead::control {

// The way to an edge.
// Thread: the serial executor.
class EdgeConnection {
 public:
  virtual ~EdgeConnection() = default;

  // Queues a command. False if the link is down or cannot keep up; it is then lost.
  virtual bool Send(const v1::EdgeCommand& command) = 0;
};

// All edges, for those who have something to say to one of them.
// Thread: the serial executor.
class EdgeSender {
 public:
  virtual ~EdgeSender() = default;

  // As EdgeConnection::Send; false also if there is no such edge.
  virtual bool SendTo(absl::string_view edge, const v1::EdgeCommand& command) = 0;
  // Sends to a device by the edge that it is connected to. False if it is offline.
  virtual bool SendToDevice(absl::string_view unit_id, const v1::ServerMessage& message) = 0;
};

// Told of what an edge says. `edge` is the edge's name.
// Thread: the serial executor.
class EdgeObserver {
 public:
  virtual ~EdgeObserver() = default;

  // What the edge must know, asked for when a link is opened.
  virtual v1::EdgeConfiguration Configuration(absl::string_view edge) = 0;
  // The link is up; the snapshot follows.
  virtual void OnEdgeUp(absl::string_view edge, const v1::EdgeHello& hello) = 0;
  virtual void OnEdgeEvent(absl::string_view edge, const v1::EdgeEvent& event) = 0;
  // The link that was up is down.
  virtual void OnEdgeDown(absl::string_view edge, const absl::Status& status) = 0;
  // An attempt to link it has failed; the next one follows.
  virtual void OnEdgeUnreachable(absl::string_view edge, const absl::Status& status) = 0;
};

}  // namespace fairlead::control

#endif  // FAIRLEAD_CONTROL_EDGE_CONNECTION_H_
