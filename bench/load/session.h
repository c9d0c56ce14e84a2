// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// One session of the load generator: a Console leg and a device leg with a relay between them,
// whichever relay it is.
#ifndef FAIRLEAD_BENCH_LOAD_SESSION_H_
#define FAIRLEAD_BENCH_LOAD_SESSION_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "bench/load/leg.h"

namespace fairlead::bench {

enum class End { kConsole, kDevice };

inline constexpr End OtherEnd(End end) {
  return end == End::kConsole ? End::kDevice : End::kConsole;
}

class Session;

// Told of a session. Must not destroy it in a call.
class SessionUser {
 public:
  virtual ~SessionUser() = default;
  // Both legs are in place, and a first message has gone there and back.
  virtual void OnReady(Session& session) = 0;
  // Payload that arrived at `at`.
  virtual void OnData(Session& session, End at, const char* data, std::size_t size, bool last) = 0;
  virtual void OnDrained(Session&, End) {}
  // Both legs are over. `clean` if both got the close code that was sent, after OnReady.
  virtual void OnOver(Session& session, bool clean) = 0;
};

// How sessions reach a relay.
class Target {
 public:
  enum class Kind {
    // Fairlead's relay: both ends dial, with tickets from a file.
    kFairlead,
    // A reverse proxy: the Console dials it, it dials the device's end, which is in this process.
    kReverseProxy,
    // MeshCentral's relay: both ends dial, with a common identifier.
    kMeshCentral,
  };
  struct Options {
    Kind kind = Kind::kFairlead;
    std::uint16_t port = 0;
    std::string ca_file;
    // kFairlead: lines "session-id console-ticket device-ticket".
    std::string sessions_file;
    // kReverseProxy: where the device's ends listen, and with what.
    std::uint16_t backend_port = 0;
    std::string backend_certificate;
    std::string backend_key;
    // How many addresses of 127.0.0.0/8 connections come from, from 127.x.0.1 on (x = network); 0
    // leaves the choice to the kernel.
    int source_addresses = 0;
    int source_network = 1;
  };

  Target(EventLoop& loop, const Options& options);
  ~Target();

  EventLoop& loop() { return loop_; }
  const Options& options() const { return options_; }
  // The most sessions that can be open at once.
  std::size_t max_sessions() const;

  // Used by Session. The Console's leg of session `index`, or the device's where that dials too.
  std::unique_ptr<Leg> Dial(std::size_t index, End end, Leg::Handler& handler);
  // Session `index` waits for the device's leg to be dialled by the proxy; null to forget.
  void Expect(std::size_t index, Session* session);

 private:
  struct Tickets {
    std::string console;
    std::string device;
  };
  class Backend;

  Route NextRoute();

  EventLoop& loop_;
  const Options options_;
  bssl::UniquePtr<SSL_CTX> client_context_;
  std::vector<Tickets> tickets_;
  std::uint32_t next_source_ = 0;
  std::uint64_t next_id_;
  std::map<std::size_t, std::string> ids_;
  std::map<std::size_t, Session*> expected_;
  std::unique_ptr<Backend> backend_;
};

// Thread: the loop's.
class Session : private Leg::Handler {
 public:
  // Dials. `index` is below target.max_sessions() and in use by no other session.
  Session(Target& target, std::size_t index, SessionUser& user);
  ~Session() override;

  std::size_t index() const { return index_; }
  bool ready() const { return ready_; }
  bool over() const { return over_; }
  const std::string& failure() const { return failure_; }

  void Send(End from, const char* data, std::size_t size) { leg(from).SendBinary(data, size); }
  std::size_t queued(End end) { return leg(end).queued(); }
  // The Console hangs up; OnOver follows.
  void Close();

  // Used by Target: the device's leg has been dialled by the proxy.
  void Adopt(std::unique_ptr<Leg> device);

 private:
  Leg& leg(End end) { return end == End::kConsole ? *console_ : *device_; }
  End EndOf(const Leg& leg) const { return &leg == console_.get() ? End::kConsole : End::kDevice; }
  void Probe();
  void OnProbe(End at, std::size_t size);

  void OnOpen(Leg& leg) override;
  void OnText(Leg& leg, const std::string& text) override;
  void OnBinary(Leg& leg, const char* data, std::size_t size, bool last) override;
  void OnDrained(Leg& leg) override;
  void OnEnd(Leg& leg, std::uint16_t code, absl::string_view why) override;

  Target& target_;
  const std::size_t index_;
  SessionUser& user_;
  std::unique_ptr<Leg> console_;
  std::unique_ptr<Leg> device_;
  // Bit 0 for the Console, bit 1 for the device: in place; ended.
  int in_place_ = 0;
  int ended_ = 0;
  std::size_t probe_at_device_ = 0;
  std::size_t probe_at_console_ = 0;
  bool probed_ = false;
  bool ready_ = false;
  bool closing_ = false;
  bool over_ = false;
  bool clean_ = true;
  // Expires with the session, for timers.
  const std::shared_ptr<char> alive_ = std::make_shared<char>();
  std::string failure_;
};

}  // namespace fairlead::bench

#endif  // FAIRLEAD_BENCH_LOAD_SESSION_H_
