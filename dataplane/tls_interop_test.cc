// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Covers TLS with a foreign implementation at the other end: the commands of OpenSSL and GnuTLS,
// where they are, as client and as server.
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <memory>
#include <random>
#include <string>
#include <tuple>
#include <utility>

#include "base/status_matchers.h"
#include "dataplane/testing/run.h"
#include "dataplane/testing/test_pki.h"
#include "dataplane/tls_stream.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace fairlead::dataplane {
namespace {

using ::fairlead::dataplane::testing::Await;
using ::fairlead::dataplane::testing::ClientSpec;
using ::fairlead::dataplane::testing::KeyKind;
using ::fairlead::dataplane::testing::LeafSpec;
using ::fairlead::dataplane::testing::TestCa;
using net::ip::tcp;

constexpr absl::Duration kLong = absl::Seconds(30);
constexpr std::size_t kBulkBytes = 1 << 20;

// A file in the test's own folder.
std::string WriteFile(const std::string& name, const std::string& content) {
  const std::string path = ::testing::TempDir() + "/" + std::to_string(getpid()) + "_" + name;
  std::ofstream(path, std::ios::binary) << content;
  return path;
}

std::string ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

// A command line of the test's own that runs beside it. Its input is empty, and ends with Wait.
class Command {
 public:
  explicit Command(const std::string& line) {
    int ends[2];
    int input[2];
    EXPECT_EQ(pipe2(ends, O_CLOEXEC), 0);
    EXPECT_EQ(pipe2(input, O_CLOEXEC), 0);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, input[0], STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    std::string words[] = {"sh", "-c", line};
    char* const argv[] = {words[0].data(), words[1].data(), words[2].data(), nullptr};
    EXPECT_EQ(posix_spawnp(&pid_, "sh", &actions, nullptr, argv, environ), 0);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    close(input[0]);
    input_ = input[1];
    pipe_ = fdopen(ends[0], "r");
  }
  ~Command() { Wait(); }
  Command(const Command&) = delete;
  Command& operator=(const Command&) = delete;

  // The next line of its output; empty at the end.
  std::string Line() {
    char text[4096];
    return fgets(text, sizeof(text), pipe_) != nullptr ? text : "";
  }
  // The exit code.
  int Wait() {
    if (pipe_ == nullptr) return -1;
    close(input_);
    fclose(std::exchange(pipe_, nullptr));
    int status = -1;
    waitpid(pid_, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }
  // Ends a command that does not do so by itself.
  void Stop() {
    kill(pid_, SIGTERM);
    Wait();
  }

 private:
  pid_t pid_ = -1;
  int input_ = -1;
  FILE* pipe_ = nullptr;
};

enum class Version { kTls12, kTls13 };
// The version, and the kind of the server's key.
using Case = std::tuple<Version, KeyKind>;

// Bytes of lines of many sizes: some commands seal each line for itself.
std::string Bulk() {
  std::string data;
  for (std::size_t i = 0; data.size() < kBulkBytes; ++i) {
    data += std::string(i % 3000, static_cast<char>('a' + i % 26)) + '\n';
  }
  data.resize(kBulkBytes);
  return data;
}

class InteropTest : public ::testing::TestWithParam<Case> {
 protected:
  void SetUpWith(const std::string& program) {
    if (Command(program + " --version >/dev/null 2>&1").Wait() == 127) {
      GTEST_SKIP() << "there is no command " << program;
    }
    ca_file_ = WriteFile("ca.pem", ca_.pem());
  }

  TlsIdentity ServerIdentity() const {
    LeafSpec spec;
    spec.key = std::get<1>(GetParam());
    return ca_.Issue(spec);
  }
  // Flags for a certificate, each with a file's name, both of `identity`.
  static std::string Flags(const char* certificate, const char* key, const TlsIdentity& identity) {
    return std::string(certificate) + WriteFile("own.pem", identity.certificate_chain_pem) + key +
           WriteFile("own.key", identity.private_key_pem);
  }
  bool is_tls13() const { return std::get<0>(GetParam()) == Version::kTls13; }

