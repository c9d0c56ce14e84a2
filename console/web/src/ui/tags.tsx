// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// A device's tags.
import { t } from '../i18n';

interface TagListProps {
  tags: readonly string[];
  // If the person may take them away.
  onRemove?(tag: string): void;
}

export function TagList({ tags, onRemove }: TagListProps) {
  return (
    <span class={onRemove ? 'tags wrap' : 'tags'}>
      {tags.map((tag) => (
        <span key={tag} class="tag" data-tag={tag}>
          {tag}
          {onRemove && (
            <button type="button" class="quiet" aria-label={t('device.removeTag', { tag })} onClick={() => onRemove(tag)}>
              ×
            </button>
          )}
        </span>
      ))}
    </span>
  );
}
