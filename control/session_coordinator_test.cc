// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// The coordinator and the edge controller together, with a fake edge, in virtual time: the flow,
// the failure of each step, cancellation, termination, late and repeated events, restarts,
// deletion.
#include "control/session_coordinator.h"

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/random.h"
#include "base/status.h"
#include "base/status_matchers.h"
#include "control/edge_controller.h"
#include "control/fake_store.h"
#include "control/proto_time.h"
#include "control/sha256.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace fairlead::control {
namespace {

using ::testing::_;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Step = v1::TimelineEntry;

constexpr char kUnit[] = "00E0C514325B";

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

class SessionCoordinatorTest : public ::testing::Test {
 protected:
  SessionCoordinatorTest() {
    edges_.SetSessions(&sessions_);
    edges_.AddEdge(kLocalEdge, &edge_);
    v1::Device device;
    device.set_unit_id(kUnit);
    device.set_display_name("reception");
    EXPECT_THAT(directory_.Create(device), IsOk());
    sessions_.SetPublicAddress("ums.example:8443");
    Link("boot1");
  }
  ~SessionCoordinatorTest() override { sessions_.FailPending(); }

  void RunAll() {
    for (int i = 0; i < 10; ++i) {
      serial_.Advance(absl::ZeroDuration());
      if (store_runs_) store_executor_.RunReady();
      workers_.RunReady();
    }
  }
  void Advance(absl::Duration by) {
    clock_.Advance(by);
    serial_.Advance(by);
    RunAll();
  }
  void Link(const std::string& boot_id) {
    v1::EdgeHello hello;
    hello.set_boot_id(boot_id);
    edges_.OnEdgeUp(kLocalEdge, hello);
    v1::EdgeEvent complete;
    complete.mutable_snapshot_complete();
    Happen(complete);
  }
  void Happen(const v1::EdgeEvent& event) {
    edges_.OnEdgeEvent(kLocalEdge, event);
    RunAll();
  }
  void Connect(std::uint64_t connection_id = 1, const std::string& running = "") {
    v1::EdgeEvent event;
    v1::DeviceConnected* connected = event.mutable_device_connected();
    connected->set_unit_id(kUnit);
    connected->set_connection_id(connection_id);
    connected->mutable_hello()->set_os_generation(v1::Device::OS_12);
    connected->mutable_hello()->add_profiles("shell");
    if (!running.empty()) connected->mutable_hello()->add_running_sessions(running);
    Happen(event);
  }
  void Disconnect(std::uint64_t connection_id = 1) {
    v1::EdgeEvent event;
    event.mutable_device_disconnected()->set_unit_id(kUnit);
    event.mutable_device_disconnected()->set_connection_id(connection_id);
    Happen(event);
  }
  void Tunnel(const std::string& id, v1::TunnelEvent::Type type,
              v1::TunnelEvent::Side by = v1::TunnelEvent::SIDE_UNSPECIFIED,
              std::uint32_t code = 0) {
    v1::EdgeEvent event;
    event.mutable_tunnel_event()->set_session_id(id);
    event.mutable_tunnel_event()->set_type(type);
    event.mutable_tunnel_event()->set_ended_by(by);
    event.mutable_tunnel_event()->set_close_code(code);
    Happen(event);
  }
  void Report(const v1::DeviceMessage& message, const std::string& unit_id = kUnit) {
    v1::EdgeEvent event;
    event.mutable_device_report()->set_unit_id(unit_id);
    *event.mutable_device_report()->mutable_message() = message;
    Happen(event);
  }
  void ProgramEnds(const std::string& id, int exit_code, const std::string& unit_id = kUnit) {
    v1::DeviceMessage message;
    message.mutable_terminal_ended()->set_session_id(id);
    message.mutable_terminal_ended()->set_exit_code(exit_code);
    Report(message, unit_id);
  }
  v1::CreateSessionRequest Request() {
    v1::CreateSessionRequest request;
    request.set_device(absl::StrCat("devices/", kUnit));
    request.set_reason("ticket 4711");
    return request;
  }
  std::shared_ptr<Outcome> Open(const v1::CreateSessionRequest& request) {
    auto outcome = std::make_shared<Outcome>();
    outcome->id = RandomId();
    sessions_.Open({"users/admin", "192.0.2.1:1"}, request, outcome->id,
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
  // As the service finds it: on the board, else in the store.
  v1::Session Get(const std::string& id) {
    const std::string name = absl::StrCat("sessions/", id);
    const absl::optional<v1::Session> live = board_.Find(name);
    if (live.has_value()) return *live;
    return store_.GetSession(name).value_or(v1::Session());
  }
  v1::SessionEnd::Cause CauseOf(const std::string& id) { return Get(id).end().cause(); }
  bool OnBoard(const std::string& id) {
    return board_.Find(absl::StrCat("sessions/", id)).has_value();
  }
  std::vector<Step::Step> Steps(const std::string& id) {
    std::vector<Step::Step> steps;
    const v1::Session session = Get(id);
    for (const v1::TimelineEntry& entry : session.timeline()) steps.push_back(entry.step());
    return steps;
  }
  absl::StatusOr<v1::Session> Terminate(const std::string& id) {
    auto result = std::make_shared<absl::StatusOr<v1::Session>>(absl::UnknownError("waiting"));
    sessions_.Terminate({"users/boss", "192.0.2.2:2"}, absl::StrCat("sessions/", id), "enough",
                        [result](absl::StatusOr<v1::Session> session) { *result = session; });
    RunAll();
    terminated_ = result;
    return *result;
  }

  FakeClock clock_;
  FakeStore store_;
  ManualExecutor serial_;
  ManualExecutor store_executor_;
  ManualExecutor workers_;
  bool store_runs_ = true;
  AuditLog audit_{store_, clock_};
  DeviceDirectory directory_{store_, clock_};
  SessionBoard board_;
  FakeEst est_;
  FakeEdge edge_;
  std::shared_ptr<absl::StatusOr<v1::Session>> terminated_;
  EdgeController edges_{{serial_, store_executor_, workers_, audit_, directory_, est_, clock_},
                        v1::EdgeConfiguration()};
  SessionCoordinator sessions_{
      {serial_, store_executor_, store_, audit_, directory_, board_, edges_, clock_},
      SessionCoordinatorOptions{.sessions_per_user_per_minute = 3}};
};

// ---- The flow ----

TEST_F(SessionCoordinatorTest, TheFlowPassesItsStepsInOrder) {
  Connect();

  const std::shared_ptr<Outcome> outcome = Open();
  EXPECT_FALSE(outcome->answered);
  Tunnel(outcome->id, v1::TunnelEvent::DEVICE_ATTACHED);
  ASSERT_THAT(outcome->result, IsOk());
  Tunnel(outcome->id, v1::TunnelEvent::CONSOLE_ATTACHED);
  EXPECT_EQ(Get(outcome->id).state(), v1::Session::ACTIVE);
  Tunnel(outcome->id, v1::TunnelEvent::DATA_FLOWING);
  ProgramEnds(outcome->id, 7);
  Tunnel(outcome->id, v1::TunnelEvent::ENDED, v1::TunnelEvent::DEVICE, 1000);

  EXPECT_THAT(
      Steps(outcome->id),
      ElementsAre(Step::CONSOLE_REQUESTED, Step::DEVICE_REQUESTED, Step::DEVICE_ATTACHED,
                  Step::CONSOLE_INFORMED, Step::CONSOLE_ATTACHED, Step::DATA_FLOWING, Step::ENDED));
  EXPECT_EQ(CauseOf(outcome->id), v1::SessionEnd::PROGRAM_ENDED);
  EXPECT_EQ(Get(outcome->id).end().exit_code(), 7);
  EXPECT_FALSE(OnBoard(outcome->id));
  EXPECT_THAT(store_.AuditLines(), ElementsAre("users/admin session.create SUCCEEDED",
                                               "users/admin session.end SUCCEEDED"));
  EXPECT_THAT(store_.audit()[0].detail(), HasSubstr("ticket 4711"));
}

TEST_F(SessionCoordinatorTest, TheReplyHasTheTicketOfWhichTheEdgeHasTheHash) {
  Connect();

  const std::shared_ptr<Outcome> outcome = Open();
  const v1::RegisterSession registration =
      edge_.Last(v1::EdgeCommand::kRegisterSession).register_session();
  const v1::OpenTerminal open = edge_.LastToDevice().open_terminal();
  Tunnel(outcome->id, v1::TunnelEvent::DEVICE_ATTACHED);

  ASSERT_THAT(outcome->result, IsOk());
  EXPECT_EQ(Sha256(outcome->result->console_ticket()), registration.console_ticket_sha256());
  EXPECT_EQ(Sha256(open.ticket()), registration.device_ticket_sha256());
  EXPECT_NE(open.ticket(), outcome->result->console_ticket());
  EXPECT_EQ(outcome->result->console_ticket().size(), 43u);
  EXPECT_EQ(outcome->result->console_url(), "wss://ums.example:8443/console-connector/terminal");
  EXPECT_EQ(registration.unit_id(), kUnit);
  EXPECT_EQ(open.columns(), 80u);
  EXPECT_EQ(open.rows(), 24u);
  EXPECT_EQ(open.user(), "users/admin");
  EXPECT_FALSE(Get(outcome->id).has_console_ticket());
  EXPECT_FALSE(store_.GetSession(outcome->result->name())->has_console_ticket());
}

TEST_F(SessionCoordinatorTest, TheTicketWaitsForTheAuditRecord) {
  Connect();
  store_runs_ = false;

  const std::shared_ptr<Outcome> outcome = Open();
  Tunnel(outcome->id, v1::TunnelEvent::DEVICE_ATTACHED);
  EXPECT_FALSE(outcome->answered);
  store_runs_ = true;
  RunAll();

  EXPECT_THAT(outcome->result, IsOk());
}

TEST_F(SessionCoordinatorTest, AResultMayComeAfterTheTunnelsEnd) {
  Connect();
  const std::string id = OpenActive();

  Tunnel(id, v1::TunnelEvent::ENDED, v1::TunnelEvent::DEVICE, 1000);
  EXPECT_EQ(Get(id).state(), v1::Session::ENDED);
  EXPECT_TRUE(OnBoard(id));
  Advance(absl::Seconds(4));
  ProgramEnds(id, 3);

  EXPECT_EQ(Get(id).end().exit_code(), 3);
  EXPECT_FALSE(OnBoard(id));
}

TEST_F(SessionCoordinatorTest, AResultThatNeverComesIsUnknown) {
  Connect();
  const std::string id = OpenActive();

  Tunnel(id, v1::TunnelEvent::ENDED, v1::TunnelEvent::DEVICE, 1006);
  Advance(absl::Seconds(6));

  EXPECT_FALSE(OnBoard(id));
  EXPECT_EQ(CauseOf(id), v1::SessionEnd::DEVICE_LOST);
  EXPECT_EQ(Get(id).end().result_case(), v1::SessionEnd::RESULT_NOT_SET);
}

// ---- Requests that are refused ----

TEST_F(SessionCoordinatorTest, AnUnknownDeviceIsNotFound) {
  v1::CreateSessionRequest request = Request();
  request.set_device("devices/other");
  request.set_columns(5000);  // The device is looked at first.

  EXPECT_THAT(Open(request)->result, StatusIs(absl::StatusCode::kNotFound, HasSubstr("other")));
  EXPECT_THAT(store_.AuditLines(), ElementsAre("users/admin session.create REFUSED"));
}

TEST_F(SessionCoordinatorTest, SizesAndTextsOutOfRangeAreInvalid) {
  Connect();
  v1::CreateSessionRequest request = Request();
  request.set_columns(1001);
  EXPECT_THAT(Open(request)->result,
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("columns")));
  request = Request();
  request.set_rows(1001);
  EXPECT_THAT(Open(request)->result,
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("rows")));
  request = Request();
  request.set_reason(std::string(1025, 'x'));
  EXPECT_THAT(Open(request)->result,
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("reason")));
}

