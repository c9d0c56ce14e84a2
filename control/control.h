// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// The control plane as one object: store, certificate authority, directory, sessions, links and
// services. Composed with a gateway by server_main.cc; tests compose it with fakes.
#ifndef FAIRLEAD_CONTROL_CONTROL_H_
#define FAIRLEAD_CONTROL_CONTROL_H_

#include <grpcpp/channel.h>
#include <grpcpp/impl/codegen/service_type.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "base/call_peer.h"
#include "base/edge_dialer.h"
#include "control/certificate_authority.h"

namespace fairlead::control {

struct ControlOptions {
  // Where keys and store are kept; made if missing.
  std::string state_dir;
  // The server's name, in its certificate and towards edges.
  std::string server_name = "ums";
  // The first administrator's password; empty to have one made in <state_dir>/admin_password.
  std::string admin_password;
  // Threads for calls; at least 2.
  int worker_threads = 8;
  // 0 for any number.
  int sessions_per_user_per_minute = 100;
  // A token expires when it was not used for this long.
  absl::Duration token_idle_timeout = absl::Minutes(30);
  // How often a watch's token is looked at.
  absl::Duration token_check_interval = absl::Seconds(15);
  // Further origins from which browsers may open Console tunnels, for example
  // "https://terminal.example".
  std::vector<std::string> allowed_origins;
  // Whether Consoles that cannot reach a session's ICG may go through the server.
  bool consoles_through_server = false;
  // Dials ICGs; null where that cannot be: they then stay disconnected. Outlives the control.
  EdgeDialer* edge_dialer = nullptr;
};

// Lifecycle: Create; register services(); SetCallPeers and SetPublicAddress; Start; Stop, while the
// gRPC server still runs; shut the gRPC server down; destroy.
// Thread: one; services() are called by gRPC's.
class Control {
 public:
  // Opens or creates everything in the state folder.
  // Errors: FAILED_PRECONDITION, INVALID_ARGUMENT, INTERNAL: the state folder or the password
  // cannot be used; the message says what to do.
  static absl::StatusOr<std::unique_ptr<Control>> Create(ControlOptions options);
  // Stops.
  ~Control();

  // To register with the gRPC server that the gateway serves.
  std::vector<grpc::Service*> services();

  const CertificateAuthority& authority() const;
  // What the server shows the devices that it dials. Any thread, before Stop.
  // Errors: INTERNAL.
  absl::StatusOr<IssuedIdentity> DialIdentity();
  // Where the first administrator's password was written; empty if none was made now.
  const std::string& made_password_file() const;

  // Who is behind gRPC calls. Must outlive the calls.
  void SetCallPeers(const CallPeerResolver* peers);
  // Where devices and Consoles reach the server, "host:port".
  void SetPublicAddress(absl::string_view address);

  // Links the server's own edge and all registered ICGs.
  // Errors: FAILED_PRECONDITION it was started before; the store's.
  absl::Status Start(std::shared_ptr<grpc::Channel> local_edge);

  // Ends all sessions and links, and writes what is left to write. Idempotent.
  void Stop();

 private:
  struct Parts;
  explicit Control(std::unique_ptr<Parts> parts);

  const std::unique_ptr<Parts> parts_;
};

}  // namespace fairlead::control

#endif  // FAIRLEAD_CONTROL_CONTROL_H_
