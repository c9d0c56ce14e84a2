// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// See router.h.
#include "dataplane/router.h"

#include <cstdio>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "base/status.h"

namespace fairlead::dataplane {
namespace {

// Length of the valid UTF-8 sequence at the start of `text`; 0 if there is none.
std::size_t Utf8SequenceLength(absl::string_view text) {
  const auto byte = [text](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  if (first < 0x80) return 1;
  std::size_t length = 0;
  unsigned char low = 0x80;
  unsigned char high = 0xBF;
  if (first >= 0xC2 && first <= 0xDF) {
    length = 2;
  } else if (first >= 0xE0 && first <= 0xEF) {
    length = 3;
    if (first == 0xE0) low = 0xA0;
    if (first == 0xED) high = 0x9F;
  } else if (first >= 0xF0 && first <= 0xF4) {
    length = 4;
    if (first == 0xF0) low = 0x90;
    if (first == 0xF4) high = 0x8F;
  }
  if (length == 0 || text.size() < length) return 0;
  if (byte(1) < low || byte(1) > high) return 0;
  for (std::size_t i = 2; i < length; ++i) {
    if (byte(i) < 0x80 || byte(i) > 0xBF) return 0;
  }
  return length;
}

void AppendJsonEscaped(char c, std::string& out) {
  switch (c) {
    case '"':
      out += "\\\"";
      return;
    case '\\':
      out += "\\\\";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\t':
      out += "\\t";
      return;
    default:
      break;
  }
  if (static_cast<unsigned char>(c) >= 0x20) {
    out += c;
    return;
  }
  char escaped[8];
  std::snprintf(escaped, sizeof(escaped), "\\u%04x", static_cast<unsigned>(c));
  out += escaped;
}

// A JSON string; bytes that are not UTF-8 become U+FFFD.
std::string JsonString(absl::string_view text) {
  std::string out = "\"";
  while (!text.empty()) {
    const std::size_t length = Utf8SequenceLength(text);
    if (length == 1) {
      AppendJsonEscaped(text[0], out);
    } else if (length == 0) {
      out += "\xEF\xBF\xBD";
    } else {
      absl::StrAppend(&out, text.substr(0, length));
    }
    text.remove_prefix(length == 0 ? 1 : length);
  }
  out += '"';
  return out;
}

bool IsPrefixPattern(const Route& route) { return absl::EndsWith(route.pattern, "*"); }

}  // namespace

void Router::Add(Route route) { routes_.push_back(std::move(route)); }

void Router::SetFallback(RequestHandler handler) { fallback_ = std::move(handler); }

const Route* Router::Find(absl::string_view path) const {
  const Route* best = nullptr;
  for (const Route& route : routes_) {
    if (!IsPrefixPattern(route)) {
      if (path == route.pattern) return &route;
      continue;
    }
    const absl::string_view prefix = absl::StripSuffix(route.pattern, "*");
    if (!absl::StartsWith(path, prefix)) continue;
    if (best == nullptr || best->pattern.size() < route.pattern.size()) best = &route;
  }
  return best;
}

HttpResponse ErrorResponse(const absl::Status& status) {
  const int http_status = HttpStatusFromCode(status.code());
  return ErrorResponse(http_status, status);
}

HttpResponse ErrorResponse(int http_status, const absl::Status& status) {
  HttpResponse response;
  response.status = http_status;
  response.headers.emplace_back("Content-Type", "application/json");
  response.body = absl::StrCat("{\"code\":", static_cast<int>(status.code()),
                               ",\"message\":", JsonString(status.message()), ",\"details\":[]}");
  return response;
}

}  // namespace fairlead::dataplane
