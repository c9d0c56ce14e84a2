// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// See table.h.
#include "console/table.h"

#include <algorithm>
#include <cstddef>

#include "base/plain_text.h"
#include "base/utf8.h"

namespace fairlead::console {
namespace {

std::vector<std::vector<std::string>> Plain(std::vector<std::vector<std::string>> rows) {
  for (auto& row : rows) {
    for (std::string& cell : row) cell = PlainText(cell);
  }
  return rows;
}

}  // namespace

std::string FormatTable(const std::vector<std::vector<std::string>>& cells) {
  const std::vector<std::vector<std::string>> rows = Plain(cells);
  std::vector<std::size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i)
      widths[i] = std::max(widths[i], CountCharacters(row[i]));
  }
  std::string text;
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      line += row[i];
      if (i + 1 < row.size()) line += std::string(widths[i] - CountCharacters(row[i]) + 2, ' ');
    }
    while (!line.empty() && line.back() == ' ') line.pop_back();
    text += line + "\n";
  }
  return text;
}

}  // namespace fairlead::console
