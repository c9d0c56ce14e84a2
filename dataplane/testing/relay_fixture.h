// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// A relay between legs in memory on one io_context: a test spawns what the peers do, runs until
// nothing is left to do, and looks at what each saw. Used by the relay's tests.
#ifndef FAIRLEAD_DATAPLANE_TESTING_RELAY_FIXTURE_H_
#define FAIRLEAD_DATAPLANE_TESTING_RELAY_FIXTURE_H_

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <exception>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/types/optional.h"
#include "base/clock.h"
#include "base/status_matchers.h"
#include "dataplane/relay.h"
#include "dataplane/testing/memory_leg.h"
#include "dataplane/ticket_register.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace fairlead::dataplane {

inline CloseReason MakeReason(std::uint16_t code, std::string text = "") {
  CloseReason reason;
  reason.code = code;
  reason.text = std::move(text);
  return reason;
}

// Writes down what it is told, and calls back so that a test can act at that moment.
class RecordingObserver : public RelayObserver {
 public:
  void OnAttached(absl::string_view session_id, Side side) override {
    Note(absl::StrCat(session_id, " ", NameOf(side), " attached"));
  }
  void OnDataFlowing(absl::string_view session_id) override {
    Note(absl::StrCat(session_id, " flowing"));
  }
  void OnEnded(absl::string_view session_id, const RelayEnd& end) override {
    ends.push_back(end);
    Note(absl::StrCat(session_id, " ended"));
  }
  void OnRefused(absl::string_view session_id, Side side, const PeerInfo&,
                 const CloseReason& reason) override {
    Note(absl::StrCat(session_id, " ", NameOf(side), " refused ", reason.code));
  }

  std::vector<std::string> log;
  std::vector<RelayEnd> ends;
  std::function<void(const std::string&)> on_note;

 private:
  void Note(std::string line) {
    log.push_back(line);
    if (on_note) on_note(line);
  }
};

// What a peer (a Console or a device) saw on its end.
struct PeerView {
  std::vector<std::string> texts;
  std::vector<std::string> binaries;
  std::string bytes;
  bool ended = false;
  CloseReason close;
};

class RelayFixture : public ::testing::Test {
 protected:
  // One leg: the peer's end, and the relay's.
  struct PeerEnd {
    std::unique_ptr<WebSocket> end;
    // Held until Attach.
    std::unique_ptr<TunnelLeg> relay_end;
    std::shared_ptr<const MemoryLegStats> relay_stats;
    PeerView view;
    // Serve has returned.
    bool served = false;
  };

  RelayFixture() { MakeRelay(Options()); }

  static RelayOptions Options() {
    RelayOptions options;
    options.attached_text = "attached!";
    options.peer_attached_text = "peer!";
    return options;
  }

  void MakeRelay(RelayOptions options) {
    relay_ = std::make_unique<Relay>(
        [this](absl::string_view) -> net::any_io_executor { return context_.get_executor(); },
        observer_, SystemClock(), std::move(options));
  }

  SessionSpec MakeSpec(const std::string& id = "s") {
    SessionSpec spec;
    spec.session_id = id;
    spec.console_ticket_sha256 = HashTicket("console-" + id);
    spec.device_ticket_sha256 = HashTicket("device-" + id);
    spec.unit_id = "unit";
    return spec;
  }

  void Register(const SessionSpec& spec) { ASSERT_THAT(relay_->Register(spec), IsOk()); }

  Claim ClaimSide(Side side, const std::string& id = "s") {
    return side == Side::kConsole ? relay_->ClaimTicket("console-" + id, side, "", PeerInfo())
                                  : relay_->ClaimTicket("device-" + id, side, "unit", PeerInfo());
  }

  // A peer whose relay end may fail by `faults`.
  std::unique_ptr<PeerEnd> MakePeer(MemoryLegOptions options = MemoryLegOptions()) {
    MemoryLeg made = MakeMemoryLeg(context_.get_executor(), options);
    auto peer = std::make_unique<PeerEnd>();
    peer->end = std::move(made.peer);
    peer->relay_end = std::move(made.leg);
    peer->relay_stats = made.stats;
    return peer;
  }

