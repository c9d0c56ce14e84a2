// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Checks UTF-8 that arrives in pieces, at any split. Sans-I/O; used by the frame codec for text
// messages and the reasons of close frames.
#ifndef FAIRLEAD_DATAPLANE_UTF8_CHECKER_H_
#define FAIRLEAD_DATAPLANE_UTF8_CHECKER_H_

#include <cstdint>
#include <span>

namespace fairlead::dataplane {

// Follows RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF.
// Thread: one.
class Utf8Checker {
 public:
  // Takes the next piece. False as soon as no continuation could make it UTF-8; final.
  bool Add(std::span<const std::uint8_t> piece);

  // Whether what was taken ends with a whole character.
  bool complete() const { return left_ == 0; }

  void Reset() { *this = Utf8Checker(); }

 private:
  bool AddByte(std::uint8_t byte);

  // Continuation bytes that the current character still wants, and the range of the next one.
  std::uint8_t left_ = 0;
  std::uint8_t low_ = 0x80;
  std::uint8_t high_ = 0xBF;
};

}  // namespace fairlead::dataplane

#endif  // FAIRLEAD_DATAPLANE_UTF8_CHECKER_H_
