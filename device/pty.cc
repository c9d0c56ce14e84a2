// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
#include "device/pty.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "device/pty_child.h"
#include "device/session_processes.h"

// The C library's header does not say so itself.
extern "C" {
#include <sys/pidfd.h>
}

namespace fairlead::device {
namespace {

// The kernel gives at most 4095 bytes a call. After fewer than this there is nothing as a rule, and
// asking would be one call more.
constexpr std::size_t kShortRead = 2048;

absl::Status SystemError(absl::string_view what) {
  // Whatever the kernel ran out of, the caller can only try later.
  return absl::ResourceExhaustedError(absl::StrCat(what, ": ", std::strerror(errno)));
}

struct Terminal {
  OwnedFd master;
  OwnedFd slave;
};

absl::StatusOr<Terminal> OpenTerminal(terminal::WindowSize size) {
  Terminal terminal;
  terminal.master = OwnedFd(posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK));
  if (!terminal.master.valid()) return SystemError("opening a pseudo-terminal");
  const int master = terminal.master.get();
  if (grantpt(master) != 0 || unlockpt(master) != 0) {
    return SystemError("preparing a pseudo-terminal");
  }
  terminal.slave = OwnedFd(ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC));
  if (!terminal.slave.valid()) return SystemError("opening a pseudo-terminal's other side");
  termios mode;
  if (tcgetattr(terminal.slave.get(), &mode) == 0) {
    // Erasing must know that a character may have several bytes.
    mode.c_iflag |= IUTF8;
    tcsetattr(terminal.slave.get(), TCSANOW, &mode);
  }
  winsize window = {};
  window.ws_col = static_cast<unsigned short>(size.columns);
  window.ws_row = static_cast<unsigned short>(size.rows);
  if (ioctl(master, TIOCSWINSZ, &window) != 0) return SystemError("setting the window size");
  return terminal;
}

// Forks with all signals blocked, so that no handler of ours runs in the child.
pid_t ForkChild(ChildPlan& plan) {
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  const pid_t pid = fork();
  if (pid == 0) RunChild(plan);
  const int error = errno;
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  errno = error;
  return pid;
}

}  // namespace

OwnedFd& OwnedFd::operator=(OwnedFd&& other) noexcept {
  if (this != &other) {
    Close();
    fd_ = other.release();
  }
  return *this;
}

int OwnedFd::release() { return std::exchange(fd_, -1); }

void OwnedFd::Close() {
  if (fd_ >= 0) close(fd_);
  fd_ = -1;
}

absl::StatusOr<std::unique_ptr<Pty>> Pty::Start(const Program& program, terminal::WindowSize size) {
  FAIRLEAD_ASSIGN_OR_RETURN(Terminal terminal, OpenTerminal(size));
  int report[2];
  if (pipe2(report, O_CLOEXEC | O_NONBLOCK) != 0) return SystemError("opening a pipe");
  OwnedFd report_read(report[0]);
  OwnedFd report_write(report[1]);

  ChildPlan plan(program, terminal.slave.get(), report_write.get());
  const pid_t pid = ForkChild(plan);
  if (pid < 0) return SystemError("starting a process");

  std::unique_ptr<Pty> pty(new Pty());
  pty->pid_ = pid;
  pty->master_ = std::move(terminal.master);
  pty->exec_ = std::move(report_read);
  pty->path_ = program.path;
  pty->working_directory_ = program.working_directory;
  pty->pidfd_ = OwnedFd(pidfd_open(pid, 0));
  if (!pty->pidfd_.valid()) return SystemError("watching a process");
  return pty;
}

Pty::~Pty() {
  CloseMaster();
  if (pid_ <= 0) return;
  // Its owner normally waits for the end first; then this does not kill.
  if (!PollExit().has_value()) kill(pid_, SIGKILL);
  Reap();
}

bool Pty::Reap() {
  if (pid_ > 0 && waitpid(pid_, nullptr, WNOHANG) == 0) return false;
  pid_ = -1;
  return true;
}

bool Pty::ExecPending() const {
  pollfd report{exec_.get(), POLLIN, 0};
  return poll(&report, 1, 0) == 0;
}

absl::Status Pty::ExecResult() {
  ChildFailure failure;
  const ssize_t count = read(exec_.get(), &failure, sizeof failure);
  exec_.Close();
  if (count == 0) return absl::OkStatus();
  if (count != static_cast<ssize_t>(sizeof failure)) {
    return absl::FailedPreconditionError(absl::StrCat(path_, " did not start in time"));
  }
  return absl::FailedPreconditionError(
      absl::StrCat(DescribeChildStep(failure.step, path_, working_directory_), ": ",
                   std::strerror(failure.error)));
}

