// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// The device list beside its stream: what is fetched of a large fleet, and what is shown when calls
// fail and the stream breaks off.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { withPage } from './suite.mjs';
import { quickstart, rest } from './support.mjs';

const at = (path) => new RegExp(`/api/v1/${path}`);
const fail = (route) => route.fulfill({ status: 503, body: '{"code":14,"message":"the store is away"}' });
const waitForFocus = (page, selector) =>
  page.waitForFunction((wanted) => document.activeElement.matches(wanted), selector);
const rowOf = (page, unitId) => page.locator(`[data-device="${unitId}"]`);

// A made-up fleet, as the server would tell of it.
async function withFleet(page, count) {
  const fleet = Array.from({ length: count }, (_none, index) => {
    const unitId = `F${String(index).padStart(5, '0')}`;
    const connection = { state: 'ONLINE', via: 'DIRECT', icg: '', sinceTime: '2026-01-01T00:00:00Z' };
    return { name: `devices/${unitId}`, unitId, osGeneration: 'OS_12', connection, terminal: {}, tags: [], profiles: [] };
  });
  await page.route(at('devices\\?'), (route) => {
    const query = new URL(route.request().url()).searchParams;
    const first = Number(query.get('pageToken') ?? 0);
    const end = first + Number(query.get('pageSize'));
    const devices = fleet.slice(first, end);
    return route.fulfill({ json: { devices, nextPageToken: end < count ? String(end) : '' } });
  });
  await page.routeWebSocket(at('devices:watch'), (socket) =>
    socket.send(JSON.stringify({ type: 'SNAPSHOT_COMPLETE', deviceCount: count })),
  );
}

// Notes from now on the fewest rows that the page shows at any moment; gives that number.
async function watchFewestRows(page) {
  await page.evaluate(() => {
    const rows = () => document.querySelectorAll('[data-device]').length;
    globalThis.fewestRows = rows();
    new MutationObserver(() => (globalThis.fewestRows = Math.min(globalThis.fewestRows, rows()))).observe(document.body, {
      childList: true,
      subtree: true,
    });
  });
  return () => page.evaluate(() => globalThis.fewestRows);
}

