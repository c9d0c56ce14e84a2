// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
#include "bench/load/modes.h"

#include <algorithm>
#include <utility>

#include "bench/load/figures.h"
#include "bench/load/pattern.h"

namespace fairlead::bench {
namespace {

// Messages that one session sends before the others have their turn.
constexpr int kBurst = 4;
constexpr double kDrainSeconds = 60;
constexpr double kRoundTripsLimit = 600;

// CPU of the relay from construction on.
class CpuMeter {
 public:
  explicit CpuMeter(pid_t pid) : family_(FamilyOf(pid)), begin_(CpuSeconds(family_)) {}
  double seconds() const { return CpuSeconds(family_) - begin_; }

 private:
  const std::vector<pid_t> family_;
  const double begin_;
};

nlohmann::json WithFailures(nlohmann::json figures, const Crowd& crowd) {
  figures["failures"] = crowd.failures();
  if (crowd.failures() > 0) figures["first_failure"] = crowd.first_failure();
  return figures;
}

// A stream of the pattern each way, of which the crowd sends as much as it is told to.
class Streams : public Crowd {
 public:
  using Crowd::Crowd;

  // Lets every session send from `from` until it has sent `limit` bytes in all.
  void Start(End from, std::uint64_t limit) {
    limit_[Index(from)] = limit;
    for (const auto& session : sessions()) {
      if (session->ready()) Pump(*session, from);
    }
  }
  void StopSending() { limit_ = {0, 0}; }
  bool AllArrived() const {
    return std::all_of(states_.begin(), states_.end(), [](const State& state) {
      return state.sent[0] == state.received[0] && state.sent[1] == state.received[1];
    });
  }
  std::uint64_t received() const { return received_; }

  void OnReady(Session& session) override {
    if (states_.size() <= session.index()) states_.resize(session.index() + 1);
    Crowd::OnReady(session);
  }
  void OnData(Session& session, End at, const char* data, std::size_t size, bool) override {
    State& state = states_[session.index()];
    std::uint64_t& got = state.received[Index(OtherEnd(at))];
    if (!IsPattern(SeedOf(session, OtherEnd(at)), got, data, size)) Fail("wrong bytes arrived");
    got += size;
    received_ += size;
    if (options().window > 0) Pump(session, OtherEnd(at));
  }
  void OnDrained(Session& session, End end) override { Pump(session, end); }

 private:
  struct State {
    std::array<std::uint64_t, 2> sent = {0, 0};
    std::array<std::uint64_t, 2> received = {0, 0};
    std::array<bool, 2> posted = {false, false};
  };

  static std::size_t Index(End end) { return static_cast<std::size_t>(end); }
  static std::uint64_t SeedOf(const Session& session, End from) {
    return 2 * session.index() + Index(from);
  }

  void Pump(Session& session, End from) {
    State& state = states_[session.index()];
    std::uint64_t& sent = state.sent[Index(from)];
    for (int i = 0; i < kBurst; ++i) {
      if (session.over() || sent >= limit_[Index(from)] || session.queued(from) > 0) return;
      const std::size_t size = options().message_bytes;
      const std::uint64_t under_way = sent - state.received[Index(from)];
      if (options().window > 0 && under_way + size > options().window * size) return;
      session.Send(from, BytesAt(SeedOf(session, from), sent), size);
      sent += size;
    }
    if (std::exchange(state.posted[Index(from)], true)) return;
    loop().Post([this, &session, from] {
      states_[session.index()].posted[Index(from)] = false;
      Pump(session, from);
    });
  }

  std::vector<State> states_;
  std::array<std::uint64_t, 2> limit_ = {0, 0};
  std::uint64_t received_ = 0;
};

// Each session sends a message, gets it back, and sends the next.
class Echo : public Crowd {
 public:
  using Crowd::Crowd;

  void Start() {
    at_device_.resize(sessions().size());
    at_console_.resize(sessions().size());
    sent_ns_.resize(sessions().size());
    running_ = true;
    for (const auto& session : sessions()) {
      if (session->ready()) Send(*session);
    }
  }
  void Stop() { running_ = false; }
  bool idle() const { return under_way_ == 0; }
  std::vector<std::int64_t>& samples() { return samples_; }

  void OnData(Session& session, End at, const char* data, std::size_t size, bool) override {
    const std::size_t index = session.index();
    std::string& got = at == End::kDevice ? at_device_[index] : at_console_[index];
    got.append(data, size);
    if (got.size() < options().message_bytes) return;
    if (at == End::kDevice) {
      session.Send(End::kDevice, got.data(), got.size());
      got.clear();
      return;
    }
    if (!IsPattern(index, 0, got.data(), got.size())) Fail("wrong bytes came back");
    got.clear();
    samples_.push_back(NowNs() - sent_ns_[index]);
    --under_way_;
    const bool enough =
        options().round_trips > 0 &&
        samples_.size() + under_way_ >= static_cast<std::size_t>(options().round_trips);
    if (running_ && !enough) Send(session);
  }

