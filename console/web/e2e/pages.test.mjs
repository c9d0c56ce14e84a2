// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// What pages do when something goes wrong or changes meanwhile: failed calls, another administrator,
// an expired log-in, sessions that grow, small windows; and where the focus is.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { assertAccessible, withPage } from './suite.mjs';
import { deviceOf, newPage, quickstart, rest } from './support.mjs';

const at = (path) => new RegExp(`/api/v1/${path}`);
const fail = (route) => route.fulfill({ status: 503, body: '{"code":14,"message":"the store is away"}' });
const focused = (page) => page.evaluate(() => document.activeElement.outerHTML.slice(0, 200));
const waitForFocus = (page, selector) =>
  page.waitForFunction((wanted) => document.activeElement.matches(wanted), selector);
const visit = (page, route) => page.goto(`${quickstart.url}/#/${route}`);

function sessionOf(number) {
  const timeline = [{ step: 'CONSOLE_REQUESTED', time: '2026-01-01T00:00:00Z' }];
  const end = { cause: 'PROGRAM_ENDED', exitCode: 0, bytesToConsole: '1', bytesToDevice: '1', message: 'all is well' };
  const name = `sessions/${number}`;
  return { name, device: 'devices/X', user: 'users/admin', flow: 'OS12_DIRECT', state: 'ENDED', reason: '', timeline, end };
}

