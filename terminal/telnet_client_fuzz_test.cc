// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Arbitrary bytes from the network: the Console's side of Telnet gives the same in one chunk and
// byte by byte, shows no more than it was sent and answers in proportion. What it encodes, a peer
// without options would decode to what was typed.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "absl/strings/string_view.h"
#include "terminal/telnet_client.h"

namespace {

using fairlead::terminal::TelnetClient;
using fairlead::terminal::WindowSize;

void Require(bool fact) {
  if (!fact) std::abort();
}

void CheckReceive(absl::string_view bytes) {
  TelnetClient whole("xterm-256color", WindowSize());
  TelnetClient split("xterm-256color", WindowSize());
  const TelnetClient::Received at_once = whole.Receive(bytes);
  TelnetClient::Received pieces;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const TelnetClient::Received one = split.Receive(bytes.substr(i, 1));
    pieces.output += one.output;
    pieces.answers += one.answers;
  }
  Require(at_once.output == pieces.output && at_once.answers == pieces.answers);
  Require(at_once.output.size() <= bytes.size());
  Require(at_once.answers.size() <= 8 * bytes.size());
  Require(whole.Resize(WindowSize{255, 255}) == split.Resize(WindowSize{255, 255}));
}

void CheckEncode(absl::string_view typed) {
  TelnetClient client("xterm", WindowSize());
  const std::string sent = client.Encode(typed);
  std::string decoded;
  for (std::size_t i = 0; i < sent.size(); ++i) {
    decoded.push_back(sent[i]);
    if (sent[i] == '\xff') Require(++i < sent.size() && sent[i] == '\xff');
    if (sent[i] == '\r') Require(++i < sent.size() && sent[i] == '\0');
  }
  Require(decoded == typed);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const absl::string_view bytes(reinterpret_cast<const char*>(data), size);
  CheckReceive(bytes);
  CheckEncode(bytes);
  return 0;
}