describe('the device list', () => {
  const given = withPage();

  it('is loaded again after a failed call', async () => {
    const { page } = given;
    let calls = 0;
    page.expectedReports.push(/status of 503/);
    await page.route(at('devices\\?'), (route) => (++calls === 1 ? fail(route) : route.continue()));
    await page.reload();
    await page.locator('[data-device]').first().waitFor();
  });

  it('fetches no more than the first page of a large fleet, and its count by the stream', async () => {
    const { page } = given;
    await withFleet(page, 2500);
    const calls = [];
    page.on('request', (request) => at('devices\\?').test(request.url()) && calls.push(request.url()));
    await page.reload();
    await page.getByText('Live · Devices: 2,500').waitFor();
    await rowOf(page, 'F00000').waitFor();
    await page.waitForLoadState('networkidle');
    // Twice at the most, if the stream was slow.
    assert.ok(calls.length === 1 || calls.length === 2, calls.join('\n'));
    for (const url of calls) assert.match(url, /\?pageSize=100$/);
  });

  it('reaches the last of many devices by End, and goes back to the row that was left', async () => {
    const { page } = given;
    await withFleet(page, 2500);
    await page.reload();
    await page.getByText('Devices: 2,500').waitFor();
    await page.locator('[data-row="0"]').focus();
    await page.keyboard.press('End');
    await waitForFocus(page, '[data-device="F02499"]');
    await page.keyboard.press('ArrowUp');
    await waitForFocus(page, '[data-device="F02498"]');
    await page.keyboard.press('Space');
    await waitForFocus(page, 'h1');
    await page.goBack();
    await waitForFocus(page, '[data-device="F02498"]');
  });

  it('is told by the server itself of the count alone, then of changes', async () => {
    const { page } = given;
    const frames = [];
    page.on('websocket', (socket) => {
      if (at('devices:watch').test(socket.url())) socket.on('framereceived', ({ payload }) => frames.push(JSON.parse(payload)));
    });
    await rest('POST', '/api/v1/devices', { unitId: 'E2E-LIST-1' });
    await page.reload();
    await page.getByLabel('Search by name or unit ID').fill('E2E-LIST');
    await rowOf(page, 'E2E-LIST-1').waitFor();
    await page.getByText('Live · Devices: 1').waitFor();
    const { type, device, deviceCount } = frames.at(-1);
    assert.deepEqual({ type, device, deviceCount }, { type: 'SNAPSHOT_COMPLETE', device: undefined, deviceCount: 1 });

    await rest('POST', '/api/v1/devices', { unitId: 'E2E-LIST-2' });
    await rowOf(page, 'E2E-LIST-2').waitFor();
    await rest('PATCH', '/api/v1/devices/E2E-LIST-2', { displayName: 'Renamed' });
    await rowOf(page, 'E2E-LIST-2').getByText('Renamed').waitFor();
    await rest('DELETE', '/api/v1/devices/E2E-LIST-1');
    await rowOf(page, 'E2E-LIST-1').waitFor({ state: 'detached' });
    await page.getByText('Live · Devices: 1').waitFor();
    await rest('DELETE', '/api/v1/devices/E2E-LIST-2');
    await page.getByText('No device matches.').waitFor();
  });

  it('shows after an interruption what has changed meanwhile, and is never blank', async () => {
    const { page } = given;
    await rest('POST', '/api/v1/devices', { unitId: 'E2E-AWAY-1' });
    await rest('POST', '/api/v1/devices', { unitId: 'E2E-AWAY-2' });
    let stream;
    // Until this is done no stream begins.
    let ready = Promise.resolve();
    await page.routeWebSocket(at('devices:watch'), async (socket) => {
      stream = socket;
      await ready;
      socket.connectToServer();
    });
    await page.reload();
    await page.getByLabel('Search by name or unit ID').fill('E2E-AWAY');
    await page.getByText('Live · Devices: 2').waitFor();
    await rowOf(page, 'E2E-AWAY-2').waitFor();
    const fewestRows = await watchFewestRows(page);

    let goOn;
    ready = new Promise((resolve) => (goOn = resolve));
    await stream.close({ code: 4503, reason: 'the server restarts' });
    await page.getByText('Not live: the server restarts').waitFor();
    await rest('DELETE', '/api/v1/devices/E2E-AWAY-1');
    await rest('PATCH', '/api/v1/devices/E2E-AWAY-2', { displayName: 'Renamed' });
    await rest('POST', '/api/v1/devices', { unitId: 'E2E-AWAY-3' });
    assert.equal(await rowOf(page, 'E2E-AWAY-1').count(), 1);
    goOn();
    await page.getByText('Live · Devices: 2').waitFor();
    await rowOf(page, 'E2E-AWAY-3').waitFor();
    await rowOf(page, 'E2E-AWAY-2').getByText('Renamed').waitFor();
    assert.equal(await rowOf(page, 'E2E-AWAY-1').count(), 0);
    assert.equal(await fewestRows(), 2);
    for (const unitId of ['E2E-AWAY-2', 'E2E-AWAY-3']) await rest('DELETE', `/api/v1/devices/${unitId}`);
  });

  it('shows devices where no stream can begin', async () => {
    const { page } = given;
    await page.routeWebSocket(at('devices:watch'), (socket) => socket.close({ code: 4429, reason: 'too many streams' }));
    await page.reload();
    await page.locator('[data-device]').first().waitFor();
    await page.getByText('Not live: too many streams').waitFor();
  });

  it('shows devices where a stream does not begin for long', async () => {
    const { page } = given;
    await page.routeWebSocket(at('devices:watch'), () => new Promise(() => {}));
    await page.reload();
    await page.locator('[data-device]').first().waitFor();
    await page.getByText('Not live').waitFor();
  });
});