  net::io_context context_;
  TestCa ca_;
  std::string ca_file_;
};

// Takes kBulkBytes, gives them back, and ends.
net::awaitable<std::string> ServeEcho(tcp::acceptor& acceptor, std::shared_ptr<SSL_CTX> context) {
  auto [error, socket] = co_await acceptor.async_accept(kToken);
  if (error) co_return error.message();
  TlsStream stream(std::move(socket), context, TlsStream::Role::kServer);
  const absl::Status status = co_await stream.Handshake(kLong, "", nullptr);
  if (!status.ok()) co_return std::string(status.message());
  std::string data(kBulkBytes, '\0');
  auto [read_error, read] = co_await net::async_read(stream, net::buffer(data), kToken);
  if (read_error) co_return read_error.message();
  auto [write_error, written] = co_await net::async_write(stream, net::buffer(data), kToken);
  if (write_error || written != read) co_return write_error.message();
  const std::string uri =
      stream.peer_certificate().has_value() ? stream.peer_certificate()->uris[0] : "none";
  co_await stream.Shutdown(kLong);
  co_return uri;
}

class OpensslTest : public InteropTest {
 protected:
  void SetUp() override { SetUpWith("openssl"); }
  std::string version() const { return is_tls13() ? " -tls1_3" : " -tls1_2"; }
};

TEST_P(OpensslTest, TalksToOurServer) {
  tcp::acceptor acceptor(context_, tcp::endpoint(net::ip::address_v4::loopback(), 0));
  const auto server = TlsServerContext::Create(ServerIdentity(), ca_.pem()).value();
  const TlsIdentity device = ca_.Issue(ClientSpec("urn:fairlead:device:A"));
  const std::string data = Bulk();
  const std::string in = WriteFile("in", data);
  const std::string out = WriteFile("out", "");
  Command client("timeout 30 openssl s_client -quiet -verify_return_error" + version() +
                 " -connect 127.0.0.1:" + std::to_string(acceptor.local_endpoint().port()) +
                 " -servername localhost -CAfile " + ca_file_ + Flags(" -cert ", " -key ", device) +
                 " <" + in + " >" + out + " 2>/dev/null");

  EXPECT_EQ(Await(context_, ServeEcho(acceptor, server->Acquire())), "urn:fairlead:device:A");

  client.Wait();
  EXPECT_TRUE(ReadFile(out) == data);
}

net::awaitable<std::string> Ask(TlsStream& stream, std::string line) {
  const absl::Status status = co_await stream.Handshake(kLong, "localhost", nullptr);
  if (!status.ok()) co_return std::string(status.message());
  auto [error, size] = co_await net::async_write(stream, net::buffer(line), kToken);
  if (error) co_return error.message();
  auto [read_error, read] =
      co_await net::async_read(stream, net::buffer(line.data(), size), kToken);
  if (read_error || read != size) co_return read_error.message();
  co_await stream.Shutdown(absl::Seconds(1));
  co_return line;
}

// The number in "ACCEPT 127.0.0.1:4711".
int PortOf(Command& server) {
  for (std::string line = server.Line(); !line.empty(); line = server.Line()) {
    const std::size_t colon = line.rfind(':');
    if (line.rfind("ACCEPT", 0) == 0 && colon != std::string::npos) {
      return std::atoi(line.c_str() + colon + 1);
    }
  }
  return 0;
}

TEST_P(OpensslTest, ServesOurClient) {
  const TlsIdentity identity = ServerIdentity();
  const TlsIdentity device = ca_.Issue(ClientSpec("urn:fairlead:device:A"));
  Command server("timeout 30 openssl s_server -accept 127.0.0.1:0 -rev -naccept 1" + version() +
                 " -Verify 2 -verify_return_error -CAfile " + ca_file_ +
                 Flags(" -cert ", " -key ", identity) + " 2>/dev/null");
  tcp::socket socket(context_);
  socket.connect({net::ip::address_v4::loopback(), static_cast<std::uint16_t>(PortOf(server))});
  const auto client = TlsClientContext::Create({ca_.pem(), ""}, &device, {}).value();
  TlsStream stream(std::move(socket), client->Acquire(), TlsStream::Role::kClient);

  EXPECT_EQ(Await(context_, Ask(stream, "fairlead\n")), "daelriaf\n");
}

class GnutlsTest : public InteropTest {
 protected:
  void SetUp() override { SetUpWith("gnutls-cli"); }

