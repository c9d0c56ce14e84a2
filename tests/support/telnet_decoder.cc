// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// See telnet_decoder.h.
#include "tests/support/telnet_decoder.h"

namespace fairlead::tests {
namespace {

constexpr std::uint8_t kSe = 240;
constexpr std::uint8_t kSb = 250;
constexpr std::uint8_t kWill = 251;
constexpr std::uint8_t kWont = 252;
constexpr std::uint8_t kDo = 253;
constexpr std::uint8_t kDont = 254;
constexpr std::uint8_t kIac = 255;

constexpr std::uint8_t kBinary = 0;
constexpr std::uint8_t kEcho = 1;
constexpr std::uint8_t kSuppressGoAhead = 3;
constexpr std::uint8_t kNaws = 31;

// IAC SB NAWS 80 24 IAC SE.
constexpr char kWindowSize[] = "\xff\xfa\x1f\x00\x50\x00\x18\xff\xf0";

void Append(std::uint8_t byte, std::string* text) { text->push_back(static_cast<char>(byte)); }

}  // namespace

std::string TelnetDecoder::Escape(absl::string_view bytes) {
  std::string escaped;
  for (const char c : bytes) {
    escaped.push_back(c);
    if (c == '\xff') escaped.push_back(c);
  }
  return escaped;
}

void TelnetDecoder::Feed(absl::string_view bytes, std::string* output, std::string* answers) {
  for (const char c : bytes) {
    const auto byte = static_cast<std::uint8_t>(c);
    if (beginning_.size() < 64) beginning_.push_back(c);
    const bool after_cr = after_cr_;
    after_cr_ = false;
    switch (state_) {
      case State::kData:
        if (byte == kIac) {
          state_ = State::kCommand;
          after_cr_ = after_cr;
        } else if (byte != 0 || !after_cr) {
          Append(byte, output);
          after_cr_ = byte == '\r' && peer_will_.count(kBinary) == 0;
        }
        break;
      case State::kCommand:
        command_ = byte;
        state_ = byte >= kWill && byte <= kDont ? State::kOption
                 : byte == kSb                  ? State::kSub
                                                : State::kData;
        if (byte == kIac) Append(byte, output);
        break;
      case State::kOption:
        state_ = State::kData;
        OnOption(byte, answers);
        break;
      case State::kSub:
        if (byte == kIac) state_ = State::kSubCommand;
        break;
      case State::kSubCommand:
        state_ = byte == kSe ? State::kData : State::kSub;
        break;
    }
  }
}

void TelnetDecoder::OnOption(std::uint8_t option, std::string* answers) {
  if (command_ == kWill && peer_will_.insert(option).second) {
    const bool wanted = option == kBinary || option == kEcho || option == kSuppressGoAhead;
    Answer(wanted ? kDo : kDont, option, answers);
  } else if (command_ == kDo && peer_do_.insert(option).second) {
    const bool wanted = option == kBinary || option == kSuppressGoAhead || option == kNaws;
    Answer(wanted ? kWill : kWont, option, answers);
    if (option == kNaws) answers->append(kWindowSize, sizeof kWindowSize - 1);
  } else if (command_ == kWont) {
    peer_will_.erase(option);
  } else if (command_ == kDont) {
    peer_do_.erase(option);
  }
}

void TelnetDecoder::Answer(std::uint8_t command, std::uint8_t option, std::string* answers) {
  Append(kIac, answers);
  Append(command, answers);
  Append(option, answers);
}

}  // namespace fairlead::tests
