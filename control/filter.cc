// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// See filter.h.
#include "control/filter.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/status.h"
#include "base/utf8.h"
#include "control/device_tags.h"

namespace fairlead::control {
namespace {

constexpr std::size_t kMaxFilterCharacters = 256;
constexpr std::int32_t kMaxPageSize = 1000;
constexpr std::int32_t kDefaultPageSize = 100;

absl::StatusOr<std::vector<std::string>> Terms(absl::string_view text) {
  if (CountCharacters(text) > kMaxFilterCharacters) {
    return absl::InvalidArgumentError(
        absl::StrCat("filter: longer than ", kMaxFilterCharacters, " characters; shorten it"));
  }
  return std::vector<std::string>(absl::StrSplit(text, ' ', absl::SkipWhitespace()));
}

absl::Status BadValue(absl::string_view term, absl::string_view allowed) {
  return absl::InvalidArgumentError(absl::StrCat("filter: \"", term, "\" is not one of ", allowed));
}

// Reads "key=VALUE" of an enum into `field`. `parse` is the generated one of the enum.
template <typename Enum, typename ParseFunction>
absl::Status ReadEnum(absl::string_view term, absl::string_view value, ParseFunction parse,
                      absl::string_view allowed, absl::optional<Enum>& field) {
  Enum parsed;
  if (!parse(std::string(value), &parsed) || parsed == Enum{}) return BadValue(term, allowed);
  field = parsed;
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<DeviceFilter> DeviceFilter::Parse(absl::string_view text) {
  FAIRLEAD_ASSIGN_OR_RETURN(const std::vector<std::string> terms, Terms(text));
  DeviceFilter filter;
  for (absl::string_view term : terms) {
    absl::string_view value = term;
    if (absl::ConsumePrefix(&value, "state=")) {
      FAIRLEAD_RETURN_IF_ERROR(ReadEnum(term, value, v1::Connection::State_Parse,
                                        "state=ONLINE, state=OFFLINE", filter.state_));
    } else if (absl::ConsumePrefix(&value, "via=")) {
      FAIRLEAD_RETURN_IF_ERROR(
          ReadEnum(term, value, v1::Connection::Via_Parse, "via=DIRECT, via=ICG", filter.via_));
    } else if (absl::ConsumePrefix(&value, "os=")) {
      FAIRLEAD_RETURN_IF_ERROR(
          ReadEnum(term, value, v1::Device::OsGeneration_Parse, "os=OS_11, os=OS_12", filter.os_));
    } else if (absl::ConsumePrefix(&value, "icg=")) {
      FAIRLEAD_RETURN_IF_ERROR(ParseName(value, "icgs", "filter: icg").status());
      filter.icg_ = std::string(value);
    } else if (absl::ConsumePrefix(&value, "tag=")) {
      FAIRLEAD_RETURN_IF_ERROR(CheckTag(value));
      filter.tags_.push_back(std::string(value));
    } else {
      filter.words_.push_back(absl::AsciiStrToLower(term));
    }
  }
  return filter;
}

bool DeviceFilter::Matches(const v1::Device& device) const {
  const v1::Connection& connection = device.connection();
  if (state_.has_value() && connection.state() != *state_) return false;
  if (via_.has_value() && connection.via() != *via_) return false;
  if (os_.has_value() && device.os_generation() != *os_) return false;
  if (icg_.has_value() && connection.icg() != *icg_) return false;
  const bool tagged = std::all_of(tags_.begin(), tags_.end(),
                                  [&](const std::string& tag) { return HasTag(device, tag); });
  if (!tagged) return false;
  if (words_.empty()) return true;
  const std::string unit_id = absl::AsciiStrToLower(device.unit_id());
  const std::string display_name = absl::AsciiStrToLower(device.display_name());
  return std::all_of(words_.begin(), words_.end(), [&](const std::string& word) {
    return absl::StrContains(unit_id, word) || absl::StrContains(display_name, word);
  });
}

absl::StatusOr<SessionFilter> SessionFilter::Parse(absl::string_view text) {
  FAIRLEAD_ASSIGN_OR_RETURN(const std::vector<std::string> terms, Terms(text));
  SessionFilter filter;
  for (absl::string_view term : terms) {
    absl::string_view value = term;
    if (absl::ConsumePrefix(&value, "state=")) {
      FAIRLEAD_RETURN_IF_ERROR(ReadEnum(term, value, v1::Session::State_Parse,
                                        "state=OPENING, state=ACTIVE, state=ENDED", filter.state_));
    } else if (absl::ConsumePrefix(&value, "device=")) {
      FAIRLEAD_RETURN_IF_ERROR(ParseName(value, "devices", "filter: device").status());
      filter.device_ = std::string(value);
    } else if (absl::ConsumePrefix(&value, "user=")) {
      FAIRLEAD_RETURN_IF_ERROR(ParseName(value, "users", "filter: user").status());
      filter.user_ = std::string(value);
    } else {
      return absl::InvalidArgumentError(
          absl::StrCat("filter: \"", term, "\" is not known; use state=, device= or user= terms"));
    }
  }
  return filter;
}

bool SessionFilter::Matches(const v1::Session& session) const {
  return (!state_.has_value() || session.state() == *state_) &&
         (!device_.has_value() || session.device() == *device_) &&
         (!user_.has_value() || session.user() == *user_);
}

absl::StatusOr<Page> ParsePage(std::int32_t page_size, absl::string_view page_token) {
  if (page_size < 0 || page_size > kMaxPageSize) {
    return absl::InvalidArgumentError(absl::StrCat("page_size: ", page_size,
                                                   " is out of range; use 1 to ", kMaxPageSize,
                                                   ", or 0 for ", kDefaultPageSize));
  }
  Page page;
  page.size = page_size == 0 ? kDefaultPageSize : page_size;
  page.token = std::string(page_token);
  return page;
}

absl::StatusOr<std::string> ParseName(absl::string_view name, absl::string_view collection,
                                      absl::string_view field) {
  absl::string_view id = name;
  if (!absl::ConsumePrefix(&id, collection) || !absl::ConsumePrefix(&id, "/") || id.empty() ||
      id.size() > 128 || absl::StrContains(id, "/")) {
    return absl::InvalidArgumentError(absl::StrCat(field, ": \"", CutUtf8(name, 200),
                                                   "\" is not of the form ", collection, "/{id}"));
  }
  return std::string(id);
}

std::string PageTokenAfter(absl::string_view name) { return absl::WebSafeBase64Escape(name); }

absl::StatusOr<std::string> ParsePageToken(absl::string_view token, absl::string_view collection) {
  if (token.empty()) return std::string();
  std::string name;
  // Base64 has several spellings of the same bytes; a list gives one.
  if (absl::WebSafeBase64Unescape(token, &name) && PageTokenAfter(name) == token) {
    absl::StatusOr<std::string> id = ParseName(name, collection);
    if (id.ok()) return id;
  }
  return absl::InvalidArgumentError(absl::StrCat("page_token: not one that a list of ", collection,
                                                 " returned; start again without one"));
}

}  // namespace fairlead::control
