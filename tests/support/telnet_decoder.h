// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// A small Telnet client for tests, written for them alone so that our own codecs are judged by
// something else (RFC 854, 856, 857, 858, 1073). Accepts ECHO, SGA and BINARY, answers NAWS.
#ifndef FAIRLEAD_TESTS_SUPPORT_TELNET_DECODER_H_
#define FAIRLEAD_TESTS_SUPPORT_TELNET_DECODER_H_

#include <cstdint>
#include <set>
#include <string>

#include "absl/strings/string_view.h"

namespace fairlead::tests {

// Thread: one.
class TelnetDecoder {
 public:
  // Appends what the terminal shows to `output` and what is to be sent back to `answers`.
  void Feed(absl::string_view bytes, std::string* output, std::string* answers);

  // Terminal input as it is sent: 0xFF doubled.
  static std::string Escape(absl::string_view bytes);

  // The options that the peer has said it will use, and has asked us to use.
  const std::set<int>& peer_will() const { return peer_will_; }
  const std::set<int>& peer_do() const { return peer_do_; }
  // The first bytes of the stream, at most 64.
  const std::string& beginning() const { return beginning_; }

 private:
  enum class State { kData, kCommand, kOption, kSub, kSubCommand };

  void OnOption(std::uint8_t option, std::string* answers);
  void Answer(std::uint8_t command, std::uint8_t option, std::string* answers);

  State state_ = State::kData;
  std::uint8_t command_ = 0;
  bool after_cr_ = false;
  std::set<int> peer_will_;
  std::set<int> peer_do_;
  std::string beginning_;
};

}  // namespace fairlead::tests

#endif  // FAIRLEAD_TESTS_SUPPORT_TELNET_DECODER_H_
