// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Listening sockets from addresses as people write them, with sentences for what can go wrong. Used
// by both listeners.
#ifndef FAIRLEAD_DATAPLANE_ACCEPTOR_H_
#define FAIRLEAD_DATAPLANE_ACCEPTOR_H_

#include <boost/asio/ip/tcp.hpp>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "dataplane/asio.h"

namespace fairlead::dataplane {

// Listens on `address`: "0.0.0.0:8443", "[::]:8443"; port 0 picks one. An IPv6 socket takes IPv6
// only. Errors: INVALID_ARGUMENT a bad address, or none of this machine; UNAVAILABLE it is in use;
// PERMISSION_DENIED a privileged port.
absl::StatusOr<net::ip::tcp::acceptor> Listen(const net::any_io_executor& executor,
                                              absl::string_view address);

}  // namespace fairlead::dataplane

#endif  // FAIRLEAD_DATAPLANE_ACCEPTOR_H_
