// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Covers the commands about ICGs and devices, how a server's CA is learned, and how a tunnel is
// trusted.
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <iterator>
#include <string>

#include "absl/strings/str_cat.h"
#include "base/status_matchers.h"
#include "console/device_commands.h"
#include "console/icg_commands.h"
#include "console/learn_ca.h"
#include "console/open_session.h"
#include "console/testing/fake_api_client.h"
#include "dataplane/testing/test_server.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace fairlead::console {
namespace {

using ::testing::HasSubstr;

std::string ReadAll(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

class RegisterIcgTest : public ::testing::Test {
 protected:
  RegisterIcgTest() : context_{api_, SavedState()} {
    unlink(path_.c_str());
    api_.Answer<v1::RegisterIcgRequest, v1::RegisterIcgResponse>(
        "IcgService.RegisterIcg",
        [this](const v1::RegisterIcgRequest& request, v1::RegisterIcgResponse& response) {
          *response.mutable_icg() = request.icg();
          response.set_private_key_pem("SECRET");
          return status_;
        });
    request_.mutable_icg()->set_name("icgs/berlin");
  }

  FakeApiClient api_;
  CommandContext context_;
  const std::string path_ = ::testing::TempDir() + "/bundle.json";
  v1::RegisterIcgRequest request_;
  absl::Status status_;
};

TEST_F(RegisterIcgTest, WritesTheBundleForItsOwnerAloneAndPrintsNoKey) {
  ::testing::internal::CaptureStdout();
  const absl::Status status = RegisterIcg(context_, request_, path_, Overwrite::kNo);
  const std::string shown = ::testing::internal::GetCapturedStdout();

  ASSERT_THAT(status, IsOk());
  EXPECT_THAT(ReadAll(path_), HasSubstr("\"privateKeyPem\": \"SECRET\""));
  struct stat info {};
  ASSERT_EQ(stat(path_.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
  EXPECT_THAT(shown, HasSubstr(absl::StrCat("--bundle=", path_)));
  EXPECT_THAT(shown, ::testing::Not(HasSubstr("SECRET")));
}

TEST_F(RegisterIcgTest, ReplacesAFileOnlyWhenForced) {
  std::ofstream(path_) << "precious";
  EXPECT_THAT(RegisterIcg(context_, request_, path_, Overwrite::kNo),
              StatusIs(absl::StatusCode::kAlreadyExists, HasSubstr("--force")));
  EXPECT_TRUE(api_.calls().empty());
  EXPECT_EQ(ReadAll(path_), "precious");
  EXPECT_THAT(RegisterIcg(context_, request_, path_, Overwrite::kYes), IsOk());
  EXPECT_THAT(ReadAll(path_), HasSubstr("SECRET"));
}

TEST_F(RegisterIcgTest, RegistersNothingThatItCannotWrite) {
  EXPECT_THAT(RegisterIcg(context_, request_, "/nonexistent/bundle", Overwrite::kNo),
              StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_TRUE(api_.calls().empty());
}

TEST_F(RegisterIcgTest, ARefusalLeavesNoFile) {
  status_ = absl::AlreadyExistsError("icgs/berlin is there");
  EXPECT_THAT(RegisterIcg(context_, request_, path_, Overwrite::kNo),
              StatusIs(absl::StatusCode::kAlreadyExists));
  EXPECT_NE(access(path_.c_str(), F_OK), 0);
  EXPECT_NE(access(absl::StrCat(path_, ".", getpid()).c_str(), F_OK), 0);
}

TEST(ParsePeriod, TakesSecondsAndDurations) {
  EXPECT_EQ(*ParsePeriod("300"), absl::Minutes(5));
  EXPECT_EQ(*ParsePeriod("1h30m"), absl::Minutes(90));
  for (const char* bad : {"", "x", "-1", "25h", "5 m", "inf"}) {
    EXPECT_THAT(ParsePeriod(bad), StatusIs(absl::StatusCode::kInvalidArgument)) << bad;
  }
}

TEST(DeviceRow, TellsTheIcgAndTheLastError) {
  v1::Device device;
  device.set_unit_id("unit");
  device.set_os_generation(v1::Device::OS_11);
  device.mutable_connection()->set_state(v1::Connection::ONLINE);
  device.mutable_connection()->set_via(v1::Connection::ICG);
  device.mutable_connection()->set_icg("icgs/berlin");
  EXPECT_EQ(DeviceRow(device)[4], "ICG berlin");
  device.mutable_connection()->set_state(v1::Connection::OFFLINE);
  device.mutable_connection()->set_last_error("nobody answers");
  EXPECT_EQ(DeviceRow(device)[4], "-");
  EXPECT_EQ(DeviceRow(device).back(), "nobody answers");
  device.add_tags("berlin");
  device.add_tags("till");
  EXPECT_EQ(DeviceRow(device)[6], "berlin, till");
  EXPECT_EQ(DeviceRow(device).size(), DeviceHeadings().size());
}

TEST(ChangeTags, NamesTheDeviceAndTellsWhatItHasNow) {
  FakeApiClient api;
  CommandContext context{api, SavedState()};
  v1::ChangeDeviceTagsRequest seen;
  api.Answer<v1::ChangeDeviceTagsRequest, v1::Device>(
      "DeviceService.ChangeDeviceTags",
      [&seen](const v1::ChangeDeviceTagsRequest& request, v1::Device& device) {
        seen = request;
        device.set_name(request.name());
        *device.mutable_tags() = request.add();
        return absl::OkStatus();
      });
  ::testing::internal::CaptureStdout();
  EXPECT_THAT(ChangeTags(context, "unit", {"berlin", "till"}, {}), IsOk());
  EXPECT_THAT(::testing::internal::GetCapturedStdout(),
              HasSubstr("devices/unit has the tags berlin, till."));
  EXPECT_EQ(seen.name(), "devices/unit");
  EXPECT_EQ(seen.add_size(), 2);
  ::testing::internal::CaptureStdout();
  EXPECT_THAT(ChangeTags(context, "devices/unit", {}, {"till"}), IsOk());
  EXPECT_THAT(::testing::internal::GetCapturedStdout(), HasSubstr("devices/unit has no tags."));
  EXPECT_EQ(seen.remove(0), "till");
}

TEST(UpdateDevice, SendsOnlyWhatIsGiven) {
  FakeApiClient api;
  CommandContext context{api, SavedState()};
  v1::UpdateDeviceRequest seen;
  api.Answer<v1::UpdateDeviceRequest, v1::Device>(
      "DeviceService.UpdateDevice", [&seen](const v1::UpdateDeviceRequest& request, v1::Device&) {
        seen = request;
        return absl::OkStatus();
      });
  v1::Device device;
  device.set_unit_id("unit");
  EXPECT_THAT(UpdateDevice(context, device), StatusIs(absl::StatusCode::kInvalidArgument));
  device.set_address("");
  EXPECT_THAT(UpdateDevice(context, device), IsOk());
  EXPECT_EQ(seen.device().name(), "devices/unit");
  EXPECT_TRUE(seen.device().has_address());
  EXPECT_FALSE(seen.device().has_display_name());
}

dataplane::net::awaitable<dataplane::HttpResponse> Garbage() {
  dataplane::HttpResponse response;
  response.body = "no certificates";
  co_return response;
}

TEST(LearnCa, TrustsOnlyTheFingerprintAndRefusesOtherAnswers) {
  dataplane::Router router;
  dataplane::Route route;
  route.pattern = "/device-connector/device/.well-known/est/cacerts";
  route.on_request = [](dataplane::HttpRequest) { return Garbage(); };
  router.Add(route);
  dataplane::testing::TestServer server(router);
  ServerAddress address;
  address.url = absl::StrCat("https://", dataplane::HostHeader(server.At("/")));
  address.trust.sha256_fingerprint = server.ca().fingerprint();
  EXPECT_THAT(LearnCa(address), StatusIs(absl::StatusCode::kInvalidArgument));
  address.trust.sha256_fingerprint = std::string(64, 'a');
  EXPECT_THAT(LearnCa(address), StatusIs(absl::StatusCode::kFailedPrecondition));
}

TEST(TunnelTrust, AFingerprintIsForTheServerAndTheCaForIcgs) {
  ServerAddress server;
  server.url = "https://ums.example:8443";
  server.trust.sha256_fingerprint = "f";
  server.trust.ca_pem = "ca";
  EXPECT_EQ(TunnelTrust(server, "wss://UMS.example:8443/x").sha256_fingerprint, "f");
  EXPECT_EQ(TunnelTrust(server, "wss://icg.example:8443/x").sha256_fingerprint, "");
  EXPECT_EQ(TunnelTrust(server, "wss://icg.example:8443/x").ca_pem, "ca");
  EXPECT_EQ(TunnelTrust(server, "wss://ums.example:9443/x").sha256_fingerprint, "");
  server.trust.ca_pem.clear();
  EXPECT_EQ(TunnelTrust(server, "wss://icg.example:8443/x").sha256_fingerprint, "f");
}

TEST(Commands, ANameDoesNotDriveThePersonsTerminal) {
  FakeApiClient api;
  CommandContext context{api, SavedState()};
  v1::Device device;
  device.set_unit_id("unit");
  device.set_display_name("till");
  api.Answer<v1::UpdateDeviceRequest, v1::Device>(
      "DeviceService.UpdateDevice", [](const v1::UpdateDeviceRequest&, v1::Device& updated) {
        updated.set_name("devices/unit");
        updated.set_display_name("a\x1b]0;x\a\r\n\xC2\x9B\xE2\x80\xAEz");
        return absl::OkStatus();
      });
  ::testing::internal::CaptureStdout();
  EXPECT_THAT(UpdateDevice(context, device), IsOk());
  EXPECT_EQ(::testing::internal::GetCapturedStdout(),
            "devices/unit is changed. Name: a?]0;x?????z.\n");

  context.output = OutputFormat::kJson;
  ::testing::internal::CaptureStdout();
  EXPECT_THAT(UpdateDevice(context, device), IsOk());
  // Escaped, and so whole for a program.
  EXPECT_THAT(::testing::internal::GetCapturedStdout(),
              HasSubstr(R"("displayName": "a\u001b]0;x\u0007\r\n\u009b\u202ez")"));
}

}  // namespace
}  // namespace fairlead::console
