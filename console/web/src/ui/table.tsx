// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// A table that scrolls by itself when it is too large, with what stands for no rows.
import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { t } from '../i18n';
import { errorText } from '../state/app';
import type { Pages } from './use_pages';

export interface TableProps<Item> {
  label: string;
  columns: readonly string[];
  pages: Pages<Item>;
  empty: string;
  row(item: Item): ComponentChildren;
}

export function Table<Item>({ label, columns, pages, empty, row }: TableProps<Item>) {
  const { items, error } = pages;
  const box = useRef<HTMLDivElement>(null);
  const pressed = useRef(false);
  useEffect(() => {
    // The button went with the last page.
    if (pressed.current && !pages.hasMore) box.current?.focus();
    if (!pages.hasMore) pressed.current = false;
  }, [pages.hasMore]);
  const more = () => {
    pressed.current = true;
    void pages.loadMore();
  };
  const failure = error !== undefined && <Failure error={error} onRetry={() => void pages.refresh()} />;
  if (!items) return failure || <p role="status">{t('common.loading')}</p>;
  if (items.length === 0) return failure || <p class="empty">{empty}</p>;
  return (
    <>
      {failure}
      <div class="table-box" ref={box} tabIndex={0} role="region" aria-label={label}>
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
          <button type="button" onClick={more}>
            {t('common.more')}
          </button>
        </p>
      )}
    </>
  );
}

interface FailureProps {
  error: unknown;
  onRetry(): void;
}

// What stands for rows that could not be loaded.
export function Failure({ error, onRetry }: FailureProps) {
  return (
    <div class="banner alarm" role="alert">
      <p>
        <strong>{t('common.notLoaded')}</strong> {errorText(error)}
      </p>
      <button type="button" onClick={onRetry}>
        {t('common.retry')}
      </button>
    </div>
  );
}
