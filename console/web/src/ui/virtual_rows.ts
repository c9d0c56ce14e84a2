// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Which rows of a long list are in the document. Pure.

export interface Window {
  first: number;
  // One past the last.
  end: number;
}

// Rows beyond the visible ones, so that slow drawing shows no gap.
const MARGIN_ROWS = 8;

export function visibleRows(scrollTop: number, height: number, rowHeight: number, count: number): Window {
  const first = Math.floor(scrollTop / rowHeight) - MARGIN_ROWS;
  const end = Math.ceil((scrollTop + height) / rowHeight) + MARGIN_ROWS;
  return {
    first: Math.min(Math.max(0, first), Math.max(0, count - 1)),
    end: Math.min(count, Math.max(0, end)),
  };
}

// Where to scroll so that row `index` is in view; `scrollTop` if it is.
export function scrollToRow(
  index: number,
  scrollTop: number,
  height: number,
  rowHeight: number,
): number {
  const top = index * rowHeight;
  if (top < scrollTop) return top;
  return top + rowHeight > scrollTop + height ? top + rowHeight - height : scrollTop;
}
