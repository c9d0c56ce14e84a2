// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Coordinator and edge controller together, with a fake edge and a fake ICG, in virtual time. The
// server can be killed and started again on the same store.
#ifndef FAIRLEAD_CONTROL_TESTING_SESSION_FIXTURE_H_
#define FAIRLEAD_CONTROL_TESTING_SESSION_FIXTURE_H_

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/random.h"
#include "base/status_matchers.h"
#include "control/edge_controller.h"
#include "control/session_coordinator.h"
#include "control/testing/fake_store.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace fairlead::control {

// Remembers what the edge was told.
class FakeEdge : public EdgeConnection {
 public:
  bool Send(const v1::EdgeCommand& command) override {
    if (!up) return false;
    sent.push_back(command);
    return true;
  }
  // The last command of a kind; a default one if there is none.
  v1::EdgeCommand Last(v1::EdgeCommand::CommandCase kind) const {
    for (auto it = sent.rbegin(); it != sent.rend(); ++it) {
      if (it->command_case() == kind) return *it;
    }
    return v1::EdgeCommand();
  }
  v1::ServerMessage LastToDevice() const {
    return Last(v1::EdgeCommand::kDeviceCommand).device_command().message();
  }
  v1::EndSession LastEnd() const { return Last(v1::EdgeCommand::kEndSession).end_session(); }

  bool up = true;
  std::vector<v1::EdgeCommand> sent;
};

class FakeEst : public EstHandler {
 public:
  v1::EstResponse Handle(const v1::EstRequest& request) override {
    v1::EstResponse response;
    response.set_http_status(200);
    response.set_body(absl::StrCat("for ", request.unit_id()));
    return response;
  }
};

// What CreateSession's caller sees.
struct Outcome {
  std::string id;
  bool answered = false;
  absl::StatusOr<v1::Session> result = absl::UnknownError("not answered");
};

// One run of the server.
struct TestServer {
  TestServer(Store& shared_store, const Clock& clock, EstHandler& est, bool consoles_through_server)
      : store(shared_store),
        audit(store, clock),
        directory(store, clock),
        edges({serial, store_executor, workers, audit, directory, est, clock},
              v1::EdgeConfiguration()),
        sessions({serial, store_executor, store, audit, directory, board, edges, clock},
                 SessionCoordinatorOptions{.sessions_per_user_per_minute = 3,
                                           .consoles_through_server = consoles_through_server}) {
    edges.SetSessions(&sessions);
  }
  ~TestServer() { sessions.FailPending(); }

  Store& store;
  ManualExecutor serial;
  ManualExecutor store_executor;
  ManualExecutor workers;
  AuditLog audit;
  DeviceDirectory directory;
  SessionBoard board;
  EdgeController edges;
  SessionCoordinator sessions;
};

class SessionFixture : public ::testing::Test {
 protected:
  static constexpr char kUnit[] = "00E0C514325B";
  static constexpr char kIcg[] = "icgs/berlin";
  using Step = v1::TimelineEntry;

  SessionFixture() {
    StartServer();
    v1::Device device;
    device.set_unit_id(kUnit);
    device.set_display_name("reception");
    EXPECT_THAT(directory().Create(device, Unaudited), IsOk());
    Link("boot1");
  }

  SessionCoordinator& sessions() { return server_->sessions; }
  EdgeController& edges() { return server_->edges; }
  DeviceDirectory& directory() { return server_->directory; }
  SessionBoard& board() { return server_->board; }
  ManualExecutor& serial() { return server_->serial; }

  // ---- The server ----

  void StartServer() {
    server_ = std::make_unique<TestServer>(store_, clock_, est_, consoles_through_server_);
    edges().AddEdge(kLocalEdge, &edge_);
    edges().AddEdge(kIcg, &icg_);
    sessions().SetPublicAddress("ums.example:8443");
    sessions().SetConsoleAddress(kIcg, "icg.example:443");
  }
  // Kills the server, and starts it on what is in the store.
  void Restart() {
    server_.reset();
    StartServer();
    ASSERT_THAT(directory().Load(), IsOk());
    ASSERT_THAT(sessions().Recover(), IsOk());
    Link("boot2");
  }
  void RunAll() {
    for (int i = 0; i < 10; ++i) {
      serial().Advance(absl::ZeroDuration());
      if (store_runs_) server_->store_executor.RunReady();
      server_->workers.RunReady();
    }
  }
  void Advance(absl::Duration by) {
    clock_.Advance(by);
    serial().Advance(by);
    RunAll();
  }

  // ---- Edges ----

  void Happen(const v1::EdgeEvent& event, const std::string& edge = kLocalEdge) {
    edges().OnEdgeEvent(edge, event);
    RunAll();
  }
  void EdgeUp(const std::string& boot_id, const std::string& edge = kLocalEdge) {
    (edge == kLocalEdge ? edge_ : icg_).up = true;
    v1::EdgeHello hello;
    hello.set_boot_id(boot_id);
    edges().OnEdgeUp(edge, hello);
  }
  void SnapshotComplete(const std::string& edge = kLocalEdge) {
    v1::EdgeEvent complete;
    complete.mutable_snapshot_complete();
    Happen(complete, edge);
  }
  void Link(const std::string& boot_id, const std::string& edge = kLocalEdge) {
    EdgeUp(boot_id, edge);
    SnapshotComplete(edge);
  }
  void Unlink(const std::string& edge = kLocalEdge) {
    (edge == kLocalEdge ? edge_ : icg_).up = false;
    edges().OnEdgeDown(edge, absl::UnavailableError("gone"));
    RunAll();
  }

  // ---- Devices ----