TEST_F(SessionCoordinatorTest, AnOfflineDevicesSentenceNamesItAndWhenItWasSeen) {
  EXPECT_THAT(Open()->result, StatusIs(absl::StatusCode::kFailedPrecondition,
                                       AllOf(HasSubstr(kUnit), HasSubstr("never been connected"))));

  Connect();
  Disconnect();
  Advance(absl::Minutes(3));

  const absl::Status status = Open()->result.status();
  EXPECT_THAT(status,
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       AllOf(HasSubstr(kUnit), HasSubstr("last seen"), HasSubstr("3m ago"))));
  EXPECT_EQ(ReasonOf(status), "DEVICE_OFFLINE");
  EXPECT_EQ(edge_.Last(v1::EdgeCommand::kRegisterSession).command_case(),
            v1::EdgeCommand::COMMAND_NOT_SET);
}

TEST_F(SessionCoordinatorTest, ADisabledTerminalIsRefused) {
  Connect();
  ASSERT_THAT(directory_.Change(kUnit,
                                [](v1::Device& device) {
                                  device.mutable_terminal()->set_enabled(false);
                                  return absl::OkStatus();
                                }),
              IsOk());

  EXPECT_THAT(Open()->result,
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       AllOf(HasSubstr("disabled"), HasSubstr(kUnit), HasSubstr("enable"))));
}

