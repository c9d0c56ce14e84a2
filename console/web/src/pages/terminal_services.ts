// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// What this page gives to the sessions of its terminals.
import { effect } from '@preact/signals';
import { methods } from '../api/generated';
import { formatNumber, t } from '../i18n';
import { api, errorText, follow, token } from '../state/app';
import { sentence } from '../state/sentence';
import { timeEdge } from '../terminal/edge_timer';
import type { SessionServices } from '../terminal/session_services';
import { openTunnel } from '../terminal/tunnel';

export const services: SessionServices = {
  createSession: (request) => api.call(methods.createSession, request),
  terminateSession: (name) => api.call(methods.terminateSession, { name, reason: t('terminal.closedEarly') }),
  // Again after the log-in expired, and somebody logged in.
  followSession: (name, onSession) =>
    effect(() => {
      if (token.value !== '') return follow(methods.watchSession, { name }, { onMessage: onSession });
      return undefined;
    }),
  every(milliseconds, action) {
    const timer = setInterval(action, milliseconds);
    return () => clearInterval(timer);
  },
  openTunnel,
  timeEdge,
  pageHost: location.host,
  avoided: new Set(),
  describeError: (error) => sentence(errorText(error)),
  describeSkipped: (bytes) => t('terminal.skipped', { bytes: formatNumber(bytes) }),
  now: () => performance.now(),
};