 protected:
  void Send(Session& session) {
    sent_ns_[session.index()] = NowNs();
    ++under_way_;
    session.Send(End::kConsole, BytesAt(session.index(), 0), options().message_bytes);
  }
  void Prepare() {
    at_device_.resize(sessions().size());
    at_console_.resize(sessions().size());
    sent_ns_.resize(sessions().size());
  }

 private:
  std::vector<std::string> at_device_;
  std::vector<std::string> at_console_;
  std::vector<std::int64_t> sent_ns_;
  std::vector<std::int64_t> samples_;
  bool running_ = false;
  std::size_t under_way_ = 0;
};

// An echo in each session every period, spread evenly.
class Hold : public Echo {
 public:
  using Echo::Echo;

  void StartKeystrokes() {
    Prepare();
    typing_ = true;
    const double step = options().period_seconds / static_cast<double>(sessions().size());
    for (std::size_t i = 0; i < sessions().size(); ++i) Schedule(i, step * static_cast<double>(i));
  }
  void StopKeystrokes() { typing_ = false; }

 private:
  void Schedule(std::size_t index, double seconds) {
    loop().After(seconds, [this, index] {
      if (!typing_ || index >= sessions().size()) return;
      if (sessions()[index]->ready() && !sessions()[index]->over()) Send(*sessions()[index]);
      Schedule(index, options().period_seconds);
    });
  }

  bool typing_ = false;
};

// Opens a session, lets its first message go there and back, closes it, and so on.
class Churn : public SessionUser {
 public:
  Churn(Target& target, const RunOptions& options) : target_(target), options_(options) {}

  // Runs `count` sessions to their end.
  void Run(int count) {
    left_ = count;
    finished_ = 0;
    Fill();
    const bool done = target_.loop().RunUntil([&] { return finished_ == count; }, 300);
    if (!done) ++failures_;
  }
  int failures() const { return failures_; }
  const std::string& first_failure() const { return first_failure_; }
  std::vector<std::int64_t> samples;

  void OnReady(Session& session) override { session.Close(); }
  void OnData(Session&, End, const char*, std::size_t, bool) override {}
  void OnOver(Session& session, bool clean) override {
    if (!clean && failures_++ == 0) first_failure_ = session.failure();
    const auto it = live_.find(session.index());
    samples.push_back(NowNs() - it->second.begun_ns);
    ++finished_;
    target_.loop().Post([this, it] {
      live_.erase(it);
      Fill();
    });
  }

 private:
  struct Live {
    std::int64_t begun_ns;
    std::unique_ptr<Session> session;
  };

  void Fill() {
    while (left_ > 0 && static_cast<int>(live_.size()) < options_.concurrency) {
      --left_;
      // The tickets take turns, so that a relay has time to register a session anew.
      const std::size_t index = next_++ % std::min<std::size_t>(target_.max_sessions(), 4096);
      const auto it = live_.emplace(index, Live{NowNs(), nullptr}).first;
      it->second.session = std::make_unique<Session>(target_, index, *this);
    }
  }

