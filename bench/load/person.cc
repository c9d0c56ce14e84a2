// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
#include "bench/load/person.h"

#include <errno.h>
#include <fcntl.h>
#include <pty.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <utility>

#include "absl/strings/str_cat.h"

namespace fairlead::bench {
namespace {

constexpr std::size_t kAckEvery = 64 * 1024;
// MeshCentral's number for a terminal among its protocols.
constexpr char kMeshCentralTerminal[] = "1";

// A WebSocket to a relay. What is typed before the terminal can take it waits here.
class Tunnel : public Person, public Leg::Handler {
 public:
  Tunnel(EventLoop& loop, SSL_CTX* context, std::uint16_t port, UpgradeRequest request) {
    Route route;
    route.port = port;
    leg_ = std::make_unique<Leg>(loop, context, route, std::move(request), *this);
  }
  ~Tunnel() override { leg_->Abort(); }

  void Type(absl::string_view text) override {
    if (ready_) {
      leg_->SendBinary(text.data(), text.size());
    } else {
      early_.append(text.data(), text.size());
    }
  }

  void OnDrained(Leg&) override {}
  void OnEnd(Leg&, std::uint16_t code, absl::string_view why) override {
    if (code != 1000) {
      std::fprintf(stderr, "load: the tunnel ended: %s, close code %d\n", std::string(why).c_str(),
                   code);
    }
    over_ = true;
  }

 protected:
  // From now on what is typed goes out.
  void SetReady() {
    if (std::exchange(ready_, true) || early_.empty()) return;
    leg_->SendBinary(early_.data(), early_.size());
    early_.clear();
  }

 private:
  bool ready_ = false;
  std::string early_;
  std::unique_ptr<Leg> leg_;
};

UpgradeRequest FairleadRequest(const std::string& ticket) {
  UpgradeRequest request;
  request.path = "/console-connector/terminal";
  request.headers.push_back(
      absl::StrCat("Sec-WebSocket-Protocol: fairlead.terminal.v1, fairlead.ticket.", ticket));
  return request;
}

class FairleadTunnel : public Tunnel {
 public:
  FairleadTunnel(EventLoop& loop, SSL_CTX* context, std::uint16_t port, const std::string& ticket)
      : Tunnel(loop, context, port, FairleadRequest(ticket)) {}

  void OnOpen(Leg&) override { SetReady(); }
  void OnText(Leg&, const std::string&) override {}
  void OnBinary(Leg& leg, const char* data, std::size_t size, bool) override {
    received_ += size;
    on_bytes_(data, size);
    if (received_ - acknowledged_ < kAckEvery) return;
    acknowledged_ = received_;
    leg.SendText(absl::StrCat("{\"ack\":{\"receivedBytes\":\"", received_, "\"}}"));
  }

 private:
  std::uint64_t received_ = 0;
  std::uint64_t acknowledged_ = 0;
};

UpgradeRequest MeshCentralRequest(const std::string& id) {
  UpgradeRequest request;
  request.path = absl::StrCat("/meshrelay.ashx?browser=1&p=", kMeshCentralTerminal, "&id=", id);
  return request;
}

class MeshCentralTunnel : public Tunnel {
 public:
  MeshCentralTunnel(EventLoop& loop, SSL_CTX* context, std::uint16_t port, const std::string& id)
      : Tunnel(loop, context, port, MeshCentralRequest(id)) {}

  void OnOpen(Leg&) override {}
  void OnText(Leg& leg, const std::string& text) override {
    // The agent's end is there.
    if (text != "c") return;
    leg.SendText(kMeshCentralTerminal);
    SetReady();
  }
  void OnBinary(Leg&, const char* data, std::size_t size, bool) override { on_bytes_(data, size); }
};

// A child process with descriptors to read from and to write to.
class Child : public Person, public Watcher {
 public:
  Child(EventLoop& loop, pid_t pid, int fd) : loop_(loop), pid_(pid), fd_(fd) {
    fcntl(fd_, F_SETFL, O_NONBLOCK);
    loop_.Watch(fd_, this, EPOLLIN);
  }
  ~Child() override {
    loop_.Forget(fd_);
    close(fd_);
    kill(-pid_, SIGKILL);
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }

  pid_t pid() const override { return pid_; }

  // What is typed is little, and always fits.
  void Type(absl::string_view text) override {
    if (write(fd_, text.data(), text.size()) != static_cast<ssize_t>(text.size())) over_ = true;
  }

  void OnEvents(std::uint32_t) override {
    static char buffer[256 * 1024];
    while (!over_) {
      const ssize_t got = read(fd_, buffer, sizeof(buffer));
      if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
      if (got <= 0) {
        over_ = true;
        loop_.Change(fd_, this, 0);
        return;
      }
      on_bytes_(buffer, static_cast<std::size_t>(got));
      if (got < 1024) return;
    }
  }

 private:
  EventLoop& loop_;
  const pid_t pid_;
  const int fd_;
};

[[noreturn]] void Die(const char* what) {
  std::perror(what);
  std::exit(1);
}

}  // namespace

std::unique_ptr<Person> OverTunnel(EventLoop& loop, SSL_CTX* context, std::uint16_t port,
                                   const std::string& ticket) {
  return std::make_unique<FairleadTunnel>(loop, context, port, ticket);
}

std::unique_ptr<Person> OverMeshCentral(EventLoop& loop, SSL_CTX* context, std::uint16_t port,
                                        const std::string& id) {
  return std::make_unique<MeshCentralTunnel>(loop, context, port, id);
}

std::unique_ptr<Person> OverCommand(EventLoop& loop, const std::string& command) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) Die("socketpair");
  const pid_t pid = fork();
  if (pid < 0) Die("fork");
  if (pid == 0) {
    setsid();
    dup2(ends[1], STDIN_FILENO);
    dup2(ends[1], STDOUT_FILENO);
    const int null = open("/dev/null", O_WRONLY);
    dup2(null, STDERR_FILENO);
    execl("/bin/sh", "sh", "-c", absl::StrCat("exec ", command).c_str(), nullptr);
    _exit(127);
  }
  close(ends[1]);
  return std::make_unique<Child>(loop, pid, ends[0]);
}

std::unique_ptr<Person> OverLocalTerminal(EventLoop& loop) {
  int fd = -1;
  const pid_t pid = forkpty(&fd, nullptr, nullptr, nullptr);
  if (pid < 0) Die("forkpty");
  if (pid == 0) {
    setenv("ENV", "", 1);
    execl("/bin/sh", "sh", nullptr);
    _exit(127);
  }
  return std::make_unique<Child>(loop, pid, fd);
}

}  // namespace fairlead::bench
