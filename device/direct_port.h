// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// The TLS port of an OS 11 device: servers of our CA open it, and each connection is a terminal
// over Telnet, unless ALPN says that it is a probe. The agent's main program owns one.
#ifndef FAIRLEAD_DEVICE_DIRECT_PORT_H_
#define FAIRLEAD_DEVICE_DIRECT_PORT_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "dataplane/asio.h"
#include "dataplane/stream_listener.h"
#include "dataplane/tls_context.h"
#include "device/identity.h"
#include "device/state_dir.h"
#include "device/terminals.h"

namespace fairlead::device {

// Shows the device's certificate as it is at the time of each handshake, and demands one with the
// server role, signed by the CA that enrolment told of. Revocations are not known to a device.
// Thread: the executor's, which must be the thread of Pty's contract.
// Lifetime: must outlive the executor's last run; the references must outlive it.
class DirectPort {
 public:
  // `ca_pem`: the CA of servers where enrolment told of none; may be empty.
  DirectPort(net::any_io_executor executor, dataplane::StreamListenerOptions options,
             const StateDir& state, const Identity& identity, std::string ca_pem,
             Terminals& terminals);

  // Errors: as dataplane::Listen.
  absl::Status Start() { return listener_.Start(); }
  // After Start.
  std::vector<std::uint16_t> ports() const { return listener_.ports(); }
  // Accepts no more; terminals go on.
  void Stop() { listener_.Stop(); }

 private:
  // Null while the device is not enrolled.
  std::shared_ptr<SSL_CTX> Context();
  std::string CaPem() const;

  const StateDir& state_;
  const Identity& identity_;
  const std::string ca_pem_;
  // For the chain and the CA that these hold.
  std::shared_ptr<dataplane::TlsServerContext> tls_;
  std::string tls_chain_;
  std::string tls_ca_;
  dataplane::StreamListener listener_;
};

}  // namespace fairlead::device

#endif  // FAIRLEAD_DEVICE_DIRECT_PORT_H_
