// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Covers each way in which a leg ends, byte by byte, over a transport that the test scripts: closes
// of either side, faults, losses, and peers that are silent, take nothing or are held back.
#include <memory>
#include <string>
#include <utility>

#include "dataplane/testing/tunnel_leg_fixture.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace fairlead::dataplane {
namespace {

using ::testing::HasSubstr;

class TunnelLegEndTest : public TunnelLegFixture {};

TEST_F(TunnelLegEndTest, AnswersACloseFrameAndEndsTheConnection) {
  Make();
  Receive(Masked(0x82, "tail") + Masked(0x88, "\x0F\xA1why") + "more");

  EXPECT_EQ(to_script_->sent, Plain(0x82, "tail"));
  EXPECT_EQ(end_->code, 4001);
  EXPECT_EQ(end_->text, "why");
  EXPECT_EQ(from_script_->sent, Plain(0x88, "\x0F\xA1"));
  EXPECT_TRUE(from_script_->stream_ended);
  EXPECT_TRUE(from_script_->shut_down);
  EXPECT_FALSE(closed_);
  EndInput(*from_script_);
  EXPECT_TRUE(closed_);
}

// What else it sends would be told of for ever.
TEST_F(TunnelLegEndTest, APeerThatClosesAndTakesNothingIsNotReadMeanwhile) {
  Make();
  from_script_->room = 2;
  from_->SendText("hello");
  Receive(Masked(0x88, "\x03\xE8"));
  EXPECT_FALSE(from_script_->watches_read);

  MakeRoom(*from_script_);
  EXPECT_EQ(from_script_->sent, Plain(0x81, "hello") + Plain(0x88, "\x03\xE8"));
  EXPECT_TRUE(from_script_->shut_down);
  EXPECT_TRUE(from_script_->watches_read);
  EndInput(*from_script_);
  EXPECT_TRUE(closed_);
}

TEST_F(TunnelLegEndTest, AStreamThatEndsAndTakesNothingIsNotReadMeanwhile) {
  TunnelLegOptions stream;
  stream.framing = Framing::kStream;
  Make();
  to_ = MakeLeg(to_script_, stream);
  to_->Start(*this);
  to_->Uncork();
  to_->SetReading(true);
  to_script_->room = 2;
  Receive(Masked(0x82, "hello"));
  EndInput(*to_script_);
  EXPECT_FALSE(to_script_->watches_read);

  MakeRoom(*to_script_);
  EXPECT_EQ(to_script_->sent, "hello");
  EXPECT_TRUE(closed_);
}

struct Fault {
  std::string bytes;
  int code;
};

TEST_F(TunnelLegEndTest, EachFaultIsAnsweredWithItsCode) {
  const Fault kFaults[] = {{Masked(0x83, "x"), 1002},
                           {Plain(0x82, "x"), 1002},
                           {Masked(0x81, "\xFF"), 1007},
                           {Masked(0x82, std::string(51, 'x')), 1009},
                           {Masked(0x88, "\x03\xEE"), 1002}};
  for (const Fault& fault : kFaults) {
    from_script_ = std::make_shared<Script>();
    to_script_ = std::make_shared<Script>();
    TunnelLegOptions options;
    options.max_message_bytes = 50;
    Make(options);
    Receive(Masked(0x82, "before") + fault.bytes);

    EXPECT_EQ(to_script_->sent, Plain(0x82, "before"));
    EXPECT_EQ(end_->code, fault.code);
    EXPECT_FALSE(end_->text.empty());
    EXPECT_EQ(from_script_->sent, Plain(0x88, std::string{static_cast<char>(fault.code >> 8),
                                                          static_cast<char>(fault.code)} +
                                                  end_->text));
    EXPECT_TRUE(from_script_->shut_down);
  }
}

TEST_F(TunnelLegEndTest, AnEndWithoutACloseFrameIsALoss) {
  Make();
  EndInput(*from_script_);

  EXPECT_EQ(end_->code, kCloseLost);
  EXPECT_TRUE(closed_);
  EXPECT_TRUE(from_script_->closed);
}

TEST_F(TunnelLegEndTest, CloseWaitsForThePeersAndDiscardsWhatComes) {
  Make();
  CloseReason reason;
  reason.code = 4410;
  reason.text = "no more";
  from_->Close(reason);
  EXPECT_EQ(from_script_->sent, Plain(0x88, "\x11\x3Ano more"));
  EXPECT_FALSE(from_script_->stream_ended);

  Receive(Masked(0x82, "late"));
  EXPECT_EQ(to_script_->sent, "");
  Receive(Masked(0x88, "\x11\x3A"));
  EXPECT_TRUE(from_script_->shut_down);
  EndInput(*from_script_);
  EXPECT_TRUE(closed_);
  EXPECT_FALSE(end_.has_value());
}

TEST_F(TunnelLegEndTest, CloseComesAfterWhatWaits) {
  Make();
  from_script_->room = 2;
  from_->SendText("hello");
  CloseReason reason;
  reason.code = kCloseNormal;
  from_->Close(reason);
  from_->SendText("too late");
  EXPECT_EQ(from_script_->writes.size(), 1u);

  MakeRoom(*from_script_);
  EXPECT_EQ(from_script_->sent, Plain(0x81, "hello") + Plain(0x88, "\x03\xE8"));
}

TEST_F(TunnelLegEndTest, APeerThatDoesNotCloseIsCut) {
  TunnelLegOptions options;
  options.keep_alive.close_timeout = absl::Milliseconds(10);
  Make(options);
  CloseReason reason;
  reason.code = kCloseNormal;
  from_->Close(reason);

  RunUntilClosed();

  EXPECT_TRUE(from_script_->closed);
}

TEST_F(TunnelLegEndTest, PingsASilentPeerAndThenGivesItUp) {
  TunnelLegOptions options;
  options.keep_alive.ping_interval = absl::Milliseconds(10);
  options.keep_alive.pong_timeout = absl::Milliseconds(10);
  Make(options);

  RunUntilClosed();

  EXPECT_EQ(from_script_->sent, Plain(0x89, "") + Plain(0x89, ""));
  EXPECT_EQ(end_->code, kCloseLost);
  EXPECT_THAT(end_->text, HasSubstr("no longer answers"));
}

TEST_F(TunnelLegEndTest, APeerThatTakesNothingIsGivenUp) {
  TunnelLegOptions options;
  options.keep_alive.write_timeout = absl::Milliseconds(10);
  Make(options);
  from_script_->room = 1;
  from_->SendText("hello");

  RunUntilClosed();

  EXPECT_EQ(end_->code, kCloseLost);
  EXPECT_THAT(end_->text, HasSubstr("takes nothing"));
}

TEST_F(TunnelLegEndTest, APeerThatIsAliveAndTakesNothingIsWaitedFor) {
  TunnelLegOptions options;
  options.keep_alive.write_timeout = absl::Milliseconds(1);
  Make(options);
  from_script_->room = 1;
  from_script_->answers = 2;
  from_->SendText("hello");
  const absl::Duration before = from_->write_progress();

  RunUntilClosed();

  EXPECT_EQ(from_script_->answers, 0);
  EXPECT_THAT(end_->text, HasSubstr("takes nothing"));
  EXPECT_EQ(from_->write_progress(), before);
}

// There are no pings; its kernel is asked.
TEST_F(TunnelLegEndTest, AStreamsPeerThatIsSilentIsLostWhenItsKernelIs) {
  TunnelLegOptions stream;
  stream.framing = Framing::kStream;
  stream.keep_alive.ping_interval = absl::Milliseconds(1);
  from_script_->answers = 3;
  Make(stream);

  RunUntilClosed();

  EXPECT_EQ(from_script_->answers, 0);
  EXPECT_EQ(from_script_->sent, "");
  EXPECT_THAT(end_->text, HasSubstr("no longer answers"));
}

// A write that fails takes the error of the connection with it; what is read then looks like an
// end.
TEST_F(TunnelLegEndTest, AStreamThatBreaksIsNoEnd) {
  TunnelLegOptions stream;
  stream.framing = Framing::kStream;
  Make(stream);
  from_script_->broken = true;
  from_script_->end = net::error::connection_reset;
  from_->SendText("nothing");
  to_script_->input = Masked(0x82, "x");
  std::swap(from_, to_);
  std::swap(from_script_, to_script_);
  from_->SetReading(true);
  from_script_->handler->OnReady(true, false);
  ASSERT_TRUE(to_->write_failed());

  EndInput(*to_script_);

  EXPECT_EQ(end_->code, kCloseLost);
}

TEST_F(TunnelLegEndTest, TellsOnceThatAPeerIsGoneWhichIsHeldBack) {
  Make();
  from_->SetReading(false);
  from_script_->handler->OnHangUp();
  EXPECT_TRUE(std::exchange(hung_up_, false));
  EXPECT_TRUE(from_->hung_up());
  EXPECT_FALSE(end_.has_value());

  from_script_->handler->OnHangUp();
  EXPECT_FALSE(hung_up_);
  from_->SetReading(true);
  Receive(Masked(0x82, "rest"));
  EXPECT_EQ(to_script_->sent, Plain(0x82, "rest"));
}

// What it would answer is not read; a ping only keeps the way open.
TEST_F(TunnelLegEndTest, ThePeerThatIsHeldBackIsGoneWhenItsKernelIs) {
  TunnelLegOptions options;
  options.keep_alive.ping_interval = absl::Milliseconds(1);
  from_script_->answers = 2;
  Make(options);
  from_->SetReading(false);

  while (!hung_up_) context_.run_one();

  EXPECT_EQ(from_script_->answers, 0);
  EXPECT_FALSE(closed_);
}

TEST_F(TunnelLegEndTest, AbortTellsALossOnce) {
  Make();
  from_->Abort();
  from_->Abort();

  EXPECT_EQ(end_->code, kCloseLost);
  EXPECT_TRUE(from_script_->closed);
}

}  // namespace
}  // namespace fairlead::dataplane
