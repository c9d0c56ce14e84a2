// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// End to end with real processes: everything that must be refused is, with the contract's code and
// a sentence, and leaves the rest unharmed.
#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/blocking.h"
#include "tests/support/cluster.h"

namespace fairlead::tests {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kDevice[] = "00E0C5000001";

class RefusalTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    cluster_ = new Cluster;
    cluster_->StartDevice(kDevice);
  }
  static void TearDownTestSuite() {
    delete cluster_;
    cluster_ = nullptr;
  }
  static Api& api() { return cluster_->api(); }
  static std::string Tunnel() {
    return absl::StrCat("wss://localhost:", cluster_->port(), "/console-connector/terminal");
  }
  // How a tunnel with `ticket` ends.
  static dataplane::CloseReason Refusal(const std::string& ticket) {
    ConsoleLeg leg(Tunnel(), ticket, api().tls());
    leg.ReadToEnd();
    EXPECT_EQ(leg.output(), "");
    return leg.close();
  }
  // Whether an event with `action` and `outcome` is in the audit log.
  static bool Audited(const std::string& action, const std::string& outcome) {
    const Reply reply = api().Call("GET", absl::StrCat("/api/v1/auditEvents?filter=action%3D",
                                                       action, "%20outcome%3D", outcome));
    return reply.status == 200 && !reply.body["auditEvents"].empty();
  }

  static Cluster* cluster_;
};

Cluster* RefusalTest::cluster_ = nullptr;

TEST_F(RefusalTest, UnknownTicketIs4401) {
  const auto close = Refusal(std::string(43, 'A'));
  EXPECT_EQ(close.code, 4401);
  EXPECT_THAT(close.text, Not(HasSubstr("AAAA")));
  EXPECT_NE(close.text, "");
  EXPECT_EQ(Refusal("short").code, 4401);
  EXPECT_TRUE(Eventually(absl::Seconds(10), [] { return Audited("tunnel.attach", "REFUSED"); }));
}

TEST_F(RefusalTest, ReusedTicketIs4401AndTheFirstLegGoesOn) {
  nlohmann::json session;
  auto leg = cluster_->Open(kDevice, &session);
  EXPECT_EQ(Refusal(session["consoleTicket"]).code, 4401);

  ASSERT_TRUE(leg->Send("echo al''ive\n").ok());
  EXPECT_TRUE(leg->ReadUntil("alive"));
}

TEST_F(RefusalTest, ATicketIsDeadOnceItsSessionIsTerminated) {
  const nlohmann::json session = cluster_->CreateSession(kDevice);
  const Reply reply =
      api().Call("POST", absl::StrCat("/api/v1/", session["name"].get<std::string>(), ":terminate"),
                 nlohmann::json::object());
  ASSERT_EQ(reply.status, 200) << reply.body;
  EXPECT_EQ(Refusal(session["consoleTicket"]).code, 4401);
}

TEST_F(RefusalTest, AConsoleTicketDoesNotOpenTheDeviceSide) {
  const nlohmann::json session = cluster_->CreateSession(kDevice);
  const auto endpoint = dataplane::ParseUrl(absl::StrCat(
      "wss://localhost:", cluster_->port(), "/device-connector/device/portforwarding"));
  dataplane::DialOptions options;
  options.tls = api().tls();
  const std::string ticket = session["consoleTicket"];
  std::vector<std::string> offered = {"fairlead.terminal.v1",
                                      absl::StrCat("fairlead.ticket.", ticket)};
  const auto dialled = Block(dataplane::DialWebSocket(*endpoint, options, offered, {}));
  // Without a device certificate the path is closed to anyone.
  EXPECT_FALSE(dialled.ok());
}

