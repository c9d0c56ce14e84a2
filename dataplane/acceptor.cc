// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
#include "dataplane/acceptor.h"

#include <boost/asio/ip/v6_only.hpp>
#include <cstdint>
#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "base/status.h"

namespace fairlead::dataplane {
namespace {

using net::ip::tcp;

absl::StatusOr<tcp::endpoint> ParseAddress(absl::string_view text) {
  const std::size_t colon = text.rfind(':');
  std::uint32_t port = 0;
  error_code error;
  net::ip::address address;
  if (colon == absl::string_view::npos || !absl::SimpleAtoi(text.substr(colon + 1), &port) ||
      port > 65535) {
    error = net::error::invalid_argument;
  } else {
    absl::string_view host = text.substr(0, colon);
    const bool bracketed = absl::ConsumePrefix(&host, "[") && absl::ConsumeSuffix(&host, "]");
    address = net::ip::make_address(std::string(host), error);
    if (!error && address.is_v6() != bracketed) error = net::error::invalid_argument;
  }
  if (error) {
    return absl::InvalidArgumentError(absl::StrCat(
        "\"", text, "\" is no address to listen on; write it as 0.0.0.0:8443 or [::]:8443"));
  }
  return tcp::endpoint(address, static_cast<std::uint16_t>(port));
}

absl::Status ListenError(absl::string_view address, const error_code& error) {
  if (error == net::error::address_in_use) {
    return absl::UnavailableError(
        absl::StrCat("cannot listen on ", address,
                     ": another program uses this port; stop it or choose another port"));
  }
  if (error == net::error::access_denied) {
    return absl::PermissionDeniedError(absl::StrCat(
        "cannot listen on ", address, ": ports below 1024 need a privilege; choose a higher one"));
  }
  if (error == boost::system::errc::address_not_available) {
    return absl::InvalidArgumentError(absl::StrCat(
        "cannot listen on ", address, ": this machine has no such address; use one of its own"));
  }
  return absl::UnavailableError(absl::StrCat("cannot listen on ", address, ": ", error.message()));
}

}  // namespace

absl::StatusOr<tcp::acceptor> Listen(const net::any_io_executor& executor,
                                     absl::string_view address) {
  FAIRLEAD_ASSIGN_OR_RETURN(const tcp::endpoint endpoint, ParseAddress(address));
  tcp::acceptor acceptor(executor);
  error_code error;
  acceptor.open(endpoint.protocol(), error);
  if (!error) acceptor.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error && endpoint.address().is_v6()) {
    acceptor.set_option(net::ip::v6_only(true), error);
  }
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(net::socket_base::max_listen_connections, error);
  if (error) return ListenError(address, error);
  return acceptor;
}

}  // namespace fairlead::dataplane
