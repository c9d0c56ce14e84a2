// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// The person's end of a terminal as a stream of bytes, whatever carries it. Private to terminal.cc.
#ifndef FAIRLEAD_BENCH_LOAD_PERSON_H_
#define FAIRLEAD_BENCH_LOAD_PERSON_H_

#include <sys/types.h>

#include <functional>
#include <memory>
#include <string>

#include "absl/strings/string_view.h"
#include "bench/load/event_loop.h"
#include "bench/load/leg.h"

namespace fairlead::bench {

class Person {
 public:
  using OnBytes = std::function<void(const char*, std::size_t)>;

  virtual ~Person() = default;
  virtual void Type(absl::string_view text) = 0;

  void set_on_bytes(OnBytes on_bytes) { on_bytes_ = std::move(on_bytes); }
  bool over() const { return over_; }
  // The process that was started, or 0.
  virtual pid_t pid() const { return 0; }

 protected:
  OnBytes on_bytes_;
  bool over_ = false;
};

// A Console's tunnel, which acknowledges what it gets every 64 KiB as the contract asks.
std::unique_ptr<Person> OverTunnel(EventLoop& loop, SSL_CTX* context, std::uint16_t port,
                                   const std::string& ticket);
// The web console's end of a terminal of MeshCentral's, whose agent was asked for tunnel `id`.
std::unique_ptr<Person> OverMeshCentral(EventLoop& loop, SSL_CTX* context, std::uint16_t port,
                                        const std::string& id);
// `command`, run by /bin/sh, with pipes; its standard error goes to /dev/null.
std::unique_ptr<Person> OverCommand(EventLoop& loop, const std::string& command);
// /bin/sh on a pseudo-terminal of this process.
std::unique_ptr<Person> OverLocalTerminal(EventLoop& loop);

}  // namespace fairlead::bench

#endif  // FAIRLEAD_BENCH_LOAD_PERSON_H_
