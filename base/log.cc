// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// See log.h.
#include "base/log.h"

#include <memory>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "spdlog/sinks/stdout_sinks.h"

namespace fairlead {

absl::Status InitLog(absl::string_view program, absl::string_view level) {
  spdlog::level::level_enum parsed;
  if (level == "debug") {
    parsed = spdlog::level::debug;
  } else if (level == "info") {
    parsed = spdlog::level::info;
  } else if (level == "warn") {
    parsed = spdlog::level::warn;
  } else if (level == "error") {
    parsed = spdlog::level::err;
  } else {
    return absl::InvalidArgumentError(
        absl::StrCat("--log_level=", level, " is unknown; use debug, info, warn or error"));
  }
  auto logger = std::make_shared<spdlog::logger>(std::string(program),
                                                 std::make_shared<spdlog::sinks::stderr_sink_mt>());
  logger->set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %l %n: %v", spdlog::pattern_time_type::utc);
  logger->set_level(parsed);
  logger->flush_on(spdlog::level::info);
  spdlog::set_default_logger(std::move(logger));
  return absl::OkStatus();
}

std::string Printable(absl::string_view text) {
  constexpr std::size_t kMaxBytes = 200;
  const bool cut = text.size() > kMaxBytes;
  std::string escaped = absl::CHexEscape(text.substr(0, kMaxBytes));
  if (cut) escaped += "...";
  return escaped;
}

}  // namespace fairlead
