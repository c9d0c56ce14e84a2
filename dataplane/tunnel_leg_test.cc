// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Covers a leg byte by byte, over a transport that the test scripts: how frames are made anew, what
// is sent with one call, pings and pongs, each way to end, and what a blocked peer holds back.
#include "dataplane/tunnel_leg.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "dataplane/testing/relay_fixture.h"

namespace fairlead::dataplane {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// What a transport was asked to do, and what it is to do next.
struct Script {
  LegTransport::Handler* handler = nullptr;
  std::string input;
  bool input_ended = false;
  error_code end = net::error::eof;
  // What is written, a call each; what does not fit in `room` waits.
  std::vector<std::string> writes;
  std::string sent;
  std::string unsent;
  std::size_t room = 1 << 20;
  bool broken = false;
  // So often its kernel answers.
  int answers = 0;
  bool watches_read = false;
  bool watches_write = false;
  bool stream_ended = false;
  bool shut_down = false;
  bool closed = false;
};

class ScriptedTransport : public LegTransport {
 public:
  ScriptedTransport(net::any_io_executor executor, std::shared_ptr<Script> script)
      : executor_(std::move(executor)), script_(std::move(script)) {}

  net::any_io_executor executor() override { return executor_; }
  void Start(Handler& handler) override { script_->handler = &handler; }
  std::size_t Read(std::span<std::uint8_t> room, error_code& error) override {
    error = {};
    const std::size_t size = std::min(room.size(), script_->input.size());
    std::memcpy(room.data(), script_->input.data(), size);
    script_->input.erase(0, size);
    if (size == 0) {
      error = script_->input_ended ? script_->end : net::error::would_block;
    }
    return size;
  }
  bool HoldsInput() const override { return false; }
  void Write(std::span<const std::uint8_t> bytes, error_code& error) override {
    script_->writes.emplace_back(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    script_->unsent += script_->writes.back();
    Flush(error);
  }
  std::size_t Flush(error_code& error) override {
    error = {};
    if (script_->broken) {
      error = net::error::broken_pipe;
      return 0;
    }
    const std::size_t size = std::min(script_->room, script_->unsent.size());
    script_->room -= size;
    script_->sent.append(script_->unsent, 0, size);
    script_->unsent.erase(0, size);
    if (!script_->unsent.empty()) error = net::error::would_block;
    return size;
  }
  void EndStream(std::span<const std::uint8_t> last, error_code& error) override {
    Write(last, error);
    script_->stream_ended = true;
  }
  void ShutdownSend() noexcept override { script_->shut_down = true; }
  void Drain(error_code& error) override {
    script_->input.clear();
    error = script_->input_ended ? error_code() : error_code(net::error::would_block);
  }
  void LimitReceiveQueue() override {}
  bool PeerAnswers() override { return script_->answers > 0 && script_->answers-- > 0; }
  void Watch(bool readable, bool writable) override {
    script_->watches_read = readable;
    script_->watches_write = writable;
  }
  void Close() noexcept override { script_->closed = true; }

 private:
  const net::any_io_executor executor_;
  const std::shared_ptr<Script> script_;
};

constexpr char kMask[] = {'\x31', '\xF7', '\x02', '\x88'};

// A client's frame with less than 126 bytes.
std::string Masked(int first, std::string payload) {
  std::string frame(1, static_cast<char>(first));
  frame.push_back(static_cast<char>(0x80 | payload.size()));
  frame.append(kMask, sizeof(kMask));
  for (std::size_t i = 0; i < payload.size(); ++i) payload[i] ^= kMask[i % 4];
  return frame + payload;
}

// A server's, likewise.
std::string Plain(int first, const std::string& payload) {
  std::string frame(1, static_cast<char>(first));
  frame.push_back(static_cast<char>(payload.size()));
  return frame + payload;
}

// A leg whose payload goes to another, as a session has them.
class TunnelLegTest : public ::testing::Test, protected TunnelLeg::Owner {
 protected:
  void Make(TunnelLegOptions options = TunnelLegOptions(), Framing target = Framing::kWebSocket) {
    TunnelLegOptions target_options;
    target_options.framing = target;
    from_ = MakeLeg(from_script_, options);
    to_ = MakeLeg(to_script_, target_options);
    from_->Start(*this);
    to_->Start(*this);
    from_->Uncork();
    to_->Uncork();
    from_->SetReading(true);
  }

  std::unique_ptr<TunnelLeg> MakeLeg(const std::shared_ptr<Script>& script,
                                     TunnelLegOptions options) {
    return std::make_unique<TunnelLeg>(
        std::make_unique<ScriptedTransport>(context_.get_executor(), script), PeerInfo(), options);
  }

