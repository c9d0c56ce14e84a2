// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// See endpoint.h.
#include "dataplane/endpoint.h"

#include <algorithm>
#include <boost/asio/ip/address_v6.hpp>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "base/status.h"
#include "dataplane/asio.h"

namespace fairlead::dataplane {
namespace {

enum class Port { kOptional, kDemanded };

// What is wrong; the caller says with what.
absl::Status Wrong(absl::string_view what) { return absl::InvalidArgumentError(what); }

absl::Status Unusable(absl::string_view text, absl::string_view kind, const absl::Status& wrong) {
  return absl::InvalidArgumentError(
      absl::StrCat("\"", text, "\" is not a usable ", kind, ": ", wrong.message()));
}

bool IsHostCharacter(char c) { return absl::ascii_isalnum(c) || c == '-' || c == '.' || c == '_'; }

absl::Status CheckHost(absl::string_view host, bool bracketed) {
  if (host.empty()) return Wrong("it names no host");
  if (bracketed) {
    error_code error;
    net::ip::make_address_v6(std::string(host).c_str(), error);
    return error ? Wrong("what is in brackets is no IPv6 address") : absl::OkStatus();
  }
  if (host.size() > 253 || !std::all_of(host.begin(), host.end(), IsHostCharacter)) {
    return Wrong(absl::StrCat("\"", host, "\" cannot be a host name"));
  }
  return absl::OkStatus();
}

// Fills host and, if there is one, port.
absl::Status ReadAuthority(absl::string_view authority, Port wanted, Endpoint& endpoint) {
  for (const char c : authority) {
    if (!absl::ascii_isgraph(c)) return Wrong("it holds a character that must be escaped");
  }
  if (absl::StrContains(authority, "@")) {
    return Wrong("user name and password do not belong into it");
  }
  const bool bracketed = absl::ConsumePrefix(&authority, "[");
  const std::size_t end = bracketed ? authority.find(']') : authority.find(':');
  if (bracketed && end == absl::string_view::npos) return Wrong("a \"]\" is missing");
  const absl::string_view host = authority.substr(0, end);
  FAIRLEAD_RETURN_IF_ERROR(CheckHost(host, bracketed));
  endpoint.host = std::string(host);
  absl::string_view port = end == absl::string_view::npos ? "" : authority.substr(end);
  if (bracketed) absl::ConsumePrefix(&port, "]");
  if (port.empty() && wanted == Port::kOptional) return absl::OkStatus();
  std::uint32_t number = 0;
  if (!absl::ConsumePrefix(&port, ":") || port.size() > 5 || !absl::SimpleAtoi(port, &number) ||
      number == 0 || number > 65535 || !absl::ascii_isdigit(port[0])) {
    return Wrong("the port must be a number from 1 to 65535");
  }
  endpoint.port = static_cast<std::uint16_t>(number);
  return absl::OkStatus();
}

absl::Status ReadUrl(absl::string_view url, Endpoint& endpoint) {
  if (!absl::ConsumePrefix(&url, "https://") && !absl::ConsumePrefix(&url, "wss://")) {
    return Wrong("it must begin with https:// or wss://");
  }
  for (const char c : url) {
    if (!absl::ascii_isgraph(c)) return Wrong("it holds a character that must be escaped");
  }
  if (absl::StrContains(url, "#")) return Wrong("a fragment (#) has no meaning here");
  const std::size_t end = url.find_first_of("/?");
  FAIRLEAD_RETURN_IF_ERROR(ReadAuthority(url.substr(0, end), Port::kOptional, endpoint));
  if (end != absl::string_view::npos) {
    endpoint.target = absl::StrCat(url[end] == '?' ? "/" : "", url.substr(end));
  }
  return absl::OkStatus();
}

absl::Status ReadProxy(absl::string_view url, Endpoint& endpoint) {
  if (!absl::ConsumePrefix(&url, "http://")) {
    return Wrong("it must begin with http://, as in http://proxy.example:3128");
  }
  if (absl::StrContains(url, "@")) {
    return Wrong("proxies with log-in are not supported; leave user name and password away");
  }
  absl::ConsumeSuffix(&url, "/");
  return ReadAuthority(url, Port::kDemanded, endpoint);
}

}  // namespace

absl::StatusOr<Endpoint> ParseUrl(absl::string_view url) {
  Endpoint endpoint;
  const absl::Status read = ReadUrl(url, endpoint);
  if (!read.ok()) return Unusable(url, "URL", read);
  return endpoint;
}

absl::StatusOr<Endpoint> ParseProxy(absl::string_view url) {
  Endpoint endpoint;
  const absl::Status read = ReadProxy(url, endpoint);
  // Without the text, in which there may be a password.
  if (absl::StrContains(url, "@")) return Unusable("...@...", "proxy", read);
  if (!read.ok()) return Unusable(url, "proxy", read);
  return endpoint;
}

absl::StatusOr<Endpoint> ParseAddress(absl::string_view address) {
  Endpoint endpoint;
  const absl::Status read = ReadAuthority(address, Port::kDemanded, endpoint);
  if (!read.ok()) return Unusable(address, "address, which is host:port", read);
  return endpoint;
}

}  // namespace fairlead::dataplane
