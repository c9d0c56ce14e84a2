// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// A real program on a pseudo-terminal, driven by a test with blocking calls. Used by the tests of
// the pseudo-terminal.
#ifndef FAIRLEAD_DEVICE_TESTING_DRIVEN_PROGRAM_H_
#define FAIRLEAD_DEVICE_TESTING_DRIVEN_PROGRAM_H_

#include <poll.h>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "base/status_matchers.h"
#include "device/program.h"
#include "device/pty.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace fairlead::device {

inline constexpr absl::Duration kPatience = absl::Seconds(30);

inline Program Shell(const std::string& script) {
  Program program;
  program.path = "/bin/sh";
  program.argv = {"sh", "-c", script};
  program.environment = {"PATH=/usr/local/bin:/usr/bin:/bin", "TERM=xterm-256color", "LC_ALL=C"};
  program.working_directory = "/";
  return program;
}

inline terminal::WindowSize Size(std::uint32_t columns, std::uint32_t rows) {
  return terminal::ClampWindowSize(columns, rows);
}

// Waits for a descriptor; false when patience is at its end.
inline bool Await(int fd, short events, absl::Duration patience = kPatience) {
  pollfd entry = {fd, events, 0};
  return poll(&entry, 1, static_cast<int>(absl::ToInt64Milliseconds(patience))) > 0;
}

// A program that is driven by a test with blocking calls.
class Driven {
 public:
  explicit Driven(const Program& program, terminal::WindowSize size = Size(80, 24)) {
    auto pty = Pty::Start(program, size);
    EXPECT_THAT(pty, IsOk());
    pty_ = std::move(*pty);
    EXPECT_TRUE(Await(pty_->exec_fd(), POLLIN));
    exec_ = pty_->ExecResult();
  }

  Pty& pty() { return *pty_; }
  const absl::Status& exec() const { return exec_; }
  const std::string& output() const { return output_; }

  // Reads what there is; false if nobody holds the other side.
  bool ReadSome() {
    char buffer[65536];
    std::size_t count = 0;
    const Pty::Io io = pty_->Read(buffer, sizeof buffer, &count);
    output_.append(buffer, count);
    return io != Pty::Io::kGone;
  }

  void AwaitOutput(const std::string& text) {
    while (output_.find(text) == std::string::npos) {
      ASSERT_TRUE(Await(pty_->master_fd(), POLLIN)) << "have: " << output_;
      ASSERT_TRUE(ReadSome()) << "have: " << output_;
    }
  }

  void Type(absl::string_view text) {
    while (!text.empty()) {
      std::size_t count = 0;
      ASSERT_NE(pty_->Write(text, &count), Pty::Io::kGone);
      text.remove_prefix(count);
      if (count == 0) {
        ASSERT_TRUE(Await(pty_->master_fd(), POLLOUT));
      }
    }
  }

  // Reads until the program's end, then all that it left.
  terminal::ProgramResult Finish() {
    for (;;) {
      pollfd entries[2] = {{pty_->exit_fd(), POLLIN, 0}, {pty_->master_fd(), POLLIN, 0}};
      if (poll(entries, 2, 30'000) <= 0) {
        ADD_FAILURE() << "no end; have: " << output_;
        return terminal::ProgramResult();
      }
      if (entries[0].revents != 0) break;
      ReadSome();
    }
    const auto result = pty_->PollExit();
    std::size_t before = 0;
    do {
      before = output_.size();
      ReadSome();
    } while (output_.size() != before);
    return result.value_or(terminal::ProgramResult());
  }

 private:
  std::unique_ptr<Pty> pty_;
  absl::Status exec_;
  std::string output_;
};

inline terminal::ProgramResult Exit(int code) {
  terminal::ProgramResult result;
  result.exit_code = code;
  return result;
}

inline terminal::ProgramResult Killed(const std::string& signal) {
  terminal::ProgramResult result;
  result.signal = signal;
  return result;
}

}  // namespace fairlead::device

#endif  // FAIRLEAD_DEVICE_TESTING_DRIVEN_PROGRAM_H_