  void Connect(std::uint64_t connection_id = 1, const std::string& running = "",
               const std::string& edge = kLocalEdge,
               v1::Device::OsGeneration os_generation = v1::Device::OS_12) {
    v1::EdgeEvent event;
    v1::DeviceConnected* connected = event.mutable_device_connected();
    connected->set_unit_id(kUnit);
    connected->set_connection_id(connection_id);
    connected->mutable_hello()->set_os_generation(os_generation);
    connected->mutable_hello()->add_profiles("shell");
    if (!running.empty()) connected->mutable_hello()->add_running_sessions(running);
    Happen(event, edge);
  }
  void Disconnect(std::uint64_t connection_id = 1, const std::string& edge = kLocalEdge) {
    v1::EdgeEvent event;
    event.mutable_device_disconnected()->set_unit_id(kUnit);
    event.mutable_device_disconnected()->set_connection_id(connection_id);
    Happen(event, edge);
  }
  void Report(const v1::DeviceMessage& message, const std::string& unit_id = kUnit,
              const std::string& edge = kLocalEdge) {
    v1::EdgeEvent event;
    event.mutable_device_report()->set_unit_id(unit_id);
    *event.mutable_device_report()->mutable_message() = message;
    Happen(event, edge);
  }
  void ProgramEnds(const std::string& id, int exit_code, const std::string& unit_id = kUnit) {
    v1::DeviceMessage message;
    message.mutable_terminal_ended()->set_session_id(id);
    message.mutable_terminal_ended()->set_exit_code(exit_code);
    Report(message, unit_id);
  }

  // ---- Tunnels ----

  void Tunnel(const std::string& id, v1::TunnelEvent::Type type,
              v1::TunnelEvent::Side by = v1::TunnelEvent::SIDE_UNSPECIFIED, std::uint32_t code = 0,
              const std::string& edge = kLocalEdge, const std::string& reason = "") {
    v1::EdgeEvent event;
    v1::TunnelEvent* tunnel = event.mutable_tunnel_event();
    tunnel->set_session_id(id);
    tunnel->set_type(type);
    tunnel->set_ended_by(by);
    tunnel->set_close_code(code);
    tunnel->set_reason(reason);
    if (type == v1::TunnelEvent::ENDED) tunnel->set_bytes_to_console(5);
    Happen(event, edge);
  }
  void TunnelAtIcg(const std::string& id, const std::vector<v1::TunnelEvent::Type>& types) {
    for (v1::TunnelEvent::Type type : types) {
      Tunnel(id, type, v1::TunnelEvent::SIDE_UNSPECIFIED, 0, kIcg);
    }
  }

  // ---- Callers ----

  v1::CreateSessionRequest Request() {
    v1::CreateSessionRequest request;
    request.set_device(absl::StrCat("devices/", kUnit));
    request.set_reason("ticket 4711");
    return request;
  }
  std::shared_ptr<Outcome> Open(const v1::CreateSessionRequest& request) {
    auto outcome = std::make_shared<Outcome>();
    outcome->id = RandomId();
    sessions().Open({"users/admin", "192.0.2.1:1"}, request, outcome->id,
                    [outcome](absl::StatusOr<v1::Session> result) {
                      EXPECT_FALSE(outcome->answered);
                      outcome->answered = true;
                      outcome->result = std::move(result);
                    });
    RunAll();
    return outcome;
  }
  std::shared_ptr<Outcome> Open() { return Open(Request()); }
  // A session whose Console was informed.
  std::string OpenInformed() {
    const std::shared_ptr<Outcome> outcome = Open();
    Tunnel(outcome->id, v1::TunnelEvent::DEVICE_ATTACHED);
    EXPECT_THAT(outcome->result, IsOk());
    return outcome->id;
  }
  std::string OpenActive() {
    const std::string id = OpenInformed();
    Tunnel(id, v1::TunnelEvent::CONSOLE_ATTACHED);
    return id;
  }
  absl::StatusOr<v1::Session> Terminate(const std::string& id) {
    auto result = std::make_shared<absl::StatusOr<v1::Session>>(absl::UnknownError("waiting"));
    sessions().Terminate({"users/boss", "192.0.2.2:2"}, absl::StrCat("sessions/", id), "enough",
                         [result](absl::StatusOr<v1::Session> session) { *result = session; });
    RunAll();
    terminated_ = result;
    return *result;
  }
  // False if something is left to end or to write.
  bool Shutdown() {
    auto stopped = std::make_shared<bool>(false);
    sessions().Shutdown([stopped]() { *stopped = true; });
    RunAll();
    return *stopped;
  }

  // ---- What is seen ----

  // As the service finds it: on the board, else in the store.
  v1::Session Get(const std::string& id) {
    const std::string name = absl::StrCat("sessions/", id);
    const absl::optional<v1::Session> live = board().Find(name);
    if (live.has_value()) return *live;
    return store_.GetSession(name).value_or(v1::Session());
  }
  v1::SessionEnd::Cause CauseOf(const std::string& id) { return Get(id).end().cause(); }
  bool OnBoard(const std::string& id) {
    return board().Find(absl::StrCat("sessions/", id)).has_value();
  }
  std::vector<Step::Step> Steps(const std::string& id) {
    std::vector<Step::Step> steps;
    const v1::Session session = Get(id);
    for (const v1::TimelineEntry& entry : session.timeline()) steps.push_back(entry.step());
    return steps;
  }

  FakeClock clock_;
  FakeStore store_;
  FakeEst est_;
  FakeEdge edge_;
  FakeEdge icg_;
  bool store_runs_ = true;
  // Policy, from the next start of the server on.
  bool consoles_through_server_ = false;
  std::shared_ptr<absl::StatusOr<v1::Session>> terminated_;
  std::unique_ptr<TestServer> server_;
};

}  // namespace fairlead::control

#endif  // FAIRLEAD_CONTROL_TESTING_SESSION_FIXTURE_H_