  void Receive(const std::string& bytes) {
    from_script_->input += bytes;
    ASSERT_TRUE(from_script_->watches_read);
    from_script_->handler->OnReady(true, false);
  }
  void EndInput(Script& script) {
    script.input_ended = true;
    script.handler->OnReady(true, false);
  }
  void MakeRoom(Script& script) {
    ASSERT_TRUE(script.watches_write);
    script.room = 1 << 20;
    script.handler->OnReady(false, true);
  }
  void RunUntilClosed() {
    const absl::Duration deadline = SystemClock().Monotonic() + absl::Seconds(20);
    while (!closed_ && SystemClock().Monotonic() < deadline) context_.run_one();
  }

  TunnelLeg* TargetOf(TunnelLeg& from) override {
    return &from == from_.get() ? to_.get() : nullptr;
  }
  void OnDelivered(TunnelLeg&, std::size_t bytes) override { delivered_ += bytes; }
  void OnHangUp(TunnelLeg&) override { hung_up_ = true; }
  void OnDrained(TunnelLeg&) override { ++drained_; }
  void OnEnd(TunnelLeg& leg, const CloseReason& reason) override {
    EXPECT_FALSE(leg.closed());
    end_ = reason;
  }
  void OnClosed(TunnelLeg&) override { closed_ = true; }

  net::io_context context_;
  std::shared_ptr<Script> from_script_ = std::make_shared<Script>();
  std::shared_ptr<Script> to_script_ = std::make_shared<Script>();
  std::unique_ptr<TunnelLeg> from_;
  std::unique_ptr<TunnelLeg> to_;
  std::size_t delivered_ = 0;
  int drained_ = 0;
  absl::optional<CloseReason> end_;
  bool closed_ = false;
  bool hung_up_ = false;
};

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

TEST_F(TunnelLegTest, AnswersACloseFrameAndEndsTheConnection) {
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
TEST_F(TunnelLegTest, APeerThatClosesAndTakesNothingIsNotReadMeanwhile) {
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

TEST_F(TunnelLegTest, AStreamThatEndsAndTakesNothingIsNotReadMeanwhile) {
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

TEST_F(TunnelLegTest, EachFaultIsAnsweredWithItsCode) {
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

TEST_F(TunnelLegTest, AnEndWithoutACloseFrameIsALoss) {
  Make();
  EndInput(*from_script_);

  EXPECT_EQ(end_->code, kCloseLost);
  EXPECT_TRUE(closed_);
  EXPECT_TRUE(from_script_->closed);
}

TEST_F(TunnelLegTest, CloseWaitsForThePeersAndDiscardsWhatComes) {
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

TEST_F(TunnelLegTest, CloseComesAfterWhatWaits) {
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

TEST_F(TunnelLegTest, APeerThatDoesNotCloseIsCut) {
  TunnelLegOptions options;
  options.keep_alive.close_timeout = absl::Milliseconds(10);
  Make(options);
  CloseReason reason;
  reason.code = kCloseNormal;
  from_->Close(reason);

  RunUntilClosed();

  EXPECT_TRUE(from_script_->closed);
}

TEST_F(TunnelLegTest, PingsASilentPeerAndThenGivesItUp) {
  TunnelLegOptions options;
  options.keep_alive.ping_interval = absl::Milliseconds(10);
  options.keep_alive.pong_timeout = absl::Milliseconds(10);
  Make(options);

  RunUntilClosed();

  EXPECT_EQ(from_script_->sent, Plain(0x89, "") + Plain(0x89, ""));
  EXPECT_EQ(end_->code, kCloseLost);
  EXPECT_THAT(end_->text, HasSubstr("no longer answers"));
}

TEST_F(TunnelLegTest, APeerThatTakesNothingIsGivenUp) {
  TunnelLegOptions options;
  options.keep_alive.write_timeout = absl::Milliseconds(10);
  Make(options);
  from_script_->room = 1;
  from_->SendText("hello");

  RunUntilClosed();

  EXPECT_EQ(end_->code, kCloseLost);
  EXPECT_THAT(end_->text, HasSubstr("takes nothing"));
}

TEST_F(TunnelLegTest, APeerThatIsAliveAndTakesNothingIsWaitedFor) {
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
TEST_F(TunnelLegTest, AStreamsPeerThatIsSilentIsLostWhenItsKernelIs) {
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
TEST_F(TunnelLegTest, AStreamThatBreaksIsNoEnd) {
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

TEST_F(TunnelLegTest, TellsOnceThatAPeerIsGoneWhichIsHeldBack) {
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
TEST_F(TunnelLegTest, ThePeerThatIsHeldBackIsGoneWhenItsKernelIs) {
  TunnelLegOptions options;
  options.keep_alive.ping_interval = absl::Milliseconds(1);
  from_script_->answers = 2;
  Make(options);
  from_->SetReading(false);

  while (!hung_up_) context_.run_one();

  EXPECT_EQ(from_script_->answers, 0);
  EXPECT_FALSE(closed_);
}

TEST_F(TunnelLegTest, AbortTellsALossOnce) {
  Make();
  from_->Abort();
  from_->Abort();

  EXPECT_EQ(end_->code, kCloseLost);
  EXPECT_TRUE(from_script_->closed);
}

}  // namespace
}  // namespace fairlead::dataplane
