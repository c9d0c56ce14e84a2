// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
#include "bench/load/crowd.h"

namespace fairlead::bench {
namespace {

// A relay that hangs must not hang the benchmark.
constexpr double kOpenTimeout = 300;
constexpr double kCloseTimeout = 120;

}  // namespace

double Crowd::OpenAll() {
  const std::int64_t begin = NowNs();
  begun_ns_.resize(static_cast<std::size_t>(options_.sessions));
  OpenMore();
  const auto done = [this] {
    return opening_ == 0 && static_cast<int>(sessions_.size()) == options_.sessions;
  };
  if (!loop().RunUntil(done, kOpenTimeout)) Fail("the sessions were not open in time");
  return static_cast<double>(NowNs() - begin) / 1e9;
}

void Crowd::OpenMore() {
  while (opening_ < options_.concurrency &&
         static_cast<int>(sessions_.size()) < options_.sessions) {
    const std::size_t index = sessions_.size();
    begun_ns_[index] = NowNs();
    ++opening_;
    ++open_;
    sessions_.push_back(std::make_unique<Session>(target_, index, *this));
  }
}

void Crowd::OnReady(Session& session) {
  opening_ns_.push_back(NowNs() - begun_ns_[session.index()]);
  ++ready_;
  --opening_;
  loop().Post([this] { OpenMore(); });
}

double Crowd::CloseAll() {
  const std::int64_t begin = NowNs();
  closing_all_ = true;
  CloseMore();
  if (!loop().RunUntil([this] { return open_ == 0; }, kCloseTimeout)) {
    Fail("the sessions were not closed in time");
  }
  const double seconds = static_cast<double>(NowNs() - begin) / 1e9;
  sessions_.clear();
  return seconds;
}

void Crowd::CloseMore() {
  while (closing_ < options_.concurrency && close_next_ < sessions_.size()) {
    Session& session = *sessions_[close_next_++];
    if (session.over()) continue;
    ++closing_;
    session.Close();
  }
}

void Crowd::OnOver(Session& session, bool clean) {
  --open_;
  if (!session.ready()) {
    --opening_;
    loop().Post([this] { OpenMore(); });
  }
  if (!clean) Fail(session.failure());
  if (closing_all_) {
    --closing_;
    loop().Post([this] { CloseMore(); });
  }
}

void Crowd::Fail(const std::string& why) {
  ++failures_;
  if (first_failure_.empty()) first_failure_ = why;
}

}  // namespace fairlead::bench
