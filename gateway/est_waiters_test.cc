// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Enrolments that wait: who gets which answer, how many may wait, and how a wait ends without one.
#include "gateway/est_waiters.h"

#include <memory>
#include <string>
#include <utility>

#include "base/status_matchers.h"
#include "gateway/testing/fakes.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace fairlead::gateway {
namespace {

using ::testing::HasSubstr;
using Result = absl::StatusOr<v1::EstResponse>;

class EstWaitersTest : public ::testing::Test {
 protected:
  std::shared_ptr<EstWaiters::Waiter> Add(EstWaiters& waiters) {
    auto added = waiters.Add(io_.get_executor());
    EXPECT_THAT(added, IsOk());
    return added.ok() ? *added : nullptr;
  }
  // Starts the wait; the result is set once it has ended.
  std::shared_ptr<std::optional<Result>> Start(EstWaiters& waiters,
                                               std::shared_ptr<EstWaiters::Waiter> waiter) {
    auto result = std::make_shared<std::optional<Result>>();
    dataplane::net::co_spawn(
        io_, waiters.Await(std::move(waiter)),
        [result](std::exception_ptr, Result got) { *result = std::move(got); });
    io_.poll();
    io_.restart();
    return result;
  }

  static v1::EstResponse Response(const EstWaiters::Waiter& waiter, const std::string& body) {
    v1::EstResponse response;
    response.set_request_id(EstWaiters::RequestId(waiter));
    response.set_body(body);
    return response;
  }

  dataplane::net::io_context io_;
};

TEST_F(EstWaitersTest, EachGetsTheAnswerOfItsNumber) {
  EstWaiters waiters(10, absl::Hours(1));
  const auto first = Add(waiters);
  const auto second = Add(waiters);
  const auto to_first = Start(waiters, first);
  const auto to_second = Start(waiters, second);

  waiters.Answer(Response(*second, "for the second"));
  RunUntil(io_, [&] { return to_second->has_value(); });
  EXPECT_FALSE(to_first->has_value());
  waiters.Answer(Response(*first, "for the first"));
  RunUntil(io_, [&] { return to_first->has_value(); });

  EXPECT_NE(EstWaiters::RequestId(*first), EstWaiters::RequestId(*second));
  EXPECT_EQ((**to_first)->body(), "for the first");
  EXPECT_EQ((**to_second)->body(), "for the second");
}

TEST_F(EstWaitersTest, AnAnswerMayComeBeforeTheWaitBegins) {
  EstWaiters waiters(10, absl::Hours(1));
  const auto waiter = Add(waiters);
  waiters.Answer(Response(*waiter, "quick"));
  io_.poll();
  io_.restart();

  const Result result = Await(io_, waiters.Await(waiter));

  ASSERT_THAT(result, IsOk());
  EXPECT_EQ(result->body(), "quick");
}

TEST_F(EstWaitersTest, OnlyTheFirstAnswerCounts) {
  EstWaiters waiters(10, absl::Hours(1));
  const auto waiter = Add(waiters);
  waiters.Answer(Response(*waiter, "first"));
  waiters.Answer(Response(*waiter, "second"));
  waiters.FailAll(absl::UnavailableError("lost"));

  const Result result = Await(io_, waiters.Await(waiter));

  ASSERT_THAT(result, IsOk());
  EXPECT_EQ(result->body(), "first");
}

TEST_F(EstWaitersTest, AWaitEndsInTimeAndItsAnswerIsThenDropped) {
  EstWaiters waiters(1, absl::Milliseconds(1));
  const auto late = Add(waiters);

  EXPECT_THAT(Await(io_, waiters.Await(late)),
              StatusIs(absl::StatusCode::kDeadlineExceeded, HasSubstr("Try again")));

  waiters.Answer(Response(*late, "too late"));
  // Its place is free.
  EXPECT_NE(Add(waiters), nullptr);
}

TEST_F(EstWaitersTest, AllFailWithTheReason) {
  EstWaiters waiters(2, absl::Hours(1));
  const auto first = Start(waiters, Add(waiters));
  const auto second = Start(waiters, Add(waiters));

  waiters.FailAll(absl::UnavailableError("the link was lost"));
  RunUntil(io_, [&] { return first->has_value() && second->has_value(); });

  EXPECT_THAT(**first, StatusIs(absl::StatusCode::kUnavailable, HasSubstr("the link was lost")));
  EXPECT_THAT(**second, StatusIs(absl::StatusCode::kUnavailable, HasSubstr("the link was lost")));
  EXPECT_NE(Add(waiters), nullptr);
  EXPECT_NE(Add(waiters), nullptr);
}

TEST_F(EstWaitersTest, NoMoreThanTheLimitWait) {
  EstWaiters waiters(2, absl::Hours(1));
  const auto first = Add(waiters);
  Add(waiters);

  EXPECT_THAT(waiters.Add(io_.get_executor()),
              StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("Too many enrolments")));

  waiters.Answer(Response(*first, ""));
  EXPECT_NE(Add(waiters), nullptr);
}

}  // namespace
}  // namespace fairlead::gateway
