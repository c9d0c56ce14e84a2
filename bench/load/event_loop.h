// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// One thread's epoll loop with timers, for the load generator. It shares nothing with the product.
#ifndef FAIRLEAD_BENCH_LOAD_EVENT_LOOP_H_
#define FAIRLEAD_BENCH_LOAD_EVENT_LOOP_H_

#include <cstdint>
#include <functional>
#include <map>
#include <vector>

namespace fairlead::bench {

// Monotonic time in nanoseconds.
std::int64_t NowNs();

inline constexpr std::int64_t kSecondNs = 1'000'000'000;

// Told what happens to a descriptor.
class Watcher {
 public:
  virtual ~Watcher() = default;
  // `events` as epoll gives them. The watcher must not be destroyed before the turn ends: Post it.
  virtual void OnEvents(std::uint32_t events) = 0;
};

// Thread: one.
class EventLoop {
 public:
  EventLoop();
  ~EventLoop();
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  void Watch(int fd, Watcher* watcher, std::uint32_t events);
  void Change(int fd, Watcher* watcher, std::uint32_t events);
  void Forget(int fd);

  // Calls `work` in the next turn, before events are looked at.
  void Post(std::function<void()> work);
  // Calls `work` once, that many seconds from now.
  void After(double seconds, std::function<void()> work);

  // Runs until `done` holds; false if that takes longer than `seconds`.
  bool RunUntil(const std::function<bool()>& done, double seconds);
  void RunFor(double seconds);

 private:
  void Turn(std::int64_t deadline_ns);
  void RunPosted();
  void RunTimers();

  const int epoll_;
  std::vector<std::function<void()>> posted_;
  std::multimap<std::int64_t, std::function<void()>> timers_;
};

}  // namespace fairlead::bench

#endif  // FAIRLEAD_BENCH_LOAD_EVENT_LOOP_H_
