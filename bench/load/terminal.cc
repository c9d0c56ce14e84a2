// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
#include "bench/load/terminal.h"

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "bench/load/figures.h"
#include "bench/load/person.h"

namespace fairlead::bench {
namespace {

constexpr double kLimit = 120;
// The shell prints this; the text that it is told by does not contain it.
constexpr char kMark[] = "BEGIN-MARK";
constexpr char kPrintMark[] = "printf 'BEGIN''-MARK'";

// Gathers what arrives until it contains a mark.
class UntilMark {
 public:
  bool Feed(const char* data, std::size_t size) {
    text_.append(data, size);
    const std::size_t at = text_.find(kMark);
    if (at == std::string::npos) return false;
    rest_ = text_.substr(at + sizeof(kMark) - 1);
    return true;
  }
  const std::string& rest() const { return rest_; }

 private:
  std::string text_;
  std::string rest_;
};

// What `seq 1 N` prints on a terminal, compared with what comes.
class SeqChecker {
 public:
  explicit SeqChecker(int last) : last_(last) { Refill(); }
  bool Feed(const char* data, std::size_t size) {
    while (size > 0 && !done()) {
      const std::size_t part = std::min(size, expected_.size() - at_);
      if (expected_.compare(at_, part, data, part) != 0) return false;
      at_ += part;
      data += part;
      size -= part;
      bytes_ += part;
      if (at_ == expected_.size()) Refill();
    }
    return true;
  }
  bool done() const { return expected_.empty(); }
  std::uint64_t bytes() const { return bytes_; }

 private:
  // The next lines, some at a time so that one comparison does for many.
  void Refill() {
    expected_.clear();
    at_ = 0;
    const int end = std::min(next_ + 500, last_ + 1);
    for (; next_ < end; ++next_) absl::StrAppend(&expected_, next_, "\r\n");
  }

  const int last_;
  int next_ = 1;
  std::string expected_;
  std::size_t at_ = 0;
  std::uint64_t bytes_ = 0;
};

// Those of `pids` that run the program `name`; all if it is empty.
std::vector<pid_t> Named(const std::vector<pid_t>& pids, const std::string& name) {
  if (name.empty()) return pids;
  std::vector<pid_t> named;
  for (const pid_t pid : pids) {
    std::ifstream file(absl::StrCat("/proc/", pid, "/comm"));
    std::string comm;
    std::getline(file, comm);
    if (comm == name) named.push_back(pid);
  }
  return named;
}

class Runner {
 public:
  Runner(EventLoop& loop, const TerminalOptions& options) : loop_(loop), options_(options) {
    if (!options.ca_file.empty()) context_ = MakeClientContext(options.ca_file);
  }

  std::unique_ptr<Person> Open(std::size_t index) {
    if (options_.local) return OverLocalTerminal(loop_);
    if (!options_.command.empty()) return OverCommand(loop_, options_.command);
    const std::string& ticket = options_.tickets.at(index);
    if (options_.meshcentral) {
      return OverMeshCentral(loop_, context_.get(), options_.port, ticket);
    }
    return OverTunnel(loop_, context_.get(), options_.port, ticket);
  }

  nlohmann::json Echo() {
    const auto person = Open(0);
    if (!Prepare(*person, absl::StrCat("stty raw -echo; ", kPrintMark, "; exec cat\n")))
      return Lost();
    std::vector<std::int64_t> samples;
    bool back = false;
    person->set_on_bytes([&](const char*, std::size_t) { back = true; });
    const std::int64_t warm = NowNs() + kSecondNs / 4;
    const std::int64_t end = warm + static_cast<std::int64_t>(options_.seconds * 1e9);
    while (NowNs() < end) {
      back = false;
      const std::int64_t begin = NowNs();
      person->Type("x");
      if (!loop_.RunUntil([&] { return back || person->over(); }, kLimit) || !back) return Lost();
      if (begin >= warm) samples.push_back(NowNs() - begin);
    }
    return {{"echo_p50_us", Quantile(samples, 0.5) / 1e3},
            {"echo_p99_us", Quantile(samples, 0.99) / 1e3},
            {"round_trips", samples.size()}};
  }