TEST_F(SessionCoordinatorTest, AnUnknownProfileIsRefusedWithThoseThereAre) {
  Connect();
  v1::CreateSessionRequest request = Request();
  request.set_profile("root");

  EXPECT_THAT(Open(request)->result, StatusIs(absl::StatusCode::kFailedPrecondition,
                                              AllOf(HasSubstr("root"), HasSubstr("shell"))));
}

TEST_F(SessionCoordinatorTest, TheRateLimitSaysWhenToTryAgain) {
  Connect();
  for (int i = 0; i < 3; ++i) OpenInformed();

  EXPECT_THAT(Open()->result,
              StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("try again in 20s")));
  Advance(absl::Seconds(20));
  EXPECT_FALSE(Open()->answered);
}

TEST_F(SessionCoordinatorTest, TheDevicesLimitCountsSessionsThatAreOpen) {
  Connect();
  ASSERT_THAT(directory_.Change(kUnit,
                                [](v1::Device& device) {
                                  device.mutable_terminal()->set_max_sessions(1);
                                  return absl::OkStatus();
                                }),
              IsOk());
  const std::string id = OpenActive();

  EXPECT_THAT(Open()->result,
              StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("max_sessions")));
  Tunnel(id, v1::TunnelEvent::ENDED, v1::TunnelEvent::CONSOLE, 1000);
  EXPECT_FALSE(Open()->answered);
}

