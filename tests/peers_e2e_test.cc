// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// End to end with peers of other makers: a legacy device made of inetutils' telnetd behind stunnel,
// and PuTTY's plink, telnet and nc behind "console connect --listen", as the original's external
// terminal clients.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/cluster.h"
#include "tests/support/flow.h"
#include "tests/support/tcp_proxy.h"
#include "tests/support/terminals.h"

namespace fairlead::tests {
namespace {

using ::testing::AnyOf;
using ::testing::HasSubstr;

constexpr char kDevice[] = "00E0C5000001";

// A program's standard input that stays open until it is closed here.
class Typing {
 public:
  explicit Typing(std::string path) : path_(std::move(path)) {
    std::filesystem::remove(path_);
    if (mkfifo(path_.c_str(), 0600) != 0) std::abort();
    // Both ends, so that neither side waits for the other.
    descriptor_ = open(path_.c_str(), O_RDWR | O_CLOEXEC);
  }
  ~Typing() { End(); }

  void Type(const std::string& text) {
    EXPECT_EQ(write(descriptor_, text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }
  // The end of input.
  void End() {
    if (descriptor_ >= 0) close(descriptor_);
    descriptor_ = -1;
  }
  const std::string& path() const { return path_; }

 private:
  const std::string path_;
  int descriptor_ = -1;
};

// The console's exit code when nobody tells how the program ended: Telnet, on a device that was
// dialled.
constexpr int kUnknownEnd = 255;

class Peers : public ::testing::Test {
 protected:
  void LogIn() {
    std::string output;
    const ExitStatus status = cluster_.Console(
        {"login", "--username", "admin", "--password_file", cluster_.password_file()}, "", &output);
    ASSERT_EQ(status.value, 0) << output;
  }

  // Starts "connect --listen" and returns its port.
  int Listen(const std::string& unit_id, const std::vector<std::string>& options = {}) {
    const std::string log = absl::StrCat("listen", ++listeners_);
    std::vector<std::string> arguments = {"connect", unit_id, "--listen", "127.0.0.1:0"};
    arguments.insert(arguments.end(), options.begin(), options.end());
    listener_ = cluster_.LaunchConsole(arguments, log);
    int port = 0;
    EXPECT_TRUE(Eventually(absl::Seconds(30), [&] {
      const std::string text = cluster_.Log(log);
      const std::size_t at = text.find("127.0.0.1:");
      const std::size_t end = at == std::string::npos ? at : text.find('\n', at);
      return end != std::string::npos &&
             absl::SimpleAtoi(text.substr(at + 10, end - at - 10), &port);
    })) << cluster_.Log(log);
    return port;
  }

  // Runs `argv`, which connects to a shell; types a command and then exit, and returns the output.
  std::string RunClient(const std::vector<std::string>& argv, const std::string& enter) {
    Typing typing(cluster_.folder() + "/typing");
    Process::Options options;
    options.argv = argv;
    options.stdin_path = typing.path();
    options.log_path = absl::StrCat(cluster_.folder(), "/client", ++clients_, ".log");
    const auto process = Process::Start(options);
    const auto output = [&] { return ReadFile(options.log_path).value_or(""); };
    const auto await = [&](const std::string& text) {
      EXPECT_TRUE(Eventually(absl::Seconds(30), [&] { return absl::StrContains(output(), text); }))
          << argv[0] << " shows: " << output();
    };
    await("fairlead> ");
    typing.Type(absl::StrCat("echo fair''lead-$((6*7))", enter));
    await("fairlead-42");
    typing.Type(absl::StrCat("exit", enter));
    // nc goes on as long as it may still be typed into.
    typing.End();
    const auto status = process->Wait(absl::Seconds(30));
    EXPECT_TRUE(status.has_value()) << argv[0] << " does not end: " << output();
    return output();
  }

  Cluster cluster_;
  std::unique_ptr<Process> listener_;
  int listeners_ = 0;
  int clients_ = 0;
};

TEST_F(Peers, ALegacyDeviceOfTelnetdBehindStunnelIsOpened) {
  // Enrolled by our agent, served by theirs.
  cluster_.StartDevice(kDevice, {.os = 11});
  cluster_.KillDevice(kDevice);
  ASSERT_TRUE(cluster_.AwaitDevice(kDevice, "OFFLINE", kPresence));
  const std::string folder = absl::StrCat(cluster_.folder(), "/", kDevice);
  const std::string config = folder + "/stunnel.conf";
  const std::string shell = folder + "/shell";
  std::ofstream(shell) << "#!/bin/sh\nPS1='fairlead> ' exec /bin/sh -i\n";
  ASSERT_EQ(chmod(shell.c_str(), 0700), 0);
  // The port on which the agent listened is free again.
  int port = 0;
  ASSERT_TRUE(absl::SimpleAtoi(absl::StripAsciiWhitespace(*ReadFile(folder + "/port")), &port));
  std::ofstream(config) << "foreground = yes\npid =\n[telnet]\naccept = 127.0.0.1:" << port
                        << "\ncert = " << folder << "/certificate.pem\nkey = " << folder
                        << "/device.key\nCAfile = " << cluster_.ca_file()
                        << "\nverifyChain = yes\nexec = /usr/sbin/telnetd\n"
                           "execArgs = telnetd -h -E "
                        << shell << "\n";
  Process::Options options;
  options.argv = {"/usr/bin/stunnel4", config};
  options.log_path = folder + "/stunnel.log";
  const auto stunnel = Process::Start(options);
  ASSERT_TRUE(cluster_.AwaitDevice(kDevice, "ONLINE", kPresence))
      << ReadFile(options.log_path).value_or("");

  nlohmann::json session;
  auto leg = cluster_.Open(kDevice, &session);
  EXPECT_EQ(session.value("flow", ""), "OS11_DIRECT");
  // Their telnetd drops now and then what is typed before its shell runs.
  EXPECT_TRUE(leg->ReadUntil("fairlead> ")) << leg->output();
  ASSERT_TRUE(leg->Send("echo fair''lead-$((6*7))\r").ok());
  EXPECT_TRUE(leg->ReadUntil("fairlead-42")) << leg->output();
  ASSERT_TRUE(leg->Send("exit\r").ok());
  leg->ReadToEnd();
  EXPECT_EQ(leg->close().code, 1000) << leg->close().text;

  // And by our command line, which negotiates as a Telnet client and waits for the prompt itself.
  LogIn();
  std::string output;
  const ExitStatus status =
      cluster_.Console({"connect", kDevice}, "echo fair''lead-$((6*7)); exit\n", &output);
  EXPECT_EQ(status.value, kUnknownEnd) << output;
  EXPECT_THAT(output, HasSubstr("fairlead-42"));
}

TEST_F(Peers, PlinkAndTelnetUseOs11ByTheListener) {
  LogIn();
  cluster_.StartDevice(kDevice, {.os = 11});
  // 0 is for a client that is the first to go: its input ends behind the "exit".
  const std::string plink_port = absl::StrCat(Listen(kDevice));
  RunClient({"/usr/bin/plink", "-telnet", "-batch", "-P", plink_port, "127.0.0.1"}, "\n");
  EXPECT_THAT(listener_->Wait(absl::Seconds(30)).value_or(ExitStatus{false, -1}).value,
              AnyOf(0, kUnknownEnd));

  const std::string telnet_port = absl::StrCat(Listen(kDevice));
  RunClient({"/usr/bin/telnet", "127.0.0.1", telnet_port}, "\n");
  EXPECT_THAT(listener_->Wait(absl::Seconds(30)).value_or(ExitStatus{false, -1}).value,
              AnyOf(0, kUnknownEnd));
  ExpectNoSessions(cluster_);
}

TEST_F(Peers, NcUsesTheRawStreamOfOs12ByTheListener) {
  LogIn();
  cluster_.StartIcg("berlin");
  for (const char* icg : {"", "berlin"}) {
    cluster_.StartDevice(kDevice, {.icg = icg});
    const std::string port = absl::StrCat(Listen(kDevice));
    RunClient({"/usr/bin/nc", "127.0.0.1", port}, "\n");
    EXPECT_EQ(listener_->Wait(absl::Seconds(30)).value_or(ExitStatus{false, -1}).value, 0);
    ExpectNoSessions(cluster_);
    cluster_.KillDevice(kDevice);
    ASSERT_TRUE(cluster_.AwaitDevice(kDevice, "OFFLINE", kPresence));
  }
}

TEST_F(Peers, AListenerThatKeepsServesOneClientAfterAnother) {
  LogIn();
  cluster_.StartDevice(kDevice);
  const std::vector<std::string> nc = {"/usr/bin/nc", "127.0.0.1",
                                       absl::StrCat(Listen(kDevice, {"--keep"}))};
  RunClient(nc, "\n");
  RunClient(nc, "\n");

  // A session that cannot be had ends its client, and not the listener.
  cluster_.KillDevice(kDevice);
  ASSERT_TRUE(cluster_.AwaitDevice(kDevice, "OFFLINE", kPresence));
  Process::Options refused;
  refused.argv = nc;
  EXPECT_TRUE(Process::Start(refused)->Wait(absl::Seconds(30)).has_value());
  EXPECT_THAT(cluster_.Log(absl::StrCat("listen", listeners_)), HasSubstr("is offline"));
  EXPECT_FALSE(listener_->Wait(absl::ZeroDuration()).has_value());

  cluster_.StartDevice(kDevice);
  RunClient(nc, "\n");
  EXPECT_FALSE(listener_->Wait(absl::ZeroDuration()).has_value());
  ExpectNoSessions(cluster_);
}

TEST_F(Peers, ConnectWorksOverEachFlow) {
  LogIn();
  for (const Flow& flow : AllFlows()) {
    SCOPED_TRACE(flow.Label());
    const std::string unit_id = flow.Label();
    if (flow.over_icg()) cluster_.StartIcg(flow.icg(), {.scheme = flow.scheme});
    cluster_.StartDevice(unit_id, flow.device());
    std::string output;
    const ExitStatus status = cluster_.Console(
        {"connect", unit_id}, "stty size; echo fair''lead-$((6*7)); exit 9\n", &output);
    EXPECT_THAT(output, HasSubstr("fairlead-42"));
    EXPECT_EQ(status.value, flow.name == "OS11_DIRECT" ? kUnknownEnd : 9) << output;
  }
}

TEST_F(Peers, DoctorFindsNothingWrongAndThenTheLegThatFails) {
  LogIn();
  cluster_.StartIcg("berlin");
  cluster_.StartDevice(kDevice, {.icg = "berlin"});
  std::string output;
  ExitStatus status = cluster_.Console({"doctor", kDevice}, "", &output);
  EXPECT_EQ(status.value, 0) << output;
  EXPECT_THAT(output, HasSubstr("icgs/berlin"));
  EXPECT_THAT(output, ::testing::Not(HasSubstr("FAIL")));

  cluster_.icg("berlin").external.SetTarget(1);
  status = cluster_.Console({"doctor", kDevice}, "", &output);
  EXPECT_NE(status.value, 0) << output;
  EXPECT_THAT(output, HasSubstr("FAIL"));
  EXPECT_THAT(output, HasSubstr(absl::StrCat(cluster_.icg("berlin").external.port())));

  status = cluster_.Console({"doctor", "NOSUCHDEVICE"}, "", &output);
  EXPECT_NE(status.value, 0) << output;
  EXPECT_THAT(output, HasSubstr("NOSUCHDEVICE"));
}

}  // namespace
}  // namespace fairlead::tests