TEST_F(RefusalTest, AnOfflineDeviceIsRefusedAtOnceByName) {
  constexpr char kOther[] = "00E0C5000002";
  cluster_->StartDevice(kOther);
  cluster_->KillDevice(kOther);
  ASSERT_TRUE(cluster_->AwaitDevice(kOther, "OFFLINE", absl::Seconds(45)));
  const Reply reply =
      api().Call("POST", absl::StrCat("/api/v1/devices/", kOther, "/sessions"), {{"columns", 80}});

  EXPECT_EQ(reply.status, 400);
  EXPECT_EQ(reply.body.value("code", 0), 9);
  EXPECT_THAT(reply.body.value("message", ""), AllOf(HasSubstr(kOther), HasSubstr("last seen")));
  EXPECT_TRUE(Eventually(absl::Seconds(10), [] { return Audited("session.create", "REFUSED"); }));
}

TEST_F(RefusalTest, AnUnknownDeviceIsNotFound) {
  const Reply reply =
      api().Call("POST", "/api/v1/devices/NOSUCH/sessions", nlohmann::json::object());
  EXPECT_EQ(reply.status, 404);
  EXPECT_THAT(reply.body.value("message", ""), HasSubstr("NOSUCH"));
}

TEST_F(RefusalTest, ADisabledTerminalIsRefusedUntilEnabledAgain) {
  const std::string path = absl::StrCat("/api/v1/devices/", kDevice, "/terminalSettings");
  ASSERT_EQ(api().Call("PATCH", path, {{"enabled", false}}).status, 200);
  EXPECT_EQ(api()
                .Call("GET", absl::StrCat("/api/v1/devices/", kDevice))
                .body["terminal"]
                .value("enabled", true),
            false);
  const Reply refused = api().Call("POST", absl::StrCat("/api/v1/devices/", kDevice, "/sessions"),
                                   nlohmann::json::object());
  EXPECT_EQ(refused.status, 400);
  EXPECT_THAT(refused.body.value("message", ""), HasSubstr("disabled"));

  ASSERT_EQ(api().Call("PATCH", path, {{"enabled", true}}).status, 200);
  auto leg = cluster_->Open(kDevice);
  ASSERT_TRUE(leg->Send("echo al''ive\n").ok());
  EXPECT_TRUE(leg->ReadUntil("alive"));
}

TEST_F(RefusalTest, AnUnknownProfileAndABrokenOneAreRefusedWithASentence) {
  const std::string path = absl::StrCat("/api/v1/devices/", kDevice, "/sessions");
  const Reply unknown = api().Call("POST", path, {{"profile", "nosuch"}});
  EXPECT_EQ(unknown.status, 400);
  EXPECT_THAT(unknown.body.value("message", ""), HasSubstr("nosuch"));
  const Reply broken = api().Call("POST", path, {{"profile", "broken"}});
  EXPECT_EQ(broken.status, 400);
  EXPECT_THAT(broken.body.value("message", ""), HasSubstr("/nonexistent/program"));
}

TEST_F(RefusalTest, BadRequestsGetAClear4xx) {
  struct Case {
    const char* method;
    const char* path;
    nlohmann::json body;
    int status;
    const char* message;
  };
  const Case cases[] = {
      {"GET", "/api/v1/nosuch", nullptr, 404, "nosuch"},
      {"GET", "/nosuch", nullptr, 404, ""},
      {"DELETE", "/api/v1/login", nullptr, 405, ""},
      {"POST", "/api/v1/login", {{"username", "admin"}, {"pasword", "x"}}, 400, "pasword"},
      {"POST", "/api/v1/login", {{"username", "admin"}, {"password", "wrong"}}, 401, ""},
      {"POST", "/api/v1/devices/00E0C5000001/sessions", {{"columns", 1001}}, 400, "columns"},
      {"POST", "/api/v1/devices/00E0C5000001/sessions", {{"columns", -1}}, 400, ""},
      {"POST",
       "/api/v1/devices/00E0C5000001/sessions",
       {{"reason", std::string(1025, 'r')}},
       400,
       "reason"},
      {"GET", "/api/v1/devices?pageSize=1001", nullptr, 400, "page_size"},
      {"GET", "/api/v1/devices?nosuch=1", nullptr, 400, "nosuch"},
      {"GET", "/api/v1/devices?filter=state%3DNOSUCH", nullptr, 400, "state"},
      {"GET", "/api/v1/sessions/nosuch", nullptr, 404, "nosuch"},
      {"GET", "/api/v1/users", nullptr, 501, ""},
  };
  for (const Case& c : cases) {
    const Reply reply = api().Call(c.method, c.path, c.body);
    EXPECT_EQ(reply.status, c.status) << c.method << " " << c.path << " " << reply.body;
    EXPECT_THAT(reply.body.value("message", ""), HasSubstr(c.message)) << c.path;
    EXPECT_NE(reply.body.value("message", ""), "") << c.path;
    EXPECT_GT(reply.body.value("code", 0), 0) << c.path;
    EXPECT_TRUE(reply.body.contains("details")) << c.path;
  }
  // The server is unharmed.
  EXPECT_EQ(api().Call("GET", "/api/v1/me").body.value("user", ""), "users/admin");
}

