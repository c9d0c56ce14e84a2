// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// See cli_mistakes.h.
#include "console/cli_mistakes.h"

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"

namespace fairlead::console {
namespace {

// The app and the subcommands that were named, outermost first.
std::vector<const CLI::App*> Named(const CLI::App& app) {
  std::vector<const CLI::App*> named = {&app};
  while (!named.back()->get_subcommands().empty()) {
    named.push_back(named.back()->get_subcommands().front());
  }
  return named;
}

// "keys create", or "" for the console itself.
std::string PathOf(const std::vector<const CLI::App*>& named) {
  return absl::StrJoin(
      named.begin() + 1, named.end(), " ",
      [](std::string* text, const CLI::App* app) { absl::StrAppend(text, app->get_name()); });
}

std::vector<std::string> CommandsOf(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    names.push_back(command->get_name());
  }
  return names;
}

// What may follow the words that were named: each command takes the flags of those around it.
std::vector<std::string> FlagsOf(const std::vector<const CLI::App*>& named) {
  std::vector<std::string> names;
  for (const CLI::App* app : named) {
    for (const CLI::Option* option : app->get_options()) {
      for (const std::string& name : option->get_lnames()) {
        names.push_back(absl::StrCat("--", name));
      }
    }
  }
  return names;
}

// How many characters must be put in, taken out or replaced to make `b` of `a`.
std::size_t Distance(absl::string_view a, absl::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), 0u);
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i + 1;
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row.back();
}

// The known word that was probably meant; empty if none is near.
std::string Nearest(absl::string_view word, const std::vector<std::string>& known) {
  std::string nearest;
  std::size_t least = std::max<std::size_t>(1, word.size() / 3) + 1;
  for (const std::string& candidate : known) {
    const std::size_t distance = Distance(word, candidate);
    if (distance >= least) continue;
    least = distance;
    nearest = candidate;
  }
  return nearest;
}

// "; did you mean keys create?", or where to look.
std::string Advice(const std::string& path, const std::string& nearest) {
  const std::string before = path.empty() ? "" : absl::StrCat(path, " ");
  if (nearest.empty()) return absl::StrCat("; see ", before, "--help");
  const bool is_flag = absl::StartsWith(nearest, "-");
  return absl::StrCat("; did you mean ", is_flag ? "" : before, nearest, "?");
}

// Whether the command does nothing by itself: it only holds others.
bool OnlyHoldsCommands(const CLI::App& app) {
  const auto positional = [](const CLI::Option* option) { return option->get_positional(); };
  return !CommandsOf(app).empty() && app.get_options(positional).empty();
}

}  // namespace

std::string FindMistake(const CLI::App& app) {
  const std::vector<const CLI::App*> named = Named(app);
  const std::string path = PathOf(named);
  const std::vector<std::string> commands = CommandsOf(*named.back());
  const std::vector<std::string> unknown = app.remaining(/*recurse=*/true);
  if (unknown.empty()) {
    if (!OnlyHoldsCommands(*named.back())) return "";
    return absl::StrCat("which command? ",
                        path.empty() ? "There are" : absl::StrCat(path, " takes"), ": ",
                        absl::StrJoin(commands, ", "), Advice(path, ""));
  }
  const std::string& word = unknown.front();
  if (absl::StartsWith(word, "-")) {
    const std::string flag = word.substr(0, word.find('='));
    return absl::StrCat("there is no flag ", flag, Advice(path, Nearest(flag, FlagsOf(named))));
  }
  if (OnlyHoldsCommands(*named.back())) {
    return absl::StrCat("there is no command ", path, path.empty() ? "" : " ", word,
                        Advice(path, Nearest(word, commands)));
  }
  return absl::StrCat("\"", word, "\" is more than ", path, " takes", Advice(path, ""));
}

}  // namespace fairlead::console
