// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
#include "terminal/telnet_filter.h"

#include <libtelnet.h>

#include <algorithm>

namespace fairlead::terminal {

absl::string_view TelnetFilter::Filter(absl::string_view bytes) {
  // Nearly all that is ever sent.
  const bool plain = state_ == State::kData &&
                     bytes.find(static_cast<char>(TELNET_IAC)) == absl::string_view::npos;
  if (plain) return bytes;
  out_.clear();
  for (const char c : bytes) Step(static_cast<unsigned char>(c));
  return out_;
}

void TelnetFilter::Step(unsigned char byte) {
  switch (state_) {
    case State::kData:
      if (byte == TELNET_IAC) {
        state_ = State::kIac;
      } else {
        Pass(byte);
      }
      return;
    case State::kIac:
      if (byte == TELNET_SB) {
        state_ = State::kSubOption;
        return;
      }
      Pass(TELNET_IAC);
      Pass(byte);
      command_ = byte;
      state_ = byte >= TELNET_WILL && byte <= TELNET_DONT ? State::kOption : State::kData;
      return;
    case State::kOption:
      Pass(byte);
      if (command_ == TELNET_DONT) dont_.set(byte);
      if (command_ == TELNET_DO) dont_.reset(byte);
      state_ = State::kData;
      return;
    case State::kSubOption:
      passes_ = std::find(options_.begin(), options_.end(), byte) != options_.end();
      length_ = 0;
      state_ = State::kSub;
      if (!passes_) return;
      Pass(TELNET_IAC);
      Pass(TELNET_SB);
      Pass(byte);
      return;
    case State::kSub:
    case State::kSubIac:
      StepSub(byte);
      return;
  }
}

void TelnetFilter::StepSub(unsigned char byte) {
  const bool after_iac = state_ == State::kSubIac;
  if (!after_iac && byte == TELNET_IAC) {
    state_ = State::kSubIac;
    return;
  }
  if (after_iac && byte != TELNET_IAC) return EndSub(byte);
  state_ = State::kSub;
  if (!passes_ || length_ == kMaxSubnegotiationBytes) return;
  ++length_;
  if (byte == TELNET_IAC) Pass(TELNET_IAC);
  Pass(byte);
}

void TelnetFilter::EndSub(unsigned char byte) {
  if (passes_) {
    Pass(TELNET_IAC);
    Pass(TELNET_SE);
  }
  state_ = State::kData;
  if (byte == TELNET_SE) return;
  // Ended by another command, which counts.
  state_ = State::kIac;
  Step(byte);
}

}  // namespace fairlead::terminal
