// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Many sessions at once: opens them, some at a time, closes them, and counts what failed. Each mode
// of the load generator is one that does something with the bytes.
#ifndef FAIRLEAD_BENCH_LOAD_CROWD_H_
#define FAIRLEAD_BENCH_LOAD_CROWD_H_

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "bench/load/session.h"

namespace fairlead::bench {

// What a run does; not every mode uses all of it.
struct RunOptions {
  int sessions = 1;
  // How many sessions may be opening or closing at once.
  int concurrency = 16;
  std::size_t message_bytes = 16384;
  // Round trips in all in mode "echo", in place of some seconds of them; 0 for those.
  int round_trips = 0;
  // Messages of a session that may be under way in mode "bulk"; 0 for as many as TCP takes.
  int window = 0;
  // Payload of each session in mode "idle".
  std::size_t traffic_bytes = 4 << 20;
  double warm_up_seconds = 0.5;
  double seconds = 2;
  // Between the keystrokes of a session in mode "hold".
  double period_seconds = 10;
  // Bulk goes from the device to the Console, or the other way.
  bool to_device = false;
  // The relay, whose CPU and memory are read with those of its children; 0 for none.
  pid_t pid = 0;
  // Between phases, waits for a line on standard input.
  bool stepwise = false;
};

class Crowd : public SessionUser {
 public:
  Crowd(Target& target, const RunOptions& options) : target_(target), options_(options) {}

  // Opens options.sessions of them and waits until all are ready, or have failed. The seconds it
  // took.
  double OpenAll();
  // Closes all and waits until they are over. The seconds it took.
  double CloseAll();

  // Sessions that did not open, broke, delivered wrong bytes or did not close cleanly.
  int failures() const { return failures_; }
  const std::string& first_failure() const { return first_failure_; }
  // How long each session took to become ready, in nanoseconds.
  const std::vector<std::int64_t>& opening_ns() const { return opening_ns_; }

  void OnReady(Session& session) override;
  void OnOver(Session& session, bool clean) override;
  void OnData(Session&, End, const char*, std::size_t, bool) override {}

 protected:
  EventLoop& loop() { return target_.loop(); }
  Target& target() { return target_; }
  const RunOptions& options() const { return options_; }
  std::vector<std::unique_ptr<Session>>& sessions() { return sessions_; }
  void Fail(const std::string& why);

 private:
  void OpenMore();
  void CloseMore();

  Target& target_;
  const RunOptions options_;
  std::vector<std::unique_ptr<Session>> sessions_;
  std::vector<std::int64_t> begun_ns_;
  std::vector<std::int64_t> opening_ns_;
  int ready_ = 0;
  int opening_ = 0;
  std::size_t close_next_ = 0;
  int closing_ = 0;
  bool closing_all_ = false;
  int open_ = 0;
  int failures_ = 0;
  std::string first_failure_;
};

}  // namespace fairlead::bench

#endif  // FAIRLEAD_BENCH_LOAD_CROWD_H_