// ---- Failures on the way ----

TEST_F(SessionCoordinatorTest, ADeviceThatDoesNotComeFailsAfterTheDeadline) {
  Connect();
  const std::shared_ptr<Outcome> outcome = Open();

  Advance(absl::Seconds(19));
  EXPECT_FALSE(outcome->answered);
  Advance(absl::Seconds(1));

  EXPECT_THAT(outcome->result, StatusIs(absl::StatusCode::kUnavailable, HasSubstr(kUnit)));
  EXPECT_EQ(CauseOf(outcome->id), v1::SessionEnd::NEVER_ATTACHED);
  EXPECT_EQ(edge_.Last(v1::EdgeCommand::kEndSession).end_session().session_id(), outcome->id);
  EXPECT_EQ(edge_.LastToDevice().close_terminal().session_id(), outcome->id);
  EXPECT_THAT(store_.AuditLines(), Contains("users/admin session.open FAILED"));
}

TEST_F(SessionCoordinatorTest, ADevicesRefusalReachesTheCaller) {
  Connect();
  const std::shared_ptr<Outcome> outcome = Open();
  v1::DeviceMessage message;
  message.mutable_open_terminal_result()->set_session_id(outcome->id);
  message.mutable_open_terminal_result()->set_refusal(v1::OpenTerminalResult::DISABLED);
  message.mutable_open_terminal_result()->set_message("terminals are switched off here");

  Report(message, "another");
  EXPECT_FALSE(outcome->answered);
  Report(message);

  EXPECT_THAT(outcome->result, StatusIs(absl::StatusCode::kFailedPrecondition,
                                        HasSubstr("terminals are switched off here")));
  EXPECT_EQ(CauseOf(outcome->id), v1::SessionEnd::DEVICE_REFUSED);
  EXPECT_THAT(store_.AuditLines(), Contains("users/admin session.open REFUSED"));
}

