// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// What a peer may make libtelnet do: subnegotiations pass only if they belong to an option that is
// in use, and only up to a length. So nobody can switch compression on (MCCP2, which libtelnet
// accepts unasked) or have buffers grow, and what follows an oversize subnegotiation is not taken
// for terminal bytes. Stands before telnet_recv at both ends. Sans-I/O.
#ifndef FAIRLEAD_TERMINAL_TELNET_FILTER_H_
#define FAIRLEAD_TERMINAL_TELNET_FILTER_H_

#include <bitset>
#include <cstddef>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace fairlead::terminal {

// The longest subnegotiation that passes, in bytes of payload.
inline constexpr std::size_t kMaxSubnegotiationBytes = 256;

// Thread: one.
class TelnetFilter {
 public:
  // `options`: those whose subnegotiations pass.
  explicit TelnetFilter(std::vector<unsigned char> options) : options_(std::move(options)) {}

  // What is left of the next bytes of the stream. Valid until the next call, and while `bytes` is.
  absl::string_view Filter(absl::string_view bytes);

  // Whether the last that the peer said of `option` on this side was DONT. libtelnet does not tell
  // when an offer is refused.
  bool HeardDont(unsigned char option) const { return dont_[option]; }

 private:
  enum class State { kData, kIac, kOption, kSubOption, kSub, kSubIac };

  void Step(unsigned char byte);
  void StepSub(unsigned char byte);
  void EndSub(unsigned char byte);
  void Pass(unsigned char byte) { out_.push_back(static_cast<char>(byte)); }

  const std::vector<unsigned char> options_;
  State state_ = State::kData;
  // Of the current subnegotiation.
  bool passes_ = false;
  std::size_t length_ = 0;
  std::string out_;
  // The command whose option comes next.
  unsigned char command_ = 0;
  std::bitset<256> dont_;
};

}  // namespace fairlead::terminal

#endif  // FAIRLEAD_TERMINAL_TELNET_FILTER_H_
