// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// See proxy_connect.h.
#include "dataplane/proxy_connect.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace fairlead::dataplane {
namespace {

constexpr absl::string_view kVersion = "HTTP/1.";
constexpr absl::string_view kEndOfHead = "\r\n\r\n";
constexpr std::size_t kMaxPhraseBytes = 60;
constexpr int kProxyAuthenticationRequired = 407;

// Of all that a proxy may say, what is safe to show.
std::string PhraseOf(absl::string_view text) {
  std::string phrase(absl::StripAsciiWhitespace(text.substr(0, kMaxPhraseBytes)));
  std::replace_if(
      phrase.begin(), phrase.end(), [](unsigned char c) { return !absl::ascii_isprint(c); }, '?');
  return phrase;
}

}  // namespace

std::string ConnectRequest(const Endpoint& target) {
  const std::string authority = HostHeader(target);
  return absl::StrCat("CONNECT ", authority, " HTTP/1.1\r\nHost: ", authority,
                      "\r\nUser-Agent: Fairlead\r\n\r\n");
}

ProxyAnswer::State ProxyAnswer::Fail(absl::string_view problem) {
  problem_ = std::string(problem);
  state_ = State::kFailed;
  return state_;
}

ProxyAnswer::State ProxyAnswer::Feed(absl::string_view bytes) {
  // An end that was cut in two is found too.
  const std::size_t from = head_.size() < kEndOfHead.size() ? 0 : head_.size() - kEndOfHead.size();
  const std::size_t room = kMaxHeadBytes - head_.size();
  const std::size_t taken = std::min(bytes.size(), room);
  absl::StrAppend(&head_, bytes.substr(0, taken));
  const absl::string_view head = head_;
  const absl::string_view begin = head.substr(0, kVersion.size());
  if (begin != kVersion.substr(0, begin.size())) return Fail("what came is not HTTP/1");
  const std::size_t end = head_.find(kEndOfHead.data(), from, kEndOfHead.size());
  if (end != std::string::npos) {
    excess_ = head.size() - end - kEndOfHead.size() + bytes.size() - taken;
    return ReadStatusLine(head.substr(0, head.find("\r\n")));
  }
  if (head_.size() == kMaxHeadBytes) {
    return Fail(absl::StrCat("its head is larger than ", kMaxHeadBytes, " bytes"));
  }
  return state_;
}

ProxyAnswer::State ProxyAnswer::ReadStatusLine(absl::string_view line) {
  // "HTTP/1.1 200 Connection established"; the phrase and the blank before it may be missing.
  line.remove_prefix(kVersion.size());
  const bool has_minor = !line.empty() && absl::ascii_isdigit(line[0]);
  const absl::string_view rest = line.substr(std::min<std::size_t>(1, line.size()));
  const absl::string_view code = rest.substr(0, 4);
  const bool has_code = code.size() == 4 && code[0] == ' ' && code[1] >= '1' && code[1] <= '5' &&
                        absl::ascii_isdigit(code[2]) && absl::ascii_isdigit(code[3]);
  const bool is_over = rest.size() == 4 || (rest.size() > 4 && rest[4] == ' ');
  if (!has_minor || !has_code || !is_over) return Fail("its status line is not understood");
  if (!absl::SimpleAtoi(code.substr(1), &status_)) return Fail("its status is no number");
  phrase_ = PhraseOf(rest.substr(4));
  state_ = State::kDone;
  return state_;
}

absl::Status TunnelStatus(const Endpoint& proxy, const Endpoint& target,
                          const ProxyAnswer& answer) {
  const std::string who = absl::StrCat("the proxy ", HostHeader(proxy));
  if (answer.state() != ProxyAnswer::State::kDone) {
    const std::string problem =
        answer.state() == ProxyAnswer::State::kFailed ? answer.problem() : "it is not complete";
    return absl::UnavailableError(absl::StrCat(who, " did not answer as a proxy should: ", problem,
                                               "; check that host and port are a proxy's"));
  }
  const std::string said =
      absl::StrCat(answer.status(), answer.phrase().empty() ? "" : " ", answer.phrase());
  if (answer.status() == kProxyAuthenticationRequired) {
    return absl::UnavailableError(
        absl::StrCat(who, " wants a log-in (", said,
                     "): proxies with log-in are not supported; use one without, or have ",
                     HostHeader(target), " allowed without it"));
  }
  if (answer.status() < 200 || answer.status() > 299) {
    return absl::UnavailableError(absl::StrCat(who, " does not connect to ", HostHeader(target),
                                               ": ", said,
                                               "; check that it may connect there and can"));
  }
  if (answer.excess() > 0) {
    return absl::UnavailableError(
        absl::StrCat(who, " said something of its own after connecting to ", HostHeader(target),
                     ": it is not a proxy that can be used"));
  }
  return absl::OkStatus();
}

}  // namespace fairlead::dataplane
