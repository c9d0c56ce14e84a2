// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Covers a leg byte by byte, over a transport that the test scripts: how frames are made anew, what
// is sent with one call, pings and pongs, and what a blocked peer holds back.
#include "dataplane/tunnel_leg.h"

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "dataplane/frame_codec.h"
#include "dataplane/testing/tunnel_leg_fixture.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace fairlead::dataplane {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class TunnelLegTest : public TunnelLegFixture {};

TEST_F(TunnelLegTest, SendsAllFramesOfOneReadAtOnce) {
  Make();
  Receive(Masked(0x82, "one") + Masked(0x81, "text") + Masked(0x82, "") + Masked(0x02, "two") +
          Masked(0x80, "!"));

  EXPECT_THAT(to_script_->writes,
              ElementsAre(Plain(0x82, "one") + Plain(0x81, "text") + Plain(0x82, "") +
                          Plain(0x02, "two") + Plain(0x80, "!")));
  EXPECT_EQ(delivered_, 7u);
  EXPECT_THAT(from_script_->writes, IsEmpty());
}

TEST_F(TunnelLegTest, CutsFramesAnewWhereTheInputIsCut) {
  const std::string bytes = Masked(0x82, "payload") + Masked(0x01, "te") + Masked(0x80, "xt");
  for (std::size_t cut = 1; cut < bytes.size(); ++cut) {
    from_script_ = std::make_shared<Script>();
    to_script_ = std::make_shared<Script>();
    Make();
    Receive(bytes.substr(0, cut));
    Receive(bytes.substr(cut));

    FrameReader reader(FrameRole::kClient, 1000);
    std::span<const std::uint8_t> input(
        reinterpret_cast<const std::uint8_t*>(to_script_->sent.data()), to_script_->sent.size());
    std::string all;
    while (reader.Next(input) == FrameReader::Event::kData) {
      std::string chunk(reader.size(), '\0');
      ASSERT_TRUE(reader.Take(reinterpret_cast<std::uint8_t*>(chunk.data())));
      all += chunk;
      if (reader.fin() == Fin::kLast) all += reader.kind() == FrameKind::kText ? "/t " : "/b ";
    }
    EXPECT_EQ(all, "payload/b text/t ") << cut;
  }
}

TEST_F(TunnelLegTest, AStreamsPayloadIsItsBytes) {
  Make(TunnelLegOptions(), Framing::kStream);
  Receive(Masked(0x82, "one") + Masked(0x81, "not this") + Masked(0x82, "two"));

  EXPECT_EQ(to_script_->sent, "onetwo");
  to_->SendText("nor this");
  EXPECT_EQ(to_script_->sent, "onetwo");
}

TEST_F(TunnelLegTest, AStreamGivesBinaryMessages) {
  TunnelLegOptions stream;
  stream.framing = Framing::kStream;
  Make(stream);
  Receive("bytes");
  EndInput(*from_script_);

  EXPECT_EQ(to_script_->sent, Plain(0x82, "bytes"));
  EXPECT_EQ(end_->code, kCloseNormal);
  EXPECT_TRUE(from_script_->stream_ended);
  EXPECT_TRUE(closed_);
}

TEST_F(TunnelLegTest, AnswersPingsBehindWhatCameBefore) {
  Make();
  Receive(Masked(0x89, "a") + Masked(0x82, "x") + Masked(0x89, "") + Masked(0x8A, "ignored"));

  EXPECT_EQ(from_script_->sent, Plain(0x8A, "a") + Plain(0x8A, ""));
  EXPECT_EQ(to_script_->sent, Plain(0x82, "x"));
}

TEST_F(TunnelLegTest, APeerThatTakesNothingGetsFewPongs) {
  Make();
  from_script_->room = 0;
  for (int i = 0; i < 10'000; ++i) Receive(Masked(0x89, std::string(100, 'p')));
  EXPECT_LT(from_script_->unsent.size(), 5000u);

  MakeRoom(*from_script_);
  EXPECT_LT(from_script_->sent.size(), 10'000u);
  EXPECT_FALSE(from_script_->watches_write);
}

TEST_F(TunnelLegTest, HoldsTheSenderBackWhileTheTargetIsFull) {
  Make();
  to_script_->room = 3;
  Receive(Masked(0x82, "payload"));

  EXPECT_FALSE(from_script_->watches_read);
  EXPECT_FALSE(from_->reading());
  EXPECT_EQ(delivered_, 0u);
  MakeRoom(*to_script_);
  EXPECT_EQ(delivered_, 7u);
  EXPECT_EQ(drained_, 1);
  EXPECT_EQ(to_script_->sent, Plain(0x82, "payload"));
}

TEST_F(TunnelLegTest, AFailedWriteVanishesAndReadingGoesOn) {
  Make();
  to_script_->broken = true;
  Receive(Masked(0x82, "x"));
  EXPECT_TRUE(to_->write_failed());
  EXPECT_EQ(drained_, 1);
  EXPECT_FALSE(to_script_->closed);

  Receive(Masked(0x82, "y"));
  EXPECT_EQ(delivered_, 0u);
  EXPECT_EQ(to_script_->writes.size(), 1u);
}

}  // namespace
}  // namespace fairlead::dataplane
