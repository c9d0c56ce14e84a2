// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Covers the Console's side of Telnet: every vector of testdata/telnet_vectors.json, at once and
// byte by byte, and what hostile peers make of memory.
#include "terminal/telnet_client.h"

#include <fstream>
#include <string>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "terminal/telnet_filter.h"

namespace fairlead::terminal {
namespace {

constexpr char kVectors[] = "terminal/testdata/telnet_vectors.json";

std::string Bytes(const nlohmann::json& hex) {
  return absl::HexStringToBytes(hex.get<std::string>());
}

std::string Hex(const std::string& bytes) { return absl::BytesToHexString(bytes); }

nlohmann::json Vectors() {
  std::ifstream file(kVectors);
  return nlohmann::json::parse(file)["vectors"];
}

// Gives `bytes` to the client in pieces of `piece` bytes.
TelnetClient::Received Receive(TelnetClient& client, const std::string& bytes, std::size_t piece) {
  TelnetClient::Received all;
  for (std::size_t at = 0; at < bytes.size(); at += piece) {
    const TelnetClient::Received some = client.Receive(bytes.substr(at, piece));
    all.output += some.output;
    all.answers += some.answers;
  }
  return all;
}

void Play(const nlohmann::json& step, TelnetClient& client, std::size_t piece) {
  if (step.contains("receive")) {
    const TelnetClient::Received received = Receive(client, Bytes(step["receive"]), piece);
    EXPECT_EQ(Hex(received.output), step["output"]);
    EXPECT_EQ(Hex(received.answers), step["answers"]);
  } else if (step.contains("type")) {
    std::string sent;
    const std::string typed = Bytes(step["type"]);
    for (std::size_t at = 0; at < typed.size(); at += piece) {
      sent += client.Encode(typed.substr(at, piece));
    }
    EXPECT_EQ(Hex(sent), step["send"]);
  } else {
    WindowSize size;
    size.columns = step["resize"][0];
    size.rows = step["resize"][1];
    EXPECT_EQ(Hex(client.Resize(size)), step["send"]);
  }
}

TEST(TelnetClient, DoesWhatTheVectorsSayHoweverTheBytesAreSplit) {
  const nlohmann::json vectors = Vectors();
  ASSERT_GE(vectors.size(), 25u);
  for (const nlohmann::json& vector : vectors) {
    for (const std::size_t piece :
         {std::size_t{1}, std::size_t{2}, std::size_t{7}, std::size_t{1} << 20}) {
      SCOPED_TRACE(absl::StrCat(vector["name"].get<std::string>(), " in pieces of ", piece));
      TelnetClient client("xterm-256color", WindowSize());
      for (const nlohmann::json& step : vector["steps"]) Play(step, client, piece);
    }
  }
}

TEST(TelnetClient, AStormOfOptionsIsAnsweredInProportion) {
  TelnetClient client(std::string(40, 'x'), WindowSize{255, 255});
  std::string storm;
  for (int i = 0; i < 20'000; ++i) {
    for (const int command : {251, 252, 253, 254}) {
      storm += {'\xff', static_cast<char>(command), static_cast<char>(i)};
    }
    storm += "\xff\xfd\x18\xff\xfa\x18\x01\xff\xf0";
  }
  const TelnetClient::Received received = client.Receive(storm);

  EXPECT_EQ(received.output, "");
  EXPECT_LE(received.answers.size(), 8 * storm.size());
}

TEST(TelnetClient, AnEndlessSubnegotiationIsNotKept) {
  TelnetFilter filter({24});
  std::size_t passed = filter.Filter("\xff\xfa\x18").size();
  const std::string chunk(1 << 20, 'x');
  for (int i = 0; i < 64; ++i) passed += filter.Filter(chunk).size();

  EXPECT_LE(passed, kMaxSubnegotiationBytes + 3);
  EXPECT_TRUE(absl::EndsWith(filter.Filter("\xff\xf0shown"), "shown"));
}

TEST(TelnetClient, AnUnusableTerminalTypeIsToldAsXterm) {
  for (const std::string& type :
       {std::string(), std::string(41, 'x'), std::string("a b"), std::string("\xff")}) {
    TelnetClient client(type, WindowSize());
    const TelnetClient::Received received = client.Receive("\xff\xfd\x18\xff\xfa\x18\x01\xff\xf0");
    EXPECT_EQ(Hex(received.answers), "fffb18fffa1800787465726dfff0") << type;
  }
}

}  // namespace
}  // namespace fairlead::terminal