TEST_F(SessionCoordinatorTest, ADeviceThatDisconnectsFailsItsOpeningSessionsAtOnce) {
  Connect();
  const std::string active = OpenActive();
  const std::shared_ptr<Outcome> opening = Open();

  Disconnect();

  EXPECT_THAT(opening->result, StatusIs(absl::StatusCode::kUnavailable, HasSubstr(kUnit)));
  EXPECT_EQ(CauseOf(opening->id), v1::SessionEnd::DEVICE_LOST);
  EXPECT_EQ(Get(active).state(), v1::Session::ACTIVE);
}

TEST_F(SessionCoordinatorTest, ANewerConnectionFailsWhatWasAskedOverTheOlder) {
  Connect(1);
  const std::shared_ptr<Outcome> opening = Open();

  Connect(2);
  Disconnect(1);

  EXPECT_THAT(opening->result, StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_EQ(directory_.Get(kUnit)->connection().state(), v1::Connection::ONLINE);
}

TEST_F(SessionCoordinatorTest, ALinkThatCannotSendFailsTheSession) {
  Connect();
  edge_.up = false;

  const std::shared_ptr<Outcome> outcome = Open();

  EXPECT_THAT(outcome->result, StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_FALSE(OnBoard(outcome->id));
}

TEST_F(SessionCoordinatorTest, AStoreThatFailsGivesNoTicket) {
  Connect();
  store_.FailWrites(absl::InternalError("disk full"));

  const std::shared_ptr<Outcome> outcome = Open();
  Tunnel(outcome->id, v1::TunnelEvent::DEVICE_ATTACHED);

  EXPECT_THAT(outcome->result, StatusIs(absl::StatusCode::kInternal, HasSubstr("disk full")));
  EXPECT_FALSE(OnBoard(outcome->id));
  EXPECT_EQ(edge_.Last(v1::EdgeCommand::kEndSession).end_session().session_id(), outcome->id);
}

TEST_F(SessionCoordinatorTest, AnEndThatCannotBeStoredIsStoredLater) {
  Connect();
  const std::string id = OpenActive();
  store_.FailWrites(absl::InternalError("disk full"));
  ProgramEnds(id, 0);

  Tunnel(id, v1::TunnelEvent::ENDED, v1::TunnelEvent::DEVICE, 1000);
  EXPECT_TRUE(OnBoard(id));
  store_.FailWrites(absl::OkStatus());
  Advance(absl::Seconds(6));

  EXPECT_FALSE(OnBoard(id));
  EXPECT_EQ(Get(id).state(), v1::Session::ENDED);
}

TEST_F(SessionCoordinatorTest, ATunnelThatEndsWhileOpeningFailsTheCall) {
  Connect();
  const std::shared_ptr<Outcome> outcome = Open();

  Tunnel(outcome->id, v1::TunnelEvent::ENDED, v1::TunnelEvent::SIDE_UNSPECIFIED, 4503);

  EXPECT_THAT(outcome->result, StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_EQ(CauseOf(outcome->id), v1::SessionEnd::SERVER_STOPPED);
}

TEST_F(SessionCoordinatorTest, AConsoleThatNeverComesEndsTheSession) {
  Connect();
  const std::string id = OpenInformed();

  Tunnel(id, v1::TunnelEvent::ENDED, v1::TunnelEvent::SIDE_UNSPECIFIED, 4502);

  EXPECT_EQ(CauseOf(id), v1::SessionEnd::NEVER_ATTACHED);
}

TEST_F(SessionCoordinatorTest, AnEdgeThatSaysNothingLeavesNoGhost) {
  Connect();
  const std::string id = OpenInformed();

  Advance(absl::Seconds(46));
  EXPECT_EQ(CauseOf(id), v1::SessionEnd::NEVER_ATTACHED);
  Advance(absl::Seconds(6));

  EXPECT_FALSE(OnBoard(id));
}

// ---- Those who give up or end it ----

TEST_F(SessionCoordinatorTest, ACallerThatGivesUpEndsTheOpeningSession) {
  Connect();
  const std::shared_ptr<Outcome> outcome = Open();

  sessions_.Abandon(outcome->id);
  RunAll();

  EXPECT_THAT(outcome->result, StatusIs(absl::StatusCode::kCancelled));
  EXPECT_EQ(CauseOf(outcome->id), v1::SessionEnd::CONSOLE_CLOSED);
  EXPECT_EQ(edge_.LastToDevice().close_terminal().session_id(), outcome->id);
}

TEST_F(SessionCoordinatorTest, ACallerThatWasAnsweredCanGiveUpNoMore) {
  Connect();
  const std::string id = OpenInformed();

  sessions_.Abandon(id);
  RunAll();

  EXPECT_EQ(Get(id).state(), v1::Session::OPENING);
}

TEST_F(SessionCoordinatorTest, TerminatingWhileOpeningAnswersBoth) {
  Connect();
  const std::shared_ptr<Outcome> outcome = Open();

  const absl::StatusOr<v1::Session> terminated = Terminate(outcome->id);

  ASSERT_THAT(terminated, IsOk());
  EXPECT_EQ(terminated->state(), v1::Session::ENDED);
  EXPECT_EQ(terminated->end().cause(), v1::SessionEnd::TERMINATED);
  EXPECT_THAT(outcome->result, StatusIs(absl::StatusCode::kAborted,
                                        AllOf(HasSubstr("users/boss"), HasSubstr("enough"))));
}

TEST_F(SessionCoordinatorTest, TerminatingWaitsForTheEdge) {
  Connect();
  const std::string id = OpenActive();

  EXPECT_THAT(Terminate(id), StatusIs(absl::StatusCode::kUnknown));
  const v1::EndSession end = edge_.Last(v1::EdgeCommand::kEndSession).end_session();
  EXPECT_EQ(end.close_code(), 4410u);
  EXPECT_EQ(end.reason(), "terminated by users/boss: enough");
  EXPECT_EQ(edge_.LastToDevice().close_terminal().session_id(), id);
  Tunnel(id, v1::TunnelEvent::ENDED, v1::TunnelEvent::SIDE_UNSPECIFIED, 4410);

  ASSERT_THAT(*terminated_, IsOk());
  EXPECT_EQ((*terminated_)->end().cause(), v1::SessionEnd::TERMINATED);
  EXPECT_THAT(store_.AuditLines(), Contains("users/boss session.terminate SUCCEEDED"));
}

TEST_F(SessionCoordinatorTest, TerminatingDoesNotWaitForASilentEdge) {
  Connect();
  const std::string id = OpenActive();
  Terminate(id).status().IgnoreError();

  Advance(absl::Milliseconds(500));

  ASSERT_THAT(*terminated_, IsOk());
  EXPECT_EQ((*terminated_)->state(), v1::Session::ENDED);
}

TEST_F(SessionCoordinatorTest, TerminatingAnEndedSessionReturnsItUnchanged) {
  Connect();
  const std::string id = OpenActive();
  ProgramEnds(id, 0);
  Tunnel(id, v1::TunnelEvent::ENDED, v1::TunnelEvent::DEVICE, 1000);

  const absl::StatusOr<v1::Session> session = Terminate(id);

  ASSERT_THAT(session, IsOk());
  EXPECT_EQ(session->end().cause(), v1::SessionEnd::PROGRAM_ENDED);
  EXPECT_THAT(Terminate("nothing"), StatusIs(absl::StatusCode::kNotFound));
}

TEST_F(SessionCoordinatorTest, ADeletedDevicesSessionsAreTerminatedAndItsCertificatesRefused) {
  Connect();
  const std::string id = OpenActive();

  sessions_.EndSessionsOf(kUnit, "device was deleted");
  edges_.DropDevice(kUnit, "device was deleted", {"fingerprint"});
  RunAll();
  Tunnel(id, v1::TunnelEvent::ENDED, v1::TunnelEvent::SIDE_UNSPECIFIED, 4410);

  EXPECT_EQ(CauseOf(id), v1::SessionEnd::TERMINATED);
  const v1::DropDevice drop = edge_.Last(v1::EdgeCommand::kDropDevice).drop_device();
  EXPECT_EQ(drop.close_code(), 4403u);
  EXPECT_THAT(drop.revoked_fingerprints(), ElementsAre("fingerprint"));
  EXPECT_THAT(edges_.Configuration().revoked_fingerprints(), ElementsAre("fingerprint"));
}

// ---- Late and repeated events ----

TEST_F(SessionCoordinatorTest, RepeatedEventsChangeNothing) {
  Connect();
  const std::string id = OpenActive();

  for (int i = 0; i < 2; ++i) {
    Tunnel(id, v1::TunnelEvent::DEVICE_ATTACHED);
    Tunnel(id, v1::TunnelEvent::CONSOLE_ATTACHED);
    Tunnel(id, v1::TunnelEvent::DATA_FLOWING);
  }

  EXPECT_EQ(Steps(id).size(), 6u);
}

TEST_F(SessionCoordinatorTest, ATunnelOfASessionThatIsOverIsEnded) {
  Tunnel("unknown", v1::TunnelEvent::DEVICE_ATTACHED);

  const v1::EndSession end = edge_.Last(v1::EdgeCommand::kEndSession).end_session();
  EXPECT_EQ(end.session_id(), "unknown");
  EXPECT_EQ(end.close_code(), 4410u);
}

TEST_F(SessionCoordinatorTest, AnotherDevicesReportIsIgnored) {
  Connect();
  const std::string id = OpenActive();

  ProgramEnds(id, 1, "another");
  ProgramEnds(id, 2);
  Tunnel(id, v1::TunnelEvent::ENDED, v1::TunnelEvent::DEVICE, 1000);

  EXPECT_EQ(Get(id).end().exit_code(), 2);
}

TEST_F(SessionCoordinatorTest, ATerminalThatShouldNotRunIsEnded) {
  Connect(1, "left-over");

  EXPECT_EQ(edge_.LastToDevice().close_terminal().session_id(), "left-over");
}

// ---- Links and restarts ----

TEST_F(SessionCoordinatorTest, ALostLinkMakesDevicesOfflineAndKeepsSessionsThatRun) {
  Connect();
  const std::string active = OpenActive();
  const std::shared_ptr<Outcome> opening = Open();

  edge_.up = false;
  edges_.OnEdgeDown(kLocalEdge, absl::UnavailableError("gone"));
  RunAll();

  EXPECT_EQ(directory_.Get(kUnit)->connection().state(), v1::Connection::OFFLINE);
  EXPECT_THAT(opening->result, StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_EQ(Get(active).state(), v1::Session::ACTIVE);
}

TEST_F(SessionCoordinatorTest, ASnapshotEndsSessionsThatItDoesNotName) {
  Connect();
  const std::string kept = OpenActive();
  const std::string lost = OpenActive();
  edges_.OnEdgeDown(kLocalEdge, absl::UnavailableError("gone"));

  v1::EdgeHello hello;
  hello.set_boot_id("boot1");
  edges_.OnEdgeUp(kLocalEdge, hello);
  Tunnel(kept, v1::TunnelEvent::DEVICE_ATTACHED);
  v1::EdgeEvent complete;
  complete.mutable_snapshot_complete();
  Happen(complete);

  EXPECT_EQ(Get(kept).state(), v1::Session::ACTIVE);
  EXPECT_EQ(CauseOf(lost), v1::SessionEnd::SERVER_STOPPED);
}

TEST_F(SessionCoordinatorTest, AnEdgeWithAnotherBootIdHasLostAllSessions) {
  Connect();
  const std::string id = OpenActive();
  edges_.OnEdgeDown(kLocalEdge, absl::UnavailableError("gone"));

  Link("boot2");

  EXPECT_EQ(CauseOf(id), v1::SessionEnd::SERVER_STOPPED);
}

TEST_F(SessionCoordinatorTest, SessionsOfAnEarlierRunAreEnded) {
  v1::Session left;
  left.set_name("sessions/left");
  left.set_state(v1::Session::ACTIVE);
  ASSERT_THAT(store_.PutSession(left), IsOk());

  ASSERT_THAT(sessions_.Recover(), IsOk());

  EXPECT_EQ(Get("left").state(), v1::Session::ENDED);
  EXPECT_EQ(CauseOf("left"), v1::SessionEnd::SERVER_STOPPED);
  EXPECT_THAT(store_.AuditLines(), ElementsAre("server session.end SUCCEEDED"));
}

TEST_F(SessionCoordinatorTest, ShutdownEndsAndStoresAll) {
  Connect();
  const std::string active = OpenActive();
  const std::shared_ptr<Outcome> opening = Open();
  bool stopped = false;

  sessions_.Shutdown([&stopped]() { stopped = true; });
  RunAll();

  EXPECT_TRUE(stopped);
  EXPECT_EQ(CauseOf(active), v1::SessionEnd::SERVER_STOPPED);
  EXPECT_THAT(opening->result, StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_EQ(edge_.Last(v1::EdgeCommand::kEndSession).end_session().close_code(), 4503u);
  EXPECT_THAT(Open()->result, StatusIs(absl::StatusCode::kUnavailable));
}

// ---- Devices, enrolment, refusals ----

TEST_F(SessionCoordinatorTest, AConnectedDeviceIsWelcomedWithItsSettings) {
  Connect();

  const v1::ServerWelcome welcome = edge_.LastToDevice().welcome();
  EXPECT_EQ(welcome.unit_id(), kUnit);
  EXPECT_TRUE(welcome.settings().enabled());
  EXPECT_EQ(welcome.settings().max_sessions(), 16u);
  EXPECT_EQ(FromTimestamp(welcome.server_time()), clock_.Now());
}

TEST_F(SessionCoordinatorTest, ADeviceThatIsNotInTheDirectoryIsDropped) {
  v1::EdgeEvent event;
  event.mutable_device_connected()->set_unit_id("stranger");
  Happen(event);

  const v1::DropDevice drop = edge_.Last(v1::EdgeCommand::kDropDevice).drop_device();
  EXPECT_EQ(drop.unit_id(), "stranger");
  EXPECT_EQ(drop.close_code(), 4403u);
}

TEST_F(SessionCoordinatorTest, SettingsAreForwardedToADeviceThatIsOnline) {
  Connect();
  v1::TerminalSettings settings;
  settings.set_enabled(false);

  edges_.ForwardSettings(kUnit, settings);
  RunAll();

  EXPECT_TRUE(edge_.LastToDevice().has_update_settings());
  EXPECT_FALSE(edge_.LastToDevice().update_settings().enabled());
}

TEST_F(SessionCoordinatorTest, EnrolmentIsAnsweredOverTheLink) {
  v1::EdgeEvent event;
  event.mutable_est_request()->set_request_id(9);
  event.mutable_est_request()->set_unit_id("new");
  Happen(event);

  const v1::EstResponse response = edge_.Last(v1::EdgeCommand::kEstResponse).est_response();
  EXPECT_EQ(response.request_id(), 9u);
  EXPECT_EQ(response.body(), "for new");
}

TEST_F(SessionCoordinatorTest, RefusalsAtTheEdgeAreAudited) {
  v1::EdgeEvent event;
  event.mutable_refusal()->set_action("tunnel.attach");
  event.mutable_refusal()->set_detail("ticket used");
  Happen(event);

  EXPECT_THAT(store_.AuditLines(), ElementsAre("anonymous tunnel.attach REFUSED"));
}

}  // namespace
}  // namespace fairlead::control