  Target& target_;
  const RunOptions options_;
  std::map<std::size_t, Live> live_;
  std::size_t next_ = 0;
  int left_ = 0;
  int finished_ = 0;
  int failures_ = 0;
  std::string first_failure_;
};

}  // namespace

nlohmann::json RunBulk(Target& target, const RunOptions& options) {
  Streams streams(target, options);
  streams.OpenAll();
  const End from = options.to_device ? End::kConsole : End::kDevice;
  streams.Start(from, ~std::uint64_t{0} / 2);
  target.loop().RunFor(options.warm_up_seconds);
  const CpuMeter cpu(options.pid);
  const std::uint64_t bytes_begin = streams.received();
  const std::int64_t begin = NowNs();
  target.loop().RunFor(options.seconds);
  const double gigabytes = static_cast<double>(streams.received() - bytes_begin) / 1e9;
  const double cpu_seconds = cpu.seconds();
  const double seconds = static_cast<double>(NowNs() - begin) / 1e9;
  streams.StopSending();
  if (!target.loop().RunUntil([&] { return streams.AllArrived(); }, kDrainSeconds)) {
    return {{"error", "bytes were lost"}};
  }
  streams.CloseAll();
  return WithFailures(
      {{"cpu_s_per_gb", cpu_seconds / gigabytes},
       {"cpu_us_per_message",
        cpu_seconds * 1e6 / (gigabytes * 1e9 / static_cast<double>(options.message_bytes))},
       {"megabytes_per_s", gigabytes * 1e3 / seconds},
       {"relay_load", cpu_seconds / seconds}},
      streams);
}

nlohmann::json RunEcho(Target& target, const RunOptions& options) {
  Echo echo(target, options);
  echo.OpenAll();
  echo.Start();
  if (options.round_trips == 0) {
    target.loop().RunFor(options.warm_up_seconds);
    echo.samples().clear();
  }
  const CpuMeter cpu(options.pid);
  if (options.round_trips > 0) {
    target.loop().RunUntil([&] { return echo.idle(); }, kRoundTripsLimit);
  } else {
    target.loop().RunFor(options.seconds);
  }
  const double cpu_seconds = cpu.seconds();
  const std::vector<std::int64_t> samples = echo.samples();
  echo.Stop();
  const bool all = target.loop().RunUntil([&] { return echo.idle(); }, kDrainSeconds);
  if (!all || samples.empty()) return {{"error", "messages were lost"}};
  echo.CloseAll();
  return WithFailures(
      {{"cpu_us_per_message", cpu_seconds * 1e6 / (2.0 * static_cast<double>(samples.size()))},
       {"round_trips", samples.size()},
       {"p50_us", Quantile(samples, 0.5) / 1e3},
       {"p99_us", Quantile(samples, 0.99) / 1e3},
       {"relay_load", cpu_seconds / options.seconds}},
      echo);
}

nlohmann::json RunIdle(Target& target, const RunOptions& options) {
  const std::vector<pid_t> family = FamilyOf(options.pid);
  const double before = PssKib(family);
  Streams streams(target, options);
  streams.OpenAll();
  target.loop().RunFor(options.seconds);
  const double sessions = options.sessions;
  nlohmann::json figures = {{"kib_per_session", (PssKib(family) - before) / sessions},
                            {"kib_without_sessions", before}};
  if (options.traffic_bytes > 0) {
    for (const End from : {End::kDevice, End::kConsole}) {
      streams.Start(from, options.traffic_bytes / 2);
      if (!target.loop().RunUntil([&] { return streams.AllArrived(); }, 300)) {
        return {{"error", "bytes were lost"}};
      }
    }
    target.loop().RunFor(options.seconds);
    figures["kib_per_session_after_traffic"] = (PssKib(family) - before) / sessions;
  }
  streams.CloseAll();
  target.loop().RunFor(options.seconds);
  figures["kib_left_after_closing"] = PssKib(family) - before;
  return WithFailures(std::move(figures), streams);
}

nlohmann::json RunChurn(Target& target, const RunOptions& options) {
  Churn churn(target, options);
  churn.Run(std::max(options.concurrency, options.sessions / 10));
  churn.samples.clear();
  const CpuMeter cpu(options.pid);
  const std::int64_t begin = NowNs();
  churn.Run(options.sessions);
  const double cpu_seconds = cpu.seconds();
  const double seconds = static_cast<double>(NowNs() - begin) / 1e9;
  nlohmann::json figures = {{"cpu_us_per_session", cpu_seconds * 1e6 / options.sessions},
                            {"sessions_per_s", options.sessions / seconds},
                            {"p50_us", Quantile(churn.samples, 0.5) / 1e3},
                            {"p99_us", Quantile(churn.samples, 0.99) / 1e3},
                            {"failures", churn.failures()}};
  if (churn.failures() > 0) figures["first_failure"] = churn.first_failure();
  return figures;
}

nlohmann::json RunHold(Target& target, const RunOptions& options) {
  Hold hold(target, options);
  const double opening = hold.OpenAll();
  PrintPhase(target.loop(), options,
             WithFailures({{"phase", "opened"},
                           {"seconds", opening},
                           {"p50_ms", Quantile(hold.opening_ns(), 0.5) / 1e6},
                           {"p99_ms", Quantile(hold.opening_ns(), 0.99) / 1e6}},
                          hold));
  hold.StartKeystrokes();
  target.loop().RunFor(options.seconds);
  hold.StopKeystrokes();
  target.loop().RunUntil([&] { return hold.idle(); }, kDrainSeconds);
  if (!hold.idle()) return {{"error", "keystrokes were lost"}};
  PrintPhase(target.loop(), options,
             WithFailures({{"phase", "held"},
                           {"echoes", hold.samples().size()},
                           {"p50_us", Quantile(hold.samples(), 0.5) / 1e3},
                           {"p99_us", Quantile(hold.samples(), 0.99) / 1e3}},
                          hold));
  const double closing = hold.CloseAll();
  return WithFailures({{"phase", "closed"}, {"seconds", closing}}, hold);
}

}  // namespace fairlead::bench
