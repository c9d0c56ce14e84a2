// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// What to do when the browser cannot reach an ICG.
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { methods, type Icg } from '../api/generated';
import { t } from '../i18n';
import { api } from '../state/app';
import { edgePage, probeEdge, type EdgeFinding } from '../terminal/edge_probe';
import type { Ending } from '../terminal/ending';
import { openTunnel } from '../terminal/tunnel';

interface Props {
  edge: Omit<NonNullable<Ending['edge']>, 'finding'> & { finding: EdgeFinding | 'unknown' };
  onReachable(): void;
}

export function EdgeHelp({ edge, onReachable }: Props) {
  const icg = useSignal<Icg | undefined>(undefined);
  const finding = useSignal(edge.finding);
  const busy = useSignal(false);
  useEffect(() => {
    api.call(methods.listIcgs, { pageSize: 1000 }).then(
      (page) => (icg.value = page.icgs.find(({ name }) => name === edge.icg)),
      // A person who may not see ICGs can do without.
      () => {},
    );
  }, []);

  const check = async () => {
    busy.value = true;
    finding.value = await probeEdge(openTunnel, edge.url);
    busy.value = false;
    if (finding.value === 'reachable') onReachable();
  };
  const { host } = new URL(edge.url);
  return (
    <div data-edge={finding.value}>
      {finding.value !== edge.finding && finding.value !== 'unknown' && <p>{t(`edge.${finding.value}`, { host })}</p>}
      <p>{t('edge.help')}</p>
      {icg.value && (
        <p>
          {icg.value.state === 'CONNECTED'
            ? t('edge.linked')
            : t('edge.notLinked', { error: icg.value.lastError || t('icgs.DISCONNECTED') })}
        </p>
      )}
      <div class="buttons start">
        <a class="button" href={edgePage(edge.url)} target="_blank" rel="noopener noreferrer">
          {t('edge.open')}
        </a>
        <button type="button" disabled={busy.value} onClick={() => void check()}>
          {t('edge.check')}
        </button>
      </div>
    </div>
  );
}
