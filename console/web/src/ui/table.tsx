// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// A table that scrolls by itself when it is too wide, with what stands for no rows.
import type { ComponentChildren } from 'preact';
import { t } from '../i18n';
import type { Pages } from './use_pages';

export interface TableProps<Item> {
  label: string;
  columns: readonly string[];
  pages: Pages<Item>;
  empty: string;
  row(item: Item): ComponentChildren;
}

export function Table<Item>({ label, columns, pages, empty, row }: TableProps<Item>) {
  const { items } = pages;
  if (!items) return <p role="status">{t('common.loading')}</p>;
  if (items.length === 0) return <p class="empty">{empty}</p>;
  return (
    <>
      <div class="table-box" tabIndex={0} role="region" aria-label={label}>
        <table>
          <thead>
            <tr>
              {columns.map((column) => (
                <th key={column} scope="col">
                  {column}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>{items.map(row)}</tbody>
        </table>
      </div>
      {pages.hasMore && (
        <p>
          <button type="button" disabled={pages.busy} onClick={() => void pages.loadMore()}>
            {t('common.more')}
          </button>
        </p>
      )}
    </>
  );
}
