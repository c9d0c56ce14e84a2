// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// What the edge's tests share: coroutines run to their end on the test's thread, a WebSocket
// handshake without a connection, and a sink that remembers events.
#ifndef FAIRLEAD_GATEWAY_TESTING_FAKES_H_
#define FAIRLEAD_GATEWAY_TESTING_FAKES_H_

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstdlib>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/synchronization/mutex.h"
#include "dataplane/router.h"
#include "dataplane/tunnel_leg.h"
#include "dataplane/websocket.h"
#include "gateway/edge_events.h"
#include "gtest/gtest.h"

namespace fairlead::gateway {

// Runs `io` until `done` holds. Fails the test after 10 s.
template <class Predicate>
void RunUntil(dataplane::net::io_context& io, Predicate done) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (!done()) {
    if (std::chrono::steady_clock::now() > deadline) {
      ADD_FAILURE() << "nothing happened for 10 s";
      return;
    }
    io.restart();
    io.run_one_for(std::chrono::milliseconds(100));
  }
}

// Starts a coroutine on `io`; the result tells whether it has ended.
inline std::shared_ptr<bool> Spawn(dataplane::net::io_context& io,
                                   dataplane::net::awaitable<void> task) {
  auto done = std::make_shared<bool>(false);
  dataplane::net::co_spawn(io, std::move(task), [done](std::exception_ptr error) {
    if (error) std::abort();
    *done = true;
  });
  return done;
}

// Runs a coroutine to its end and gives its result.
template <class T>
T Await(dataplane::net::io_context& io, dataplane::net::awaitable<T> task) {
  auto result = std::make_shared<std::optional<T>>();
  dataplane::net::co_spawn(io, std::move(task), [result](std::exception_ptr error, T value) {
    if (error) std::abort();
    *result = std::move(value);
  });
  RunUntil(io, [&] { return result->has_value(); });
  if (!result->has_value()) std::abort();
  return std::move(**result);
}

inline void Await(dataplane::net::io_context& io, dataplane::net::awaitable<void> task) {
  const auto done = Spawn(io, std::move(task));
  RunUntil(io, [&] { return *done; });
}

// A handshake that gives `websocket` when accepted.
class FakeUpgrade : public dataplane::PendingUpgrade {
 public:
  // What was done with the handshake; outlives it.
  struct Outcome {
    bool accepted = false;
    std::string subprotocol;
    std::optional<dataplane::HttpResponse> refused;
    bool moved = false;
  };

  // A null `websocket` makes Accept fail.
  FakeUpgrade(std::vector<std::string> offered, std::unique_ptr<dataplane::WebSocket> websocket)
      : offered_(std::move(offered)), websocket_(std::move(websocket)) {}

  std::shared_ptr<Outcome> outcome() const { return outcome_; }

  const std::vector<std::string>& offered_subprotocols() const override { return offered_; }
  void MoveTo(dataplane::net::any_io_executor) override { outcome_->moved = true; }
  dataplane::net::awaitable<absl::StatusOr<std::unique_ptr<dataplane::WebSocket>>> Accept(
      absl::string_view subprotocol) override {
    if (websocket_ == nullptr) co_return absl::UnavailableError("the connection was lost");
    outcome_->accepted = true;
    outcome_->subprotocol = std::string(subprotocol);
    co_return std::move(websocket_);
  }
  std::unique_ptr<dataplane::TunnelLeg> AcceptTunnel(absl::string_view /*subprotocol*/) override {
    return nullptr;
  }
  dataplane::net::awaitable<void> Refuse(dataplane::HttpResponse response) override {
    outcome_->refused = std::move(response);
    co_return;
  }

 private:
  const std::vector<std::string> offered_;
  std::unique_ptr<dataplane::WebSocket> websocket_;
  std::shared_ptr<Outcome> outcome_ = std::make_shared<Outcome>();
};

// Remembers what it is told. Thread: any.
class RecordingSink : public EdgeEventSink {
 public:
  void Publish(v1::EdgeEvent event) override {
    absl::MutexLock lock(&mutex_);
    events_.push_back(std::move(event));
  }
  void PublishRefusal(v1::EdgeRefusal refusal) override {
    absl::MutexLock lock(&mutex_);
    refusals_.push_back(std::move(refusal));
  }
  std::vector<v1::EdgeEvent> events() const {
    absl::MutexLock lock(&mutex_);
    return events_;
  }
  std::vector<v1::EdgeRefusal> refusals() const {
    absl::MutexLock lock(&mutex_);
    return refusals_;
  }

 private:
  mutable absl::Mutex mutex_;
  std::vector<v1::EdgeEvent> events_;
  std::vector<v1::EdgeRefusal> refusals_;
};

}  // namespace fairlead::gateway

#endif  // FAIRLEAD_GATEWAY_TESTING_FAKES_H_
