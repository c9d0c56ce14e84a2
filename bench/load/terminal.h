// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Whole terminals: the load generator as the person's end of one, over a Console tunnel, over a
// program such as ssh, or over a pseudo-terminal of its own as the floor of what is possible.
#ifndef FAIRLEAD_BENCH_LOAD_TERMINAL_H_
#define FAIRLEAD_BENCH_LOAD_TERMINAL_H_

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "bench/load/event_loop.h"
#include "bench/load/modes.h"
#include "nlohmann/json.hpp"

namespace fairlead::bench {

struct TerminalOptions {
  // "echo", "output", "first_byte" or "hold".
  std::string measure;
  // A Console tunnel: port, CA and ticket; hold takes several.
  std::uint16_t port = 0;
  std::string ca_file;
  std::vector<std::string> tickets;
  // The tunnel is MeshCentral's, and its identifier stands for a ticket.
  bool meshcentral = false;
  // Or a program whose standard input and output are the terminal.
  std::string command;
  // Or a shell on a pseudo-terminal of this process.
  bool local = false;
  double seconds = 2;
  // seq's last number.
  int lines = 5'000'000;
  // Processes whose CPU is read while output flows: the relay with its children that bear the
  // name given (empty for itself alone), and the agent alone.
  pid_t relay_pid = 0;
  std::string relay_name;
  pid_t agent_pid = 0;
};

// With "hold", run.sessions of them, or one a ticket.
nlohmann::json RunTerminal(EventLoop& loop, const TerminalOptions& options, const RunOptions& run);

}  // namespace fairlead::bench

#endif  // FAIRLEAD_BENCH_LOAD_TERMINAL_H_
