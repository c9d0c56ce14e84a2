// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// The server's flags: what is taken, what is refused and how.
#include "control/server_options.h"

#include <functional>
#include <string>

#include "absl/strings/str_cat.h"
#include "base/state_file.h"
#include "base/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace fairlead::control {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

ServerFlags GoodFlags() {
  ServerFlags flags;
  flags.listen = "0.0.0.0:8443,[::]:0";
  flags.state_dir = "/var/lib/fairlead";
  flags.log_level = "info";
  flags.metrics = "open";
  return flags;
}

TEST(ServerOptions, OriginsAreSchemeAndHost) {
  ServerFlags flags = GoodFlags();
  flags.allowed_origins = {"https://terminal.example", "https://a.example:8443"};
  EXPECT_THAT(FinalizeServerFlags(flags)->allowed_origins,
              ElementsAre("https://terminal.example", "https://a.example:8443"));

  for (const char* bad : {"terminal.example", "https://", "https://a/", "https://*.a", "wss://a"}) {
    flags.allowed_origins = {bad};
    EXPECT_THAT(FinalizeServerFlags(flags),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("--allowed_origins=")));
  }
}

TEST(ServerOptions, GoodFlagsAreTaken) {
  const absl::StatusOr<ServerOptions> options = FinalizeServerFlags(GoodFlags());

  ASSERT_THAT(options, IsOk());
  EXPECT_THAT(options->listen, ElementsAre("0.0.0.0:8443", "[::]:0"));
  EXPECT_THAT(options->server_names, ::testing::Contains("localhost"));
  EXPECT_THAT(options->server_names, ::testing::Contains("::1"));
  EXPECT_TRUE(options->metrics);
  EXPECT_EQ(options->token_idle_timeout, absl::Minutes(30));
}

struct BadCase {
  const char* flag;
  std::function<void(ServerFlags&)> spoil;
};

TEST(ServerOptions, BadFlagsAreRefusedByName) {
  const BadCase kCases[] = {
      {"--listen", [](ServerFlags& flags) { flags.listen = ""; }},
      {"--listen", [](ServerFlags& flags) { flags.listen = "8443"; }},
      {"--listen", [](ServerFlags& flags) { flags.listen = "::1:8443"; }},
      {"--listen", [](ServerFlags& flags) { flags.listen = "0.0.0.0:70000"; }},
      {"--listen", [](ServerFlags& flags) { flags.listen = ":8443"; }},
      {"--public_address", [](ServerFlags& flags) { flags.public_address = "ums"; }},
      {"--public_address", [](ServerFlags& flags) { flags.public_address = "ums:0"; }},
      {"--state_dir", [](ServerFlags& flags) { flags.state_dir = ""; }},
      {"--io_threads", [](ServerFlags& flags) { flags.io_threads = -1; }},
      {"--worker_threads", [](ServerFlags& flags) { flags.worker_threads = 1; }},
      {"--log_level", [](ServerFlags& flags) { flags.log_level = "loud"; }},
      {"--metrics", [](ServerFlags& flags) { flags.metrics = "maybe"; }},
      {"--tls_key_file", [](ServerFlags& flags) { flags.tls_certificate_file = "x.pem"; }},
      {"--sessions_per_user_per_minute",
       [](ServerFlags& flags) { flags.sessions_per_user_per_minute = -1; }},
      {"--token_idle_minutes", [](ServerFlags& flags) { flags.token_idle_minutes = 0; }},
      {"--admin_password_file", [](ServerFlags& flags) { flags.admin_password_file = "/none"; }},
  };
  for (const BadCase& test : kCases) {
    ServerFlags flags = GoodFlags();
    test.spoil(flags);
    EXPECT_THAT(FinalizeServerFlags(flags),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(test.flag)));
  }
}

TEST(ServerOptions, ThePasswordIsReadAndNotPrinted) {
  const std::string path = absl::StrCat(::testing::TempDir(), "/password");
  ASSERT_THAT(WriteStateFile(path, "open sesame please\n", 0600), IsOk());
  ServerFlags flags = GoodFlags();
  flags.admin_password_file = path;

  const absl::StatusOr<ServerOptions> options = FinalizeServerFlags(flags);

  ASSERT_THAT(options, IsOk());
  EXPECT_EQ(options->admin_password, "open sesame please");
  EXPECT_THAT(PrintServerOptions(*options), Not(HasSubstr("sesame")));
  EXPECT_THAT(PrintServerOptions(*options), HasSubstr("listen=0.0.0.0:8443,[::]:0\n"));
}

}  // namespace
}  // namespace fairlead::control
