// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Plain text tables for people.
#ifndef FAIRLEAD_CONSOLE_TABLE_H_
#define FAIRLEAD_CONSOLE_TABLE_H_

#include <string>
#include <vector>

namespace fairlead::console {

// Rows of cells, the first one the headings, as left-aligned columns. Cells are made plain
// (PlainText), so that a device's name cannot move the cursor.
std::string FormatTable(const std::vector<std::vector<std::string>>& cells);

}  // namespace fairlead::console

#endif  // FAIRLEAD_CONSOLE_TABLE_H_
