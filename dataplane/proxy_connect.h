// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Asking an HTTP proxy for a tunnel (RFC 9110 section 9.3.6): the request, and the head of the
// answer. Sans-I/O; used by DialTls.
#ifndef FAIRLEAD_DATAPLANE_PROXY_CONNECT_H_
#define FAIRLEAD_DATAPLANE_PROXY_CONNECT_H_

#include <cstddef>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "dataplane/endpoint.h"

namespace fairlead::dataplane {

// What to send to a proxy so that it connects to `target`.
std::string ConnectRequest(const Endpoint& target);

// Reads a proxy's answer as it comes in.
// Thread: one at a time.
class ProxyAnswer {
 public:
  // The largest head that is read.
  static constexpr std::size_t kMaxHeadBytes = 8 * 1024;

  enum class State {
    kReading,
    // status() and phrase() are set.
    kDone,
    // It is not an HTTP/1 answer, or too large; problem() says which.
    kFailed,
  };

  // Takes in what came next. Not to be called after the end.
  State Feed(absl::string_view bytes);

  State state() const { return state_; }
  // From 100 to 599.
  int status() const { return status_; }
  // What the proxy says to it, printable, at most 60 bytes; may be empty.
  const std::string& phrase() const { return phrase_; }
  const std::string& problem() const { return problem_; }
  // Bytes that followed the head.
  std::size_t excess() const { return excess_; }

 private:
  State Fail(absl::string_view problem);
  State ReadStatusLine(absl::string_view line);

  State state_ = State::kReading;
  std::string head_;
  std::size_t excess_ = 0;
  int status_ = 0;
  std::string phrase_;
  std::string problem_;
};

// Whether the tunnel is there, after the end of the answer.
// Errors: UNAVAILABLE it is not; names proxy, target and the proxy's answer.
absl::Status TunnelStatus(const Endpoint& proxy, const Endpoint& target, const ProxyAnswer& answer);

}  // namespace fairlead::dataplane

#endif  // FAIRLEAD_DATAPLANE_PROXY_CONNECT_H_
