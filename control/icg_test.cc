// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// ICGs by the control plane's services, with fake edges and a real store: registration, links,
// connectors, deletion and restart.
#include <grpcpp/grpcpp.h>

#include <list>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "base/clock.h"
#include "base/status_matchers.h"
#include "control/proto_time.h"
#include "control/testing/control_fixture.h"
#include "control/testing/fake_edge_service.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "proto/audit.grpc.pb.h"
#include "proto/icg.grpc.pb.h"

namespace fairlead::control {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

// An ICG that is reached in-process.
struct FakeIcg {
  FakeIcg() {
    grpc::ServerBuilder builder;
    builder.RegisterService(&edge);
    server = builder.BuildAndStart();
  }
  ~FakeIcg() { server->Shutdown(std::chrono::system_clock::now()); }

  FakeEdgeService edge;
  std::unique_ptr<grpc::Server> server;
};

// Reaches those ICGs that the test puts up.
class FakeDialer : public EdgeDialer {
 public:
  void Dial(EdgeDialRequest request, Done done) override {
    absl::MutexLock lock(&mutex_);
    requests_.push_back(request);
    const auto found = icgs_.find(request.icg_id);
    if (found == icgs_.end()) {
      done(absl::UnavailableError(absl::StrCat("nobody listens at ", request.address)));
    } else {
      done(found->second->server->InProcessChannel(grpc::ChannelArguments()));
    }
  }

  void PutUp(const std::string& id, FakeIcg* icg) {
    absl::MutexLock lock(&mutex_);
    icgs_[id] = icg;
  }
  void TakeDown(const std::string& id) {
    absl::MutexLock lock(&mutex_);
    icgs_.erase(id);
  }
  std::vector<EdgeDialRequest> AwaitDials(std::size_t count) {
    absl::MutexLock lock(&mutex_);
    const auto enough = [this, count]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
      return requests_.size() >= count;
    };
    EXPECT_TRUE(mutex_.AwaitWithTimeout(absl::Condition(&enough), absl::Seconds(20)));
    return requests_;
  }

 private:
  absl::Mutex mutex_;
  std::map<std::string, FakeIcg*> icgs_ ABSL_GUARDED_BY(mutex_);
  std::vector<EdgeDialRequest> requests_ ABSL_GUARDED_BY(mutex_);
};

class IcgTest : public ControlFixture {
 protected:
  // The dialer must outlast the control plane.
  ~IcgTest() override { Stop(); }

  void SetUp() override {
    ControlFixture::SetUp();
    icgs_ = v1::IcgService::NewStub(channel_);
  }

  ControlOptions Options() override {
    ControlOptions options = ControlFixture::Options();
    options.edge_dialer = &dialer_;
    options.allowed_origins = {"https://terminal.example"};
    return options;
  }

