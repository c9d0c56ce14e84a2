// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// How sessions reach a relay of each kind; and the device's ends behind a reverse proxy.
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "bench/load/session.h"

namespace fairlead::bench {
namespace {

constexpr std::size_t kUnlimited = 1 << 20;
constexpr int kBacklog = 4096;

[[noreturn]] void Die(const std::string& what) {
  std::fprintf(stderr, "load: %s\n", what.c_str());
  std::exit(1);
}

int Listen(std::uint16_t port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  const int on = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_port = htons(port);
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (bind(fd, reinterpret_cast<sockaddr*>(&at), sizeof(at)) != 0 || listen(fd, kBacklog) != 0) {
    Die(absl::StrCat("cannot listen on 127.0.0.1:", port));
  }
  return fd;
}

}  // namespace

// The device's ends behind a reverse proxy: accepts its connections and gives each to the session
// that its path names.
class Target::Backend : public Watcher, public Leg::Handler {
 public:
  Backend(Target& target, bssl::UniquePtr<SSL_CTX> context)
      : target_(target), context_(std::move(context)), fd_(Listen(target.options_.backend_port)) {
    target_.loop_.Watch(fd_, this, EPOLLIN);
  }
  ~Backend() override {
    target_.loop_.Forget(fd_);
    close(fd_);
  }

  void OnEvents(std::uint32_t) override {
    while (true) {
      const int fd = accept4(fd_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (fd < 0) return;
      const int on = 1;
      setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
      auto leg = std::make_unique<Leg>(target_.loop_, context_.get(), fd, *this);
      Leg* const key = leg.get();
      young_.emplace(key, std::move(leg));
    }
  }

 private:
  bool OnRequest(Leg& leg, absl::string_view path) override {
    std::size_t index = 0;
    if (!absl::ConsumePrefix(&path, "/s/") || !absl::SimpleAtoi(path, &index)) return false;
    const auto session = target_.expected_.find(index);
    if (session == target_.expected_.end()) return false;
    const auto it = young_.find(&leg);
    session->second->Adopt(std::move(it->second));
    young_.erase(it);
    return true;
  }
  void OnOpen(Leg&) override {}
  void OnText(Leg&, const std::string&) override {}
  void OnBinary(Leg&, const char*, std::size_t, bool) override {}
  void OnDrained(Leg&) override {}
  void OnEnd(Leg& leg, std::uint16_t, absl::string_view) override {
    const auto it = young_.find(&leg);
    if (it == young_.end()) return;
    auto* const ended = it->second.release();
    young_.erase(it);
    target_.loop_.Post([ended] { delete ended; });
  }

  Target& target_;
  const bssl::UniquePtr<SSL_CTX> context_;
  const int fd_;
  // Accepted, and not yet asked for a session.
  std::map<Leg*, std::unique_ptr<Leg>> young_;
};

Target::Target(EventLoop& loop, const Options& options)
    : loop_(loop),
      options_(options),
      client_context_(MakeClientContext(options.ca_file)),
      next_id_(static_cast<std::uint64_t>(NowNs())) {
  if (options.kind == Kind::kReverseProxy) {
    backend_ = std::make_unique<Backend>(
        *this, MakeServerContext(options.backend_certificate, options.backend_key));
  }
  if (options.kind != Kind::kFairlead) return;
  std::ifstream file(options.sessions_file);
  std::string id;
  Tickets tickets;
  while (file >> id >> tickets.console >> tickets.device) tickets_.push_back(tickets);
  if (tickets_.empty()) Die(absl::StrCat("no sessions in ", options.sessions_file));
}

Target::~Target() = default;

std::size_t Target::max_sessions() const {
  return options_.kind == Kind::kFairlead ? tickets_.size() : kUnlimited;
}

void Target::Expect(std::size_t index, Session* session) {
  if (session == nullptr) {
    expected_.erase(index);
  } else {
    expected_[index] = session;
  }
}

Route Target::NextRoute() {
  Route route;
  route.port = options_.port;
  if (options_.source_addresses > 0) {
    const std::uint32_t host =
        next_source_++ % static_cast<std::uint32_t>(options_.source_addresses);
    route.source = (127u << 24) | (static_cast<std::uint32_t>(options_.source_network) << 16) |
                   (host / 250) << 8 | (host % 250 + 1);
  }
  return route;
}

std::unique_ptr<Leg> Target::Dial(std::size_t index, End end, Leg::Handler& handler) {
  UpgradeRequest request;
  switch (options_.kind) {
    case Kind::kFairlead: {
      const bool console = end == End::kConsole;
      const Tickets& tickets = tickets_[index];
      request.path =
          console ? "/console-connector/terminal" : "/device-connector/device/portforwarding";
      request.headers.push_back(
          absl::StrCat("Sec-WebSocket-Protocol: fairlead.terminal.v1, fairlead.ticket.",
                       console ? tickets.console : tickets.device));
      break;
    }
    case Kind::kReverseProxy:
      request.path = absl::StrCat("/s/", index);
      break;
    case Kind::kMeshCentral:
      // The device's leg is made first, and gives the session its identifier.
      if (end == End::kDevice) ids_[index] = absl::StrCat("bench", next_id_++);
      request.path = absl::StrCat("/meshrelay.ashx?noping=1&p=1&id=", ids_[index]);
      break;
  }
  return std::make_unique<Leg>(loop_, client_context_.get(), NextRoute(), std::move(request),
                               handler);
}

}  // namespace fairlead::bench
