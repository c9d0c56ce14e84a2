// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// A leg over a transport that the test scripts, and another that its payload goes to; and frames as
// peers send them. Used by the tests of a leg.
#ifndef FAIRLEAD_DATAPLANE_TESTING_TUNNEL_LEG_FIXTURE_H_
#define FAIRLEAD_DATAPLANE_TESTING_TUNNEL_LEG_FIXTURE_H_

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/types/optional.h"
#include "dataplane/leg_transport.h"
#include "dataplane/testing/run.h"
#include "dataplane/tunnel_leg.h"
#include "gtest/gtest.h"

namespace fairlead::dataplane {

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

inline constexpr char kMask[] = {'\x31', '\xF7', '\x02', '\x88'};

// A client's frame with less than 126 bytes.
inline std::string Masked(int first, std::string payload) {
  std::string frame(1, static_cast<char>(first));
  frame.push_back(static_cast<char>(0x80 | payload.size()));
  frame.append(kMask, sizeof(kMask));
  for (std::size_t i = 0; i < payload.size(); ++i) payload[i] ^= kMask[i % 4];
  return frame + payload;
}

// A server's, likewise.
inline std::string Plain(int first, const std::string& payload) {
  std::string frame(1, static_cast<char>(first));
  frame.push_back(static_cast<char>(payload.size()));
  return frame + payload;
}

// A leg whose payload goes to another, as a session has them.
class TunnelLegFixture : public ::testing::Test, protected TunnelLeg::Owner {
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
    ASSERT_TRUE(testing::RunUntil(context_, [this] { return closed_; }));
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

}  // namespace fairlead::dataplane

#endif  // FAIRLEAD_DATAPLANE_TESTING_TUNNEL_LEG_FIXTURE_H_
