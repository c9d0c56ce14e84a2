// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// See http.h.
#include "dataplane/http.h"

#include <cstdint>
#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace fairlead::dataplane {
namespace {

constexpr std::size_t kMaxMessageShown = 1000;

void AppendUtf8(std::uint32_t code_point, std::string& out) {
  if (code_point < 0x80) {
    out += static_cast<char>(code_point);
  } else if (code_point < 0x800) {
    out += static_cast<char>(0xC0 | (code_point >> 6));
    out += static_cast<char>(0x80 | (code_point & 0x3F));
  } else {
    out += static_cast<char>(0xE0 | (code_point >> 12));
    out += static_cast<char>(0x80 | ((code_point >> 6) & 0x3F));
    out += static_cast<char>(0x80 | (code_point & 0x3F));
  }
}

// Takes one escape, after its backslash, from `text`. False if there is no such escape.
bool TakeEscape(absl::string_view& text, std::string& out) {
  if (text.empty()) return false;
  const char kind = text[0];
  text.remove_prefix(1);
  switch (kind) {
    case 'n':
      out += '\n';
      return true;
    case 't':
      out += '\t';
      return true;
    case 'b':
    case 'f':
    case 'r':
      out += ' ';
      return true;
    case 'u': {
      std::uint32_t code_point = 0;
      if (text.size() < 4 || !absl::SimpleHexAtoi(text.substr(0, 4), &code_point)) return false;
      text.remove_prefix(4);
      // Half of a surrogate pair: such characters do not occur in our messages.
      AppendUtf8(code_point >= 0xD800 && code_point < 0xE000 ? 0xFFFD : code_point, out);
      return true;
    }
    default:
      out += kind;
      return true;
  }
}

// Whether `text` begins with the JSON key `name`, white space allowed; it is then consumed.
bool ConsumeKey(absl::string_view& text, absl::string_view name) {
  absl::string_view rest = text;
  if (!absl::ConsumePrefix(&rest, absl::StrCat("\"", name, "\""))) return false;
  rest = absl::StripLeadingAsciiWhitespace(rest);
  if (!absl::ConsumePrefix(&rest, ":")) return false;
  text = absl::StripLeadingAsciiWhitespace(rest);
  return true;
}

// The string value of the first key `name` in a JSON object.
std::optional<std::string> JsonStringField(absl::string_view json, absl::string_view name) {
  for (; !json.empty(); json.remove_prefix(1)) {
    if (json[0] != '"' || !ConsumeKey(json, name)) continue;
    if (!absl::ConsumePrefix(&json, "\"")) return std::nullopt;
    std::string value;
    while (!json.empty() && json[0] != '"' && value.size() < kMaxMessageShown) {
      const char c = json[0];
      json.remove_prefix(1);
      if (c != '\\') {
        value += c;
      } else if (!TakeEscape(json, value)) {
        return std::nullopt;
      }
    }
    return value;
  }
  return std::nullopt;
}

// The value of the first key "code" if it is that of a gRPC error.
std::optional<absl::StatusCode> JsonCode(absl::string_view json) {
  for (; !json.empty(); json.remove_prefix(1)) {
    if (json[0] != '"' || !ConsumeKey(json, "code")) continue;
    const std::size_t end = json.find_first_not_of("0123456789");
    int code = 0;
    if (!absl::SimpleAtoi(json.substr(0, end), &code) || code < 1 || code > 16) {
      return std::nullopt;
    }
    return static_cast<absl::StatusCode>(code);
  }
  return std::nullopt;
}

absl::StatusCode CodeFromHttpStatus(int status) {
  switch (status) {
    case 400:
    case 413:
    case 431:
      return absl::StatusCode::kInvalidArgument;
    case 401:
      return absl::StatusCode::kUnauthenticated;
    case 403:
      return absl::StatusCode::kPermissionDenied;
    case 404:
      return absl::StatusCode::kNotFound;
    case 408:
    case 504:
      return absl::StatusCode::kDeadlineExceeded;
    case 409:
      return absl::StatusCode::kAborted;
    case 429:
      return absl::StatusCode::kResourceExhausted;
    case 499:
      return absl::StatusCode::kCancelled;
    case 500:
      return absl::StatusCode::kInternal;
    case 501:
      return absl::StatusCode::kUnimplemented;
    case 502:
    case 503:
      return absl::StatusCode::kUnavailable;
    default:
      return status < 500 ? absl::StatusCode::kFailedPrecondition : absl::StatusCode::kUnknown;
  }
}

}  // namespace

absl::string_view FindHeader(const HttpHeaders& headers, absl::string_view name) {
  for (const auto& [key, value] : headers) {
    if (absl::EqualsIgnoreCase(key, name)) return value;
  }
  return absl::string_view();
}

absl::Status StatusFromResponse(const HttpResponse& response) {
  if (response.status < 400) return absl::OkStatus();
  const std::optional<std::string> message = JsonStringField(response.body, "message");
  if (!message.has_value() || message->empty()) {
    return absl::Status(CodeFromHttpStatus(response.status),
                        absl::StrCat("the server answered with HTTP status ", response.status));
  }
  return absl::Status(JsonCode(response.body).value_or(CodeFromHttpStatus(response.status)),
                      *message);
}

}  // namespace fairlead::dataplane
