// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// What the device list is filtered by, beside the search. Used by the device list.
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { methods } from '../api/generated';
import { t } from '../i18n';
import { api } from '../state/app';
import type { DeviceChoice } from '../state/device_choice';
import { Choice, Field } from '../ui/field';

interface DeviceFiltersProps {
  chosen: DeviceChoice;
  // Tags to suggest.
  known: readonly string[];
  set(changes: Partial<DeviceChoice>): void;
}

export function DeviceFilters({ chosen, set, known }: DeviceFiltersProps) {
  const icgs = useSignal<string[]>([]);
  useEffect(() => {
    api.call(methods.listIcgs, { pageSize: 1000 }).then(
      (page) => (icgs.value = page.icgs.map((icg) => icg.name)),
      // A person who may not see ICGs can do without.
      () => {},
    );
  }, []);
  return (
    <>
      <Choice
        label={t('devices.state')}
        value={chosen.state}
        options={[
          ['', t('common.all')],
          ['ONLINE', t('devices.online')],
          ['OFFLINE', t('devices.offline')],
        ]}
        onChange={(state) => set({ state })}
      />
      <Choice
        label={t('devices.os')}
        value={chosen.os}
        options={[
          ['', t('common.all')],
          ['OS_12', 'OS 12'],
          ['OS_11', 'OS 11'],
        ]}
        onChange={(os) => set({ os })}
      />
      <Choice
        label={t('devices.via')}
        value={chosen.via}
        options={[
          ['', t('common.all')],
          ['DIRECT', t('devices.direct')],
          ...icgs.value.map((icg) => [icg, icg.replace('icgs/', 'ICG ')] as const),
        ]}
        onChange={(via) => set({ via })}
      />
      <Field
        label={t('devices.tags')}
        type="search"
        size={14}
        spellcheck={false}
        autocomplete="off"
        list="known-tags"
        value={chosen.tags}
        onInput={(event) => set({ tags: event.currentTarget.value })}
      />
      <datalist id="known-tags">
        {known.map((tag) => (
          <option key={tag} value={tag} />
        ))}
      </datalist>
    </>
  );
}