TEST_F(RefusalTest, AnOversizeBodyIs413) {
  const Reply reply = api().Call("POST", "/api/v1/login",
                                 {{"username", "admin"}, {"password", std::string(2 << 20, 'x')}});
  EXPECT_EQ(reply.status, 413) << reply.body;
}

TEST_F(RefusalTest, R29EveryRouteButTheOpenOnesWantsAToken) {
  Api stranger(api().url(), ReadFile(cluster_->ca_file()).value_or(""));
  const char* const closed[] = {
      "/api/v1/me",         "/api/v1/devices",    "/api/v1/devices/00E0C5000001",
      "/api/v1/sessions",   "/api/v1/sessions/x", "/api/v1/firstAuthenticationKeys",
      "/api/v1/icgs",       "/api/v1/users",      "/api/v1/roles",
      "/api/v1/auditEvents"};
  for (const char* path : closed) {
    EXPECT_EQ(stranger.Call("GET", path).status, 401) << path;
  }
  stranger.set_token(std::string(43, 'A'));
  EXPECT_EQ(stranger.Call("GET", "/api/v1/me").status, 401);
  for (const char* path : {"/healthz", "/readyz"}) {
    EXPECT_EQ(stranger.Call("GET", path).status, 200) << path;
  }
}

TEST_F(RefusalTest, R18ADeletedDeviceLosesItsSessionAndCannotReturn) {
  constexpr char kOther[] = "00E0C5000003";
  cluster_->StartDevice(kOther);
  auto leg = cluster_->Open(kOther);
  ASSERT_TRUE(leg->ReadUntil(" "));
  const std::string path = absl::StrCat("/api/v1/devices/", kOther);
  ASSERT_EQ(api().Call("DELETE", path).status, 200);
  leg->ReadToEnd();

  EXPECT_EQ(leg->close().code, 4410);
  EXPECT_EQ(api().Call("GET", path).status, 404);
  // The certificate is refused even by a server that has just started.
  cluster_->KillServer();
  cluster_->StartServer();
  cluster_->KillDevice(kOther);
  cluster_->LaunchDevice(kOther);
  EXPECT_TRUE(Eventually(absl::Seconds(30), [&] { return Audited("device.connect", "REFUSED"); }));
  EXPECT_EQ(api().Call("GET", path).status, 404);
}

TEST_F(RefusalTest, AOneTimeKeyEnrolsOnce) {
  const Reply key = api().Call("POST", "/api/v1/firstAuthenticationKeys", {{"type", "ONE_TIME"}});
  ASSERT_EQ(key.status, 200) << key.body;
  EXPECT_EQ(key.body.value("type", ""), "ONE_TIME");
  EXPECT_NE(key.body.value("key", ""), "");
  const Reply list = api().Call("GET", "/api/v1/firstAuthenticationKeys");
  for (const auto& listed : list.body["firstAuthenticationKeys"]) {
    EXPECT_FALSE(listed.contains("key")) << listed;
  }
}

}  // namespace
}  // namespace fairlead::tests