  nlohmann::json Output() {
    const auto person = Open(0);
    // The shell must not edit lines any more when the figures begin.
    if (!Prepare(*person, absl::StrCat("stty -echo; ", kPrintMark, "; read line; seq 1 ",
                                       options_.lines, "; exec cat\n"))) {
      return Lost();
    }
    SeqChecker checker(options_.lines);
    bool wrong = false;
    person->set_on_bytes([&](const char* data, std::size_t size) {
      if (!checker.Feed(data, size)) wrong = true;
    });
    const auto relay = Named(FamilyOf(options_.relay_pid), options_.relay_name);
    const std::vector<pid_t> agent = {options_.agent_pid};
    const double relay_begin = CpuSeconds(relay);
    const double agent_begin = CpuSeconds(agent);
    const std::int64_t begin = NowNs();
    person->Type("\n");
    if (!loop_.RunUntil([&] { return checker.done() || wrong || person->over(); }, kLimit) ||
        wrong || !checker.done()) {
      return {{"error", absl::StrCat("wrong output after ", checker.bytes(), " bytes")}};
    }
    const double seconds = static_cast<double>(NowNs() - begin) / 1e9;
    const double gigabytes = static_cast<double>(checker.bytes()) / 1e9;
    nlohmann::json figures = {{"output_mb_per_s", gigabytes * 1e3 / seconds}};
    if (options_.relay_pid != 0) {
      figures["relay_cpu_s_per_gb"] = (CpuSeconds(relay) - relay_begin) / gigabytes;
    }
    if (options_.agent_pid != 0) {
      figures["agent_cpu_s_per_gb"] = (CpuSeconds(agent) - agent_begin) / gigabytes;
    }
    return figures;
  }

  nlohmann::json FirstByte() {
    const std::int64_t begin = NowNs();
    const auto person = Open(0);
    std::int64_t first = 0;
    person->set_on_bytes([&](const char*, std::size_t) {
      if (first == 0) first = NowNs();
    });
    if (!loop_.RunUntil([&] { return first != 0 || person->over(); }, kLimit) || first == 0) {
      return Lost();
    }
    return {{"first_byte_ms", static_cast<double>(first - begin) / 1e6}};
  }

  // Opens all, waits until each has printed something, and holds them while PrintPhase waits.
  nlohmann::json Hold(const RunOptions& run) {
    const std::size_t count = std::max<std::size_t>(options_.tickets.size(), run.sessions);
    std::vector<std::unique_ptr<Person>> people;
    std::vector<bool> heard(count);
    for (std::size_t i = 0; i < count; ++i) {
      people.push_back(Open(i));
      people.back()->set_on_bytes([&heard, i](const char*, std::size_t) { heard[i] = true; });
      if (!loop_.RunUntil([&] { return heard[i] || people[i]->over(); }, kLimit)) return Lost();
    }
    loop_.RunFor(options_.seconds);
    PrintPhase(loop_, run, {{"phase", "held"}, {"terminals", count}});
    return {{"phase", "closed"}};
  }

 private:
  static nlohmann::json Lost() { return {{"error", "the terminal ended or hangs"}}; }

  // Types a command and waits for the mark that it prints.
  bool Prepare(Person& person, const std::string& command) {
    UntilMark until;
    bool seen = false;
    person.set_on_bytes(
        [&](const char* data, std::size_t size) { seen = seen || until.Feed(data, size); });
    person.Type(command);
    const bool done = loop_.RunUntil([&] { return seen || person.over(); }, kLimit);
    // What the mark came with may have more.
    loop_.RunFor(0.1);
    return done && seen;
  }

  EventLoop& loop_;
  const TerminalOptions options_;
  bssl::UniquePtr<SSL_CTX> context_;
};

}  // namespace

nlohmann::json RunTerminal(EventLoop& loop, const TerminalOptions& options, const RunOptions& run) {
  Runner runner(loop, options);
  if (options.measure == "echo") return runner.Echo();
  if (options.measure == "output") return runner.Output();
  if (options.measure == "first_byte") return runner.FirstByte();
  if (options.measure == "hold") return runner.Hold(run);
  return {{"error", "unknown measurement " + options.measure}};
}

}  // namespace fairlead::bench
