// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
#include "bench/load/event_loop.h"

#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <utility>

namespace fairlead::bench {

std::int64_t NowNs() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * kSecondNs + now.tv_nsec;
}

EventLoop::EventLoop() : epoll_(epoll_create1(EPOLL_CLOEXEC)) {
  if (epoll_ < 0) {
    std::perror("epoll_create1");
    std::abort();
  }
}

EventLoop::~EventLoop() { close(epoll_); }

void EventLoop::Watch(int fd, Watcher* watcher, std::uint32_t events) {
  epoll_event event{};
  event.events = events;
  event.data.ptr = watcher;
  if (epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) != 0) std::perror("epoll_ctl");
}

void EventLoop::Change(int fd, Watcher* watcher, std::uint32_t events) {
  epoll_event event{};
  event.events = events;
  event.data.ptr = watcher;
  if (epoll_ctl(epoll_, EPOLL_CTL_MOD, fd, &event) != 0) std::perror("epoll_ctl");
}

void EventLoop::Forget(int fd) { epoll_ctl(epoll_, EPOLL_CTL_DEL, fd, nullptr); }

void EventLoop::Post(std::function<void()> work) { posted_.push_back(std::move(work)); }

void EventLoop::After(double seconds, std::function<void()> work) {
  timers_.emplace(NowNs() + static_cast<std::int64_t>(seconds * 1e9), std::move(work));
}

bool EventLoop::RunUntil(const std::function<bool()>& done, double seconds) {
  const std::int64_t deadline = NowNs() + static_cast<std::int64_t>(seconds * 1e9);
  while (!done()) {
    if (NowNs() >= deadline) return false;
    Turn(deadline);
  }
  return true;
}

void EventLoop::RunFor(double seconds) {
  RunUntil([] { return false; }, seconds);
}

void EventLoop::Turn(std::int64_t deadline_ns) {
  RunPosted();
  if (!timers_.empty()) deadline_ns = std::min(deadline_ns, timers_.begin()->first);
  const std::int64_t left_ms = (deadline_ns - NowNs() + 999'999) / 1'000'000;
  const int timeout =
      posted_.empty() ? static_cast<int>(std::clamp<std::int64_t>(left_ms, 0, 1000)) : 0;
  std::array<epoll_event, 256> events;
  const int count = epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), timeout);
  for (int i = 0; i < count; ++i) {
    static_cast<Watcher*>(events[i].data.ptr)->OnEvents(events[i].events);
  }
  RunTimers();
}

void EventLoop::RunPosted() {
  std::vector<std::function<void()>> work;
  work.swap(posted_);
  for (auto& item : work) item();
}

void EventLoop::RunTimers() {
  const std::int64_t now = NowNs();
  while (!timers_.empty() && timers_.begin()->first <= now) {
    auto work = std::move(timers_.begin()->second);
    timers_.erase(timers_.begin());
    work();
  }
}

}  // namespace fairlead::bench
