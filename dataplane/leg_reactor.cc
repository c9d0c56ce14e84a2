// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
#include "dataplane/leg_reactor.h"

#include <array>
#include <cstdio>
#include <cstdlib>

#include "dataplane/io_threads.h"

namespace fairlead::dataplane {
namespace {

// How many events are told before Asio's own turn comes.
constexpr std::size_t kBatch = 64;

}  // namespace

net::execution_context::id LegReactor::id;

LegReactor& LegReactor::Of(const net::any_io_executor& executor) {
  return net::use_service<LegReactor>(ContextOf(executor));
}

LegReactor::LegReactor(net::execution_context& context) : net::execution_context::service(context) {
  epoll_descriptor_ = ::epoll_create1(EPOLL_CLOEXEC);
  if (epoll_descriptor_ < 0) {
    std::perror("cannot make an epoll descriptor; raise the limit of open files");
    std::abort();
  }
  epoll_.emplace(static_cast<net::io_context&>(context), epoll_descriptor_);
}

LegReactor::~LegReactor() = default;

void LegReactor::shutdown() {
  epoll_.reset();
  epoll_descriptor_ = -1;
}

bool LegReactor::Add(int descriptor, Watched& watched, std::uint32_t events) {
  epoll_event event{};
  event.events = events;
  event.data.ptr = &watched;
  if (::epoll_ctl(epoll_descriptor_, EPOLL_CTL_ADD, descriptor, &event) != 0) return false;
  ++size_;
  Wait();
  return true;
}

void LegReactor::Change(int descriptor, Watched& watched, std::uint32_t events) {
  epoll_event event{};
  event.events = events;
  event.data.ptr = &watched;
  ::epoll_ctl(epoll_descriptor_, EPOLL_CTL_MOD, descriptor, &event);
}

void LegReactor::Remove(int descriptor, Watched& watched) {
  epoll_event ignored{};
  ::epoll_ctl(epoll_descriptor_, EPOLL_CTL_DEL, descriptor, &ignored);
  for (epoll_event& event : due_) {
    if (event.data.ptr == &watched) event.data.ptr = nullptr;
  }
  // An io_context ends when nothing is waited for.
  if (--size_ == 0 && epoll_.has_value()) {
    error_code error;
    epoll_->cancel(error);
  }
}

void LegReactor::Wait() {
  if (waiting_ || size_ == 0) return;
  waiting_ = true;
  epoll_->async_wait(net::posix::stream_descriptor::wait_read, [this](const error_code& error) {
    waiting_ = false;
    if (!error) Dispatch();
    Wait();
  });
}

void LegReactor::Dispatch() {
  std::array<epoll_event, kBatch> events;
  const int count = ::epoll_wait(epoll_descriptor_, events.data(), kBatch, 0);
  if (count <= 0) return;
  due_ = std::span<epoll_event>(events).first(static_cast<std::size_t>(count));
  while (!due_.empty()) {
    const epoll_event event = due_.front();
    due_ = due_.subspan(1);
    if (event.data.ptr != nullptr) static_cast<Watched*>(event.data.ptr)->OnEvents(event.events);
  }
}

}  // namespace fairlead::dataplane