Pty::Io Pty::Read(char* data, std::size_t size, std::size_t* count) {
  *count = 0;
  if (!master_.valid()) return Io::kGone;
  while (*count < size) {
    const ssize_t got = read(master_.get(), data + *count, size - *count);
    if (got > 0) {
      *count += static_cast<std::size_t>(got);
      if (static_cast<std::size_t>(got) < kShortRead) break;
      continue;
    }
    if (got < 0 && errno == EINTR) continue;
    if (*count > 0) break;
    return got < 0 && errno == EAGAIN ? Io::kWouldBlock : Io::kGone;
  }
  return Io::kSome;
}

Pty::Io Pty::Write(absl::string_view data, std::size_t* count) {
  *count = 0;
  if (!master_.valid()) return Io::kGone;
  for (;;) {
    const ssize_t put = write(master_.get(), data.data(), data.size());
    if (put < 0 && errno == EINTR) continue;
    if (put > 0) *count = static_cast<std::size_t>(put);
    if (put >= 0) return *count > 0 ? Io::kSome : Io::kWouldBlock;
    return errno == EAGAIN ? Io::kWouldBlock : Io::kGone;
  }
}

void Pty::Resize(terminal::WindowSize size) {
  winsize window = {};
  window.ws_col = static_cast<unsigned short>(size.columns);
  window.ws_row = static_cast<unsigned short>(size.rows);
  ioctl(master_.get(), TIOCSWINSZ, &window);
}

InterruptKeys Pty::Keys() const {
  InterruptKeys keys;
  termios mode;
  if (tcgetattr(master_.get(), &mode) != 0) return keys;
  keys.enabled = (mode.c_lflag & ISIG) != 0;
  keys.interrupt = mode.c_cc[VINTR];
  keys.quit = mode.c_cc[VQUIT];
  keys.suspend = mode.c_cc[VSUSP];
  if ((mode.c_lflag & IEXTEN) != 0) keys.literal_next = mode.c_cc[VLNEXT];
  return keys;
}

bool Pty::InputWaits() const {
  const OwnedFd slave(ioctl(master_.get(), TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC));
  int count = 0;
  return slave.valid() && ioctl(slave.get(), FIONREAD, &count) == 0 && count > 0;
}

void Pty::DiscardInput() {
  // What is on its way to the line discipline, then what that holds for the program.
  tcflush(master_.get(), TCOFLUSH);
  const OwnedFd slave(ioctl(master_.get(), TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC));
  if (slave.valid()) tcflush(slave.get(), TCIFLUSH);
}

std::optional<terminal::ProgramResult> Pty::PollExit() const {
  siginfo_t info;
  info.si_pid = 0;
  if (waitid(P_PID, pid_, &info, WEXITED | WNOWAIT | WNOHANG) != 0 || info.si_pid == 0) {
    return std::nullopt;
  }
  terminal::ProgramResult result;
  if (info.si_code == CLD_EXITED) {
    result.exit_code = info.si_status;
  } else if (const char* name = sigabbrev_np(info.si_status)) {
    result.signal = absl::StrCat("SIG", name);
  } else {
    result.signal = absl::StrCat("SIG", info.si_status);
  }
  return result;
}

void Pty::HangUp() {
  if (pid_ <= 0) return;
  const pid_t foreground = master_.valid() ? tcgetpgrp(master_.get()) : -1;
  if (foreground > 1) {
    kill(-foreground, SIGHUP);
    kill(-foreground, SIGCONT);
  }
  SignalSession(SIGHUP, foreground);
  SignalSession(SIGCONT, foreground);
  // A program that was forked a moment ago may not have its session yet.
  if (getsid(pid_) != pid_) kill(pid_, SIGHUP);
}

void Pty::KillSession() {
  if (pid_ <= 0) return;
  kill(pid_, SIGKILL);
  SignalSession(SIGKILL, -1);
}

bool Pty::SessionAlive() const {
  for (const SessionProcess& process : ProcessesOfSession(pid_)) {
    if (!process.ended) return true;
  }
  return false;
}

void Pty::SignalSession(int signal, pid_t except_group) const {
  for (const SessionProcess& process : ProcessesOfSession(pid_)) {
    if (process.group != except_group) SignalProcessOfSession(process.pid, pid_, signal);
  }
}

}  // namespace fairlead::device