  std::string Options(const TlsIdentity& identity) const {
    const std::string version = is_tls13() ? "TLS1.3" : "TLS1.2";
    return " --priority=NORMAL:-VERS-ALL:+VERS-" + version + " --x509cafile=" + ca_file_ +
           Flags(" --x509certfile=", " --x509keyfile=", identity);
  }
};

TEST_P(GnutlsTest, TalksToOurServer) {
  tcp::acceptor acceptor(context_, tcp::endpoint(net::ip::address_v4::loopback(), 0));
  const auto server = TlsServerContext::Create(ServerIdentity(), ca_.pem()).value();
  const TlsIdentity device = ca_.Issue(ClientSpec("urn:fairlead:device:A"));
  const std::string data = Bulk();
  const std::string in = WriteFile("in", data);
  const std::string out = WriteFile("out", "");
  // The client ends with its input, even if the answer is still to come.
  Command client("cat " + in + " - | timeout 30 gnutls-cli --logfile=/dev/null --port=" +
                 std::to_string(acceptor.local_endpoint().port()) + Options(device) +
                 " --sni-hostname=localhost --verify-hostname=localhost 127.0.0.1 >" + out +
                 " 2>/dev/null");

  EXPECT_EQ(Await(context_, ServeEcho(acceptor, server->Acquire())), "urn:fairlead:device:A");

  client.Wait();
  EXPECT_TRUE(ReadFile(out) == data);
}

// A port for a program that cannot ask the kernel for one: none of those that the kernel gives.
std::uint16_t FreePort(net::io_context& context) {
  std::random_device random;
  for (;;) {
    const auto port = std::uniform_int_distribution<std::uint16_t>(12000, 31000)(random);
    tcp::socket probe(context, tcp::v4());
    error_code error;
    probe.bind({net::ip::address_v4::any(), port}, error);
    if (!error) return port;
  }
}

TEST_P(GnutlsTest, ServesOurClient) {
  const TlsIdentity device = ca_.Issue(ClientSpec("urn:fairlead:device:A"));
  const std::uint16_t port = FreePort(context_);
  Command server("exec timeout 30 gnutls-serv --echo --port=" + std::to_string(port) +
                 Options(ServerIdentity()) +
                 " --require-client-cert --verify-client-cert 2>&1 >/dev/null");
  std::string line;
  do line = server.Line();
  while (!line.empty() && line.find("done") == std::string::npos);
  tcp::socket socket(context_);
  socket.connect({net::ip::address_v4::loopback(), port});
  const auto client = TlsClientContext::Create({ca_.pem(), ""}, &device, {}).value();
  TlsStream stream(std::move(socket), client->Acquire(), TlsStream::Role::kClient);

  EXPECT_EQ(Await(context_, Ask(stream, "fairlead\n")), "fairlead\n");

  server.Stop();
}

std::string NameOf(const ::testing::TestParamInfo<Case>& info) {
  return (std::get<0>(info.param) == Version::kTls13 ? "Tls13" : "Tls12") +
         std::string(std::get<1>(info.param) == KeyKind::kP256 ? "P256" : "Rsa");
}

const auto kCases = ::testing::Combine(::testing::Values(Version::kTls12, Version::kTls13),
                                       ::testing::Values(KeyKind::kP256, KeyKind::kRsa2048));

INSTANTIATE_TEST_SUITE_P(All, OpensslTest, kCases, NameOf);
INSTANTIATE_TEST_SUITE_P(All, GnutlsTest, kCases, NameOf);

}  // namespace
}  // namespace fairlead::dataplane
