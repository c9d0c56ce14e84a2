// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// One program on one pseudo-terminal, as plain non-blocking system calls. Used by TerminalSession,
// which waits on the descriptors. No shell stands between us and exec.
#ifndef FAIRLEAD_DEVICE_PTY_H_
#define FAIRLEAD_DEVICE_PTY_H_

#include <sys/types.h>

#include <cstddef>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "device/program.h"
#include "terminal/device_end.h"

namespace fairlead::device {

// The bytes that act on the foreground job, as the terminal is set now.
struct InterruptKeys {
  // False: the terminal passes every byte on.
  bool enabled = false;
  // VINTR, VQUIT, VSUSP; and VLNEXT, after which the next byte is plain. 0 for none.
  unsigned char interrupt = 0;
  unsigned char quit = 0;
  unsigned char suspend = 0;
  unsigned char literal_next = 0;
};

// A descriptor that closes itself.
class OwnedFd {
 public:
  explicit OwnedFd(int fd = -1) : fd_(fd) {}
  OwnedFd(OwnedFd&& other) noexcept : fd_(other.release()) {}
  OwnedFd& operator=(OwnedFd&& other) noexcept;
  ~OwnedFd() { Close(); }

  int get() const { return fd_; }
  bool valid() const { return fd_ >= 0; }
  int release();
  void Close();

 private:
  int fd_;
};

// Thread: one, which must live as long as the process: the program dies with the thread that
// started it (PR_SET_PDEATHSIG), so that no agent's death leaves a shell behind.
class Pty {
 public:
  // Starts `program` on a new pseudo-terminal of `size`. Returns before exec; exec_fd() tells.
  // Errors: RESOURCE_EXHAUSTED no pseudo-terminal, process or descriptor is left.
  static absl::StatusOr<std::unique_ptr<Pty>> Start(const Program& program,
                                                    terminal::WindowSize size);

  // Closes the pseudo-terminal, which hangs the foreground group up, and reaps a program that has
  // ended; one that still runs gets SIGKILL. Never waits.
  ~Pty();
  Pty(const Pty&) = delete;
  Pty& operator=(const Pty&) = delete;

  // Becomes readable when exec has succeeded or failed: then ask ExecResult once.
  int exec_fd() const { return exec_.get(); }
  // Whether neither is known yet.
  bool ExecPending() const;
  // Errors: FAILED_PRECONDITION a sentence: what could not be done, and why.
  absl::Status ExecResult();

  // The pseudo-terminal; -1 after CloseMaster.
  int master_fd() const { return master_.get(); }
  // Becomes readable when the program has ended.
  int exit_fd() const { return pidfd_.get(); }
  pid_t pid() const { return pid_; }

  // What a read or write gave.
  enum class Io { kSome, kWouldBlock, kGone };
  // Reads until `size` bytes are there or hardly more is; *count tells how many. Whoever wants to
  // know that no more is there reads until kWouldBlock. kGone: nobody holds the terminal's other
  // side (for now), or it was closed.
  Io Read(char* data, std::size_t size, std::size_t* count);
  // Writes some.
  Io Write(absl::string_view data, std::size_t* count);

  void Resize(terminal::WindowSize size);

  InterruptKeys Keys() const;
  // Whether the program has not read all input that the kernel holds for it.
  bool InputWaits() const;
  // Drops the input that the kernel holds.
  void DiscardInput();

  // How the program ended; absent while it runs. It is not reaped, so that neither its process nor
  // its session identifier can be given to another before the session is cleaned up.
  std::optional<terminal::ProgramResult> PollExit() const;

  // Forgets a program that has ended. False if it has not, or cannot be reaped yet, since a
  // debugger holds it or the kernel does: then ask again later.
  bool Reap();

  // SIGHUP, then SIGCONT, to the foreground process group and to the rest of the session.
  void HangUp();
  // SIGKILL to every process of the session.
  void KillSession();
  // Whether any process of the session is left, other than a program that has ended.
  bool SessionAlive() const;
  // Closes the pseudo-terminal: the kernel hangs it up.
  void CloseMaster() { master_.Close(); }

 private:
  Pty() = default;
  void SignalSession(int signal, pid_t except_group) const;

  OwnedFd master_;
  OwnedFd exec_;
  OwnedFd pidfd_;
  pid_t pid_ = -1;
  // For messages.
  std::string path_;
  std::string working_directory_;
};

}  // namespace fairlead::device

#endif  // FAIRLEAD_DEVICE_PTY_H_