  struct Peers {
    std::unique_ptr<PeerEnd> device;
    std::unique_ptr<PeerEnd> console;
  };

  // The session "s" and its two peers, each of which has room for so many bytes that are not read.
  Peers JoinPeers(std::size_t buffer_bytes) {
    Register(MakeSpec());
    MemoryLegOptions options;
    options.buffer_bytes = buffer_bytes;
    Peers peers{MakePeer(options), MakePeer(options)};
    Attach(*peers.device, Side::kDevice);
    Attach(*peers.console, Side::kConsole);
    return peers;
  }

  // The same, when the device has written more than there is room for: the Console does not read.
  Peers JoinPeersWithAStuckWrite() {
    Peers peers = JoinPeers(100);
    Spawn(Read(peers.device.get()));
    Spawn(Write(peers.device.get(), {std::string(5000, 'x')}, absl::nullopt));
    RunReady();
    return peers;
  }

  void Spawn(net::awaitable<void> work) {
    net::co_spawn(context_, std::move(work), [](std::exception_ptr error) {
      if (error) std::rethrow_exception(error);
    });
  }

  // Serves the relay's end of `peer` with `claim`.
  void Attach(PeerEnd& peer, Claim claim) { Spawn(Serve(&peer, std::move(claim))); }
  void Attach(PeerEnd& peer, Side side) { Attach(peer, ClaimSide(side)); }

  net::awaitable<void> Serve(PeerEnd* peer, Claim claim) {
    co_await relay_->Serve(std::move(claim), std::move(peer->relay_end));
    peer->served = true;
  }

  // Reads until the end.
  static net::awaitable<void> Read(PeerEnd* peer) {
    for (;;) {
      Message message = co_await peer->end->ReadMessage();
      if (!message.open) {
        peer->view.ended = true;
        peer->view.close = message.close;
        co_return;
      }
      if (message.kind == FrameKind::kText) {
        peer->view.texts.push_back(message.payload);
      } else {
        peer->view.binaries.push_back(message.payload);
        peer->view.bytes += message.payload;
      }
    }
  }

  // Writes, then closes if `reason` is given.
  static net::awaitable<void> Write(PeerEnd* peer, std::vector<std::string> messages,
                                    absl::optional<CloseReason> reason) {
    for (const std::string& message : messages) {
      const absl::Status status = co_await peer->end->WriteBinary(message);
      if (!status.ok()) co_return;
    }
    if (reason) {
      const CloseReason close = *reason;
      co_await peer->end->Close(close);
    }
  }

  // As a device that reads only when all that it has to say is taken.
  static net::awaitable<void> WriteAndRead(PeerEnd* peer, std::vector<std::string> messages) {
    co_await Write(peer, std::move(messages), absl::nullopt);
    co_await Read(peer);
  }

  // Runs until nothing is left: no task, no timer.
  void Run() {
    context_.restart();
    context_.run();
  }
  // Runs what is ready, without waiting.
  void RunReady() {
    context_.restart();
    context_.poll();
  }

  // What must hold whenever all is over.
  void ExpectNothingLeft(std::initializer_list<const PeerEnd*> peers) {
    const RelayCounters counters = relay_->counters();
    EXPECT_EQ(counters.sessions_now, 0u);
    EXPECT_EQ(counters.legs_now, 0u);
    for (const PeerEnd* peer : peers) {
      EXPECT_TRUE(peer->served);
      EXPECT_TRUE(peer->relay_stats->closed);
      EXPECT_TRUE(peer->relay_stats->destroyed);
    }
  }

  net::io_context context_;
  RecordingObserver observer_;
  std::unique_ptr<Relay> relay_;
};

}  // namespace fairlead::dataplane

#endif  // FAIRLEAD_DATAPLANE_TESTING_RELAY_FIXTURE_H_