  static v1::RegisterIcgRequest Request(const std::string& id) {
    v1::RegisterIcgRequest request;
    request.mutable_icg()->set_name(absl::StrCat("icgs/", id));
    request.mutable_icg()->set_internal_address("grpcs://10.0.0.5:8443");
    request.mutable_icg()->set_external_address(absl::StrCat(id, ".example:443"));
    return request;
  }
  grpc::Status Register(const v1::RegisterIcgRequest& request, v1::RegisterIcgResponse* response) {
    return icgs_->RegisterIcg(NewContext().get(), request, response);
  }
  v1::RegisterIcgResponse Register(const std::string& id) {
    v1::RegisterIcgResponse response;
    const grpc::Status status = Register(Request(id), &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return response;
  }
  grpc::Status Delete(const std::string& name) {
    v1::DeleteIcgRequest request;
    request.set_name(name);
    v1::DeleteIcgResponse response;
    return icgs_->DeleteIcg(NewContext().get(), request, &response);
  }
  std::vector<v1::Icg> List() {
    v1::ListIcgsResponse response;
    EXPECT_TRUE(icgs_->ListIcgs(NewContext().get(), v1::ListIcgsRequest(), &response).ok());
    return std::vector<v1::Icg>(response.icgs().begin(), response.icgs().end());
  }
  // Waits until the ICG that is first by name is as `good` wants it.
  template <typename Predicate>
  v1::Icg AwaitIcg(Predicate good) {
    const absl::Duration deadline = SystemClock().Monotonic() + absl::Seconds(20);
    while (SystemClock().Monotonic() < deadline) {
      const std::vector<v1::Icg> icgs = List();
      if (!icgs.empty() && good(icgs[0])) return icgs[0];
    }
    ADD_FAILURE() << "the ICG did not become as wanted: " << List()[0].ShortDebugString();
    return v1::Icg();
  }
  v1::Icg AwaitConnected() {
    return AwaitIcg([](const v1::Icg& icg) { return icg.state() == v1::Icg::CONNECTED; });
  }
  v1::Device GetDevice() {
    v1::GetDeviceRequest request;
    request.set_name(absl::StrCat("devices/", kUnit));
    v1::Device device;
    EXPECT_TRUE(devices_->GetDevice(NewContext().get(), request, &device).ok());
    return device;
  }
  static std::vector<std::string> Lines(const v1::ConnectorList& list) {
    std::vector<std::string> lines;
    for (const v1::Connector& connector : list.connectors()) {
      lines.push_back(
          absl::StrCat(v1::Connector::Type_Name(connector.type()), " ", connector.address()));
    }
    lines.push_back(v1::Device::ConnectorPreference_Name(list.preference()));
    return lines;
  }

  // They outlast the control plane too, which goes on dialling them.
  std::list<FakeIcg> fake_icgs_;
  FakeDialer dialer_;
  std::unique_ptr<v1::IcgService::Stub> icgs_;
};

TEST_F(IcgTest, RegisteringReturnsTheBundleOnceAndDialsIt) {
  FakeIcg& icg = fake_icgs_.emplace_back();
  dialer_.PutUp("berlin", &icg);
  v1::RegisterIcgRequest request = Request("berlin");
  request.mutable_icg()->set_proxy("http://proxy.example:3128");
  request.mutable_icg()->set_max_devices(7);
  *request.mutable_icg()->mutable_grace_period() = ToDuration(absl::Minutes(2));
  request.add_subject_alternative_names("gw.example");
  v1::RegisterIcgResponse response;

  ASSERT_TRUE(Register(request, &response).ok());

  EXPECT_THAT(response.private_key_pem(), StartsWith("-----BEGIN PRIVATE KEY-----"));
  EXPECT_EQ(response.ca_certificates_pem(), control_->authority().certificate_pem());
  const auto leaf = CertificateFromPem(response.certificate_chain_pem()).value();
  EXPECT_THAT(DnsNamesOf(leaf.get()), testing::ElementsAre("berlin.example", "gw.example"));
  EXPECT_EQ(AddressesOf(leaf.get()).size(), 1u);
  EXPECT_THAT(UrisOf(leaf.get()), testing::ElementsAre("urn:fairlead:icg:berlin"));
  EXPECT_TRUE(response.icg().has_create_time());
  EXPECT_TRUE(response.icg().has_certificate_expire_time());
  const EdgeDialRequest dial = dialer_.AwaitDials(1)[0];
  EXPECT_EQ(dial.icg_id, "berlin");
  EXPECT_EQ(dial.address, "grpcs://10.0.0.5:8443");
  EXPECT_EQ(dial.proxy, "http://proxy.example:3128");
  EXPECT_EQ(dial.ca_pem, control_->authority().certificate_pem());
  const auto identity = CertificateFromPem(dial.certificate_chain_pem).value();
  EXPECT_THAT(UrisOf(identity.get()), testing::ElementsAre("urn:fairlead:server:ums"));
  const v1::EdgeConfiguration configuration =
      icg.edge.Await(v1::EdgeCommand::kConfigure).configure();
  EXPECT_EQ(configuration.max_devices(), 7u);
  EXPECT_EQ(FromDuration(configuration.grace_period()), absl::Minutes(2));
  EXPECT_THAT(configuration.allowed_origins(),
              testing::UnorderedElementsAre("https://terminal.example", "https://ums.example:443",
                                            "https://ums.example"));
  const v1::Icg connected = AwaitConnected();
  EXPECT_EQ(connected.last_error(), "");
  EXPECT_TRUE(connected.has_since_time());
  EXPECT_EQ(connected.max_devices(), 7u);
}

TEST_F(IcgTest, RegisteringTwiceIsRefusedAndBothActsAreAudited) {
  Register("berlin");
  v1::RegisterIcgResponse response;

  const grpc::Status again = Register(Request("berlin"), &response);

  EXPECT_EQ(again.error_code(), grpc::StatusCode::ALREADY_EXISTS);
  EXPECT_THAT(again.error_message(), HasSubstr("icgs/berlin is registered already"));
  EXPECT_TRUE(Delete("icgs/berlin").ok());
  EXPECT_EQ(Delete("icgs/berlin").error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_TRUE(Register(Request("berlin"), &response).ok());
  v1::ListAuditEventsResponse audit;
  ASSERT_TRUE(v1::AuditService::NewStub(channel_)
                  ->ListAuditEvents(NewContext().get(), v1::ListAuditEventsRequest(), &audit)
                  .ok());
  std::vector<std::string> lines;
  for (const v1::AuditEvent& event : audit.audit_events()) {
    if (absl::StartsWith(event.action(), "icg.")) {
      lines.push_back(absl::StrCat(event.actor(), " ", event.action(), " ", event.resource()));
    }
  }
  EXPECT_THAT(lines, testing::ElementsAre("users/admin icg.register icgs/berlin",
                                          "users/admin icg.delete icgs/berlin",
                                          "users/admin icg.register icgs/berlin"));
}

TEST_F(IcgTest, ListsByNameAPageAtATime) {
  for (const char* id : {"c", "a", "b"}) Register(id);
  v1::ListIcgsRequest request;
  request.set_page_size(2);
  v1::ListIcgsResponse page;

  ASSERT_TRUE(icgs_->ListIcgs(NewContext().get(), request, &page).ok());
  ASSERT_EQ(page.icgs_size(), 2);
  EXPECT_EQ(page.icgs(0).name(), "icgs/a");
  EXPECT_EQ(page.icgs(1).name(), "icgs/b");
  request.set_page_token(page.next_page_token());
  page.Clear();
  ASSERT_TRUE(icgs_->ListIcgs(NewContext().get(), request, &page).ok());
  ASSERT_EQ(page.icgs_size(), 1);
  EXPECT_EQ(page.icgs(0).name(), "icgs/c");
  EXPECT_EQ(page.next_page_token(), "");
  request.set_page_token("!");
  EXPECT_EQ(icgs_->ListIcgs(NewContext().get(), request, &page).error_code(),
            grpc::StatusCode::INVALID_ARGUMENT);
}

TEST_F(IcgTest, R12TheLinkComesBackByItselfAndShowsWhyItIsDown) {
  Register("berlin");
  const v1::Icg down = AwaitIcg([](const v1::Icg& icg) { return !icg.last_error().empty(); });
  EXPECT_EQ(down.state(), v1::Icg::DISCONNECTED);
  EXPECT_EQ(down.last_error(), "nobody listens at grpcs://10.0.0.5:8443");
  FakeIcg& icg = fake_icgs_.emplace_back();

  dialer_.PutUp("berlin", &icg);
  EXPECT_EQ(AwaitConnected().last_error(), "");
  dialer_.TakeDown("berlin");
  icg.edge.Break();

  AwaitIcg([](const v1::Icg& shown) { return shown.state() == v1::Icg::DISCONNECTED; });
  dialer_.PutUp("berlin", &icg);
  AwaitConnected();
}

TEST_F(IcgTest, ADeviceOverAnIcgCountsThereAndIsOfflineWithoutTheLink) {
  FakeIcg& icg = fake_icgs_.emplace_back();
  dialer_.PutUp("berlin", &icg);
  Register("berlin");
  AwaitConnected();
  CreateDevice();

  icg.edge.Connect(kUnit);
  EXPECT_THAT(Lines(icg.edge.AwaitMessage(v1::ServerMessage::kWelcome).welcome().connectors()),
              testing::ElementsAre("SERVER ums.example:443", "ICG berlin.example:443", "NONE"));

  AwaitIcg([](const v1::Icg& shown) { return shown.connected_devices() == 1; });
  EXPECT_EQ(GetDevice().connection().icg(), "icgs/berlin");
  dialer_.TakeDown("berlin");
  icg.edge.Break();
  AwaitIcg([](const v1::Icg& shown) { return shown.connected_devices() == 0; });
  EXPECT_EQ(GetDevice().connection().state(), v1::Connection::OFFLINE);
}

TEST_F(IcgTest, ConnectorsArePushedWhenIcgsComeAndGo) {
  CreateDevice();
  edge_.Connect(kUnit);
  edge_.AwaitMessage(v1::ServerMessage::kWelcome);

  Register("berlin");
  EXPECT_THAT(Lines(edge_.AwaitMessage(v1::ServerMessage::kUpdateConnectors).update_connectors()),
              testing::ElementsAre("SERVER ums.example:443", "ICG berlin.example:443", "NONE"));
  v1::UpdateDeviceRequest request;
  request.mutable_device()->set_name(absl::StrCat("devices/", kUnit));
  request.mutable_device()->set_connector_preference(v1::Device::ICG);
  v1::Device device;
  ASSERT_TRUE(devices_->UpdateDevice(NewContext().get(), request, &device).ok());
  EXPECT_THAT(Lines(edge_.AwaitMessage(v1::ServerMessage::kUpdateConnectors).update_connectors()),
              testing::ElementsAre("SERVER ums.example:443", "ICG berlin.example:443", "ICG"));
  ASSERT_TRUE(Delete("icgs/berlin").ok());
  EXPECT_THAT(Lines(edge_.AwaitMessage(v1::ServerMessage::kUpdateConnectors).update_connectors()),
              testing::ElementsAre("SERVER ums.example:443", "ICG"));
}

TEST_F(IcgTest, DeletingTellsItsDevicesEndsTheLinkAndRevokesTheCertificate) {
  FakeIcg& icg = fake_icgs_.emplace_back();
  dialer_.PutUp("berlin", &icg);
  Register("berlin");
  AwaitConnected();
  CreateDevice();
  icg.edge.Connect(kUnit);
  icg.edge.AwaitMessage(v1::ServerMessage::kWelcome);
  edge_.Await(v1::EdgeCommand::kConfigure);

  ASSERT_TRUE(Delete("icgs/berlin").ok());

  EXPECT_THAT(
      Lines(icg.edge.AwaitMessage(v1::ServerMessage::kUpdateConnectors).update_connectors()),
      testing::ElementsAre("SERVER ums.example:443", "NONE"));
  EXPECT_EQ(icg.edge.Await(v1::EdgeCommand::kDropDevice).drop_device().unit_id(), kUnit);
  EXPECT_THAT(edge_.Await(v1::EdgeCommand::kConfigure).configure().revoked_fingerprints(),
              testing::SizeIs(1));
  EXPECT_THAT(List(), IsEmpty());
  const std::size_t dials = dialer_.AwaitDials(0).size();
  Stop();
  SetUp();
  EXPECT_THAT(edge_.Await(v1::EdgeCommand::kConfigure).configure().revoked_fingerprints(),
              testing::SizeIs(1));
  EXPECT_EQ(dialer_.AwaitDials(0).size(), dials);
  Register("berlin");
  EXPECT_THAT(dialer_.AwaitDials(dials + 1).back().revoked_fingerprints, testing::SizeIs(1));
}

TEST_F(IcgTest, ARestartLinksTheStoredIcgsAgain) {
  FakeIcg& icg = fake_icgs_.emplace_back();
  dialer_.PutUp("berlin", &icg);
  Register("berlin");
  AwaitConnected();

  Stop();
  SetUp();

  EXPECT_EQ(AwaitConnected().external_address(), "berlin.example:443");
}

TEST_F(IcgTest, AnOs11DeviceIsProbedWhenItsAddressIsSet) {
  v1::CreateDeviceRequest create;
  create.mutable_device()->set_unit_id(kUnit);
  create.mutable_device()->set_address("[2001:db8::7]:30022");
  v1::Device device;
  ASSERT_TRUE(devices_->CreateDevice(NewContext().get(), create, &device).ok());
  EXPECT_EQ(device.os_generation(), v1::Device::OS_11);

  const v1::ProbeDevice probe = edge_.Await(v1::EdgeCommand::kProbeDevice).probe_device();

  EXPECT_EQ(probe.unit_id(), kUnit);
  EXPECT_EQ(probe.address(), "[2001:db8::7]:30022");
  v1::EdgeEvent event;
  event.mutable_probe_result()->set_unit_id(kUnit);
  event.mutable_probe_result()->set_probe_id(probe.probe_id());
  event.mutable_probe_result()->set_reachable(true);
  edge_.Send(event);
  const absl::Duration deadline = SystemClock().Monotonic() + absl::Seconds(20);
  while (GetDevice().connection().state() != v1::Connection::ONLINE) {
    ASSERT_LT(SystemClock().Monotonic(), deadline);
  }
  EXPECT_EQ(GetDevice().connection().via(), v1::Connection::DIRECT);
  v1::UpdateDeviceRequest update;
  update.mutable_device()->set_name(absl::StrCat("devices/", kUnit));
  update.mutable_device()->set_address("2001:db8::7:30022");
  EXPECT_EQ(devices_->UpdateDevice(NewContext().get(), update, &device).error_code(),
            grpc::StatusCode::INVALID_ARGUMENT);
  update.mutable_device()->set_address("192.0.2.9:30022");
  ASSERT_TRUE(devices_->UpdateDevice(NewContext().get(), update, &device).ok());
  EXPECT_EQ(edge_.Await(v1::EdgeCommand::kProbeDevice).probe_device().address(), "192.0.2.9:30022");
}

}  // namespace
}  // namespace fairlead::control