describe('pages', () => {
  const given = withPage();

  it('show that a list failed, and load it again', async () => {
    const { page } = given;
    page.expectedReports.push(/status of 503/);
    for (const [path, route] of [['firstAuthenticationKeys', 'keys'], ['icgs', 'icgs'], ['auditEvents', 'audit']]) {
      await page.route(at(path), fail);
      await visit(page, route);
      await page.getByText('The store is away.').first().waitFor();
      assert.equal(await page.locator('main:not([hidden]) .empty').count(), 0);
      await page.unroute(at(path));
      await page.getByRole('button', { name: 'Try again' }).click();
      await page.locator('tbody tr').first().waitFor();
    }
  });

  it('send only the settings that a person has changed, and show what others change', async () => {
    const { page } = given;
    const id = deviceOf('OS11_DIRECT');
    const settings = `/api/v1/devices/${id}/terminalSettings`;
    await rest('PATCH', settings, { idleTimeout: '90s' });
    await visit(page, `devices/${id}`);
    await page.getByLabel('Display name').fill('Mended');
    await rest('PATCH', settings, { enabled: false, maxSessions: 7 });
    await page.waitForFunction(() => !document.querySelector('form.card input[type=checkbox]').checked);
    assert.equal(await page.getByLabel('Terminals at once').inputValue(), '7');
    assert.equal(await page.getByLabel('Display name').inputValue(), 'Mended');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('Saved.').waitFor();
    const device = await rest('GET', `/api/v1/devices/${id}`);
    assert.equal(device.displayName, 'Mended');
    assert.equal(device.terminal.enabled, false);
    assert.equal(device.terminal.idleTimeout, '90s');

    await page.getByLabel('Terminals at once').fill('');
    await page.getByRole('button', { name: 'Save' }).click();
    assert.equal(await page.getByLabel('Terminals at once').evaluate((input) => input.validity.valid), false);
    await page.getByLabel('Terminals at once').fill('16');
    await page.getByLabel('Never end when idle').check();
    await page.getByLabel('Terminals may be opened').check();
    await page.getByRole('button', { name: 'Save' }).click();
    await page.locator('.banner.good').waitFor();
    assert.equal((await rest('GET', `/api/v1/devices/${id}`)).terminal.idleTimeout, '0s');
    await assertAccessible(page, 'the settings of a device');
    await rest('PATCH', `/api/v1/devices/${id}`, { displayName: '' });
  });

  it('ask for the log-in when a stream finds that it has ended', async () => {
    const { page } = given;
    await page.routeWebSocket(at('devices:watch'), (socket) =>
      socket.close({ code: 4401, reason: 'the token has expired or was revoked; log in again' }),
    );
    await page.reload();
    await page.getByText('Your log-in has expired').waitFor();
    await page.getByLabel('Password').waitFor();
  });

  it('log out at once, though the server does not answer', async () => {
    const { page } = given;
    await page.route(at('logout'), () => {});
    await page.getByRole('button', { name: 'Log out' }).click();
    await page.getByLabel('Password').waitFor();
    assert.equal(await page.evaluate(() => sessionStorage.getItem('fairlead.token')), null);
  });

  it('keep the sessions that were loaded while new ones come', async () => {
    const { page } = given;
    let newest = 250;
    await page.route(at('sessions\\?'), (route) => {
      const query = new URL(route.request().url()).searchParams;
      const first = Number(query.get('pageToken') || newest);
      const end = Math.max(0, first - Number(query.get('pageSize')));
      const sessions = Array.from({ length: first - end }, (_none, index) => sessionOf(first - index));
      return route.fulfill({ json: { sessions, nextPageToken: end > 0 ? String(end) : '' } });
    });
    await visit(page, 'sessions');
    await page.getByLabel('running only').uncheck();
    await page.getByRole('button', { name: 'Load more' }).click();
    await page.locator('[data-session="sessions/51"]').waitFor({ state: 'attached' });
    newest = 251;
    await page.locator('[data-session="sessions/251"]').waitFor({ state: 'attached' });
    assert.equal(await page.locator('[data-session="sessions/51"]').count(), 1);
    await page.getByRole('columnheader', { name: 'How it ended' }).waitFor();
    await page.getByText('All is well.').first().waitFor();
  });

  it('keep the filter of the device list in the address', async () => {
    const { page } = given;
    const id = deviceOf('OS12_ICG');
    await page.getByLabel('Search by name or unit ID').fill(id);
    await page.waitForURL(`**/#/devices?q=${id}`);
    await page.getByLabel('State').selectOption('ONLINE');
    await page.waitForURL(`**/#/devices?q=${id}&state=ONLINE`);
    await page.reload();
    await page.locator(`[data-device="${id}"]`).waitFor();
    assert.equal(await page.locator('[data-device]').count(), 1);
    assert.equal(await page.getByLabel('State').inputValue(), 'ONLINE');
    await page.getByRole('link', { name: 'Sessions' }).click();
    await page.goBack();
    await page.waitForFunction(() => document.querySelectorAll('[data-device]').length === 1);
  });

  it('take no late answer to an earlier filter', async () => {
    const { page } = given;
    let release;
    const held = new Promise((resolve) => (release = resolve));
    await page.route(at('auditEvents\\?pageSize'), async (route) => {
      await held;
      await route.continue().catch(() => {});
    });
    await visit(page, 'audit');
    await page.getByLabel('Filter').fill('action=auth.login');
    await page.getByRole('button', { name: 'Apply' }).click();
    await page.locator('tbody tr').first().waitFor();
    const before = await page.locator('tbody').innerText();
    release();
    await page.waitForLoadState('networkidle');
    assert.equal(await page.locator('tbody').innerText(), before);
  });

  it('keep the focus where it can be used', async () => {
    const { page } = given;
    const other = await newPage(given.browser);
    await other.goto(quickstart.url);
    await other.getByLabel('User name').fill('nobody');
    await other.getByLabel('Password').fill('wrong');
    await other.keyboard.press('Enter');
    await other.locator('p.error').waitFor();
    await waitForFocus(other, 'input[type=password]');
    await other.context().close();
    await page.getByRole('link', { name: 'Sessions' }).click();
    await waitForFocus(page, 'h1');
    await page.goBack();
    await page.getByRole('heading', { name: 'Devices' }).waitFor();
    await waitForFocus(page, 'input[type=search]');
  });

  it('ask before a key is disabled, and before its secret is lost', async () => {
    const { page } = given;
    const name = `e2e-once-${Date.now()}`;
    await visit(page, 'keys');
    await page.getByRole('button', { name: 'Create a key' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Name').fill(name);
    await dialog.getByLabel('Expires after days').fill('');
    await dialog.getByRole('button', { name: 'Create a key' }).click();
    assert.equal(await dialog.getByLabel('Expires after days').evaluate((input) => input.validity.valid), false);
    await dialog.getByLabel('Never expires').check();
    await dialog.getByRole('button', { name: 'Create a key' }).click();
    await page.locator('[data-secret]').waitFor();
    await page.keyboard.press('Escape');
    await page.getByText('Close without copying the key?').waitFor();
    await page.keyboard.press('Escape');
    await page.getByText('Close without copying the key?').waitFor({ state: 'detached' });
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'Close anyway' }).click();
    await page.locator('[data-secret]').waitFor({ state: 'detached' });

    const row = page.getByRole('row', { name: new RegExp(name) });
    await row.getByText('never').waitFor();
    await row.getByRole('button').click();
    await page.keyboard.press('Escape');
    await row.getByText('valid').waitFor();
    await row.getByRole('button').click();
    await page.getByRole('dialog').getByRole('button', { name: 'Disable' }).click();
    await row.getByText('disabled').waitFor();
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    assert.match(await focused(page), /^<tr/);
  });

  it('say that a key is used up', async () => {
    const { page } = given;
    await visit(page, 'keys');
    const row = page.getByRole('row', { name: /quickstart/ }).first();
    await row.getByText('used', { exact: true }).waitFor();
    assert.equal(await row.getByRole('button').count(), 0);
  });

  it('take over settings that another tab has changed', async () => {
    const { page } = given;
    const other = await page.context().newPage();
    await other.goto(quickstart.url);
    await other.getByLabel('Theme').selectOption('dark');
    await page.waitForFunction(() => document.documentElement.dataset.theme === 'dark');
    await page.getByRole('button', { name: 'Settings' }).click();
    await page.getByLabel('Ask before pasting several lines').uncheck();
    await other.waitForFunction(() => JSON.parse(localStorage.getItem('fairlead.settings')).confirmPaste === false);
    assert.equal(await other.evaluate(() => document.documentElement.dataset.theme), 'dark');
  });

  it('answer a wrong password in German', async () => {
    const german = await newPage(given.browser, { locale: 'de-DE' });
    await german.goto(quickstart.url);
    await german.getByLabel('Benutzername').fill('nobody');
    await german.getByLabel('Passwort').fill('wrong');
    await german.getByRole('button', { name: 'Anmelden' }).click();
    await german.getByText('Benutzername oder Passwort ist falsch.').waitFor();
    await german.context().close();
  });

  it('fit into small windows', async () => {
    const { page } = given;
    for (const [width, height] of [[1024, 700], [390, 844], [320, 568]]) {
      await page.setViewportSize({ width, height });
      await visit(page, 'devices');
      const button = page.locator('[data-device]').first().getByRole('button');
      await button.scrollIntoViewIfNeeded();
      const box = await button.boundingBox();
      assert.ok(box.x >= 0 && box.x + box.width <= width, `${width}: the button ends at ${box.x + box.width}`);
      const header = await page.locator('header').boundingBox();
      assert.ok(header.height < 100, `${width}: the header is ${header.height} high`);
      for (const route of ['devices', 'sessions', 'audit', 'keys', 'icgs', `devices/${deviceOf('OS12_ICG')}`]) {
        await visit(page, route);
        await page.locator('main:not([hidden]) h1').waitFor();
        const { scrollWidth, clientWidth } = await page.locator('main:not([hidden])').evaluate(({ scrollWidth, clientWidth }) => ({ scrollWidth, clientWidth }));
        assert.ok(!(scrollWidth > clientWidth), `${route} at ${width}`);
        await assertAccessible(page, `${route} at ${width}`);
      }
    }
  });
});
