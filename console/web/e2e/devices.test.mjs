// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Log-in, how the page is served, and the devices: list, tags, a device's page.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { assertAccessible, withPage } from './suite.mjs';
import { banner, deviceOf, newPage, opened, panelOf, quickstart, rest, run } from './support.mjs';

describe('log-in and devices', () => {
  const given = withPage();

  it('refuses a wrong password with a sentence', async () => {
    const other = await newPage(given.browser);
    await other.goto(quickstart.url);
    await other.getByLabel('User name').fill('nobody');
    await other.getByLabel('Password').fill('wrong');
    await other.getByRole('button', { name: 'Log in' }).click();
    assert.match(await other.locator('p.error').innerText(), /wrong|password/i);
    await assertAccessible(other, 'log-in');
    await other.context().close();
  });

  it('is served with a strict policy, tags and compressed, and kept for good by hash', async () => {
    const { page } = given;
    const index = await page.request.get(quickstart.url, { headers: { 'accept-encoding': 'br' } });
    const headers = index.headers();
    assert.equal(headers['content-encoding'], 'br');
    assert.equal(headers['cache-control'], 'no-cache');
    assert.match(headers['content-security-policy'], /default-src 'self'/);
    assert.doesNotMatch(headers['content-security-policy'], /script-src[^;]*unsafe/);
    const again = await page.request.get(quickstart.url, {
      headers: { 'accept-encoding': 'br', 'if-none-match': headers.etag },
    });
    assert.equal(again.status(), 304);
    const script = /assets\/index-[\w-]+\.js/.exec(await index.text())[0];
    const asset = await page.request.get(`${quickstart.url}/${script}`);
    assert.match(asset.headers()['cache-control'], /immutable/);
  });

  it('finds a device by keyboard alone and opens a terminal', async () => {
    const { page } = given;
    const id = deviceOf('OS12_DIRECT');
    await page.goto(`${quickstart.url}/#/devices`);
    await page.locator('[data-device]').first().waitFor();
    // Away from the search field, which has the focus at first.
    await page.getByRole('heading', { name: 'Devices' }).click();
    await page.keyboard.press('/');
    await page.keyboard.type(id.toLowerCase());
    await page.locator(`[data-device="${id}"]`).waitFor();
    await page.waitForFunction(() => document.querySelectorAll('[data-device]').length === 1);
    await page.keyboard.press('ArrowDown');
    await page.waitForFunction((unit) => document.activeElement?.dataset.device === unit, id);
    await page.keyboard.press('Enter');
    const panel = panelOf(page, id);
    await opened(panel);
    await run(page, panel, 'exit');
    await banner(panel).waitFor();
    await page.getByRole('button', { name: 'Close the terminal' }).click();
  });

  it('gives a device tags on its page, and filters the list by them', async () => {
    const { page } = given;
    const id = deviceOf('OS12_ICG');
    await page.goto(`${quickstart.url}/#/devices/${id}`);
    await page.getByLabel('Add tags').fill('e2e-till, Köln');
    await page.keyboard.press('Enter');
    await page.locator('[data-tag="e2e-till"]').waitFor();
    await page.locator('[data-tag="Köln"]').waitFor();
    await assertAccessible(page, 'a device with tags');
    await page.getByLabel('Add tags').fill('bad\u202etag');
    await page.getByRole('button', { name: 'Add', exact: true }).click();
    await page.getByText('cannot be one; use 1 to 64 characters').waitFor();

    await page.goto(`${quickstart.url}/#/devices`);
    await page.getByLabel('Search by name or unit ID').fill('');
    await page.getByLabel('Tags', { exact: true }).fill('E2E-TILL nosuch');
    await page.getByText('No device matches.').waitFor();
    await page.getByLabel('Tags', { exact: true }).fill('E2E-TILL Köln');
    await page.locator(`[data-device="${id}"]`).getByText('Köln').waitFor();
    assert.equal(await page.locator('[data-device]').count(), 1);
    await assertAccessible(page, 'filtered by tag');
    await page.getByLabel('OS', { exact: true }).selectOption('OS_11');
    await page.getByText('No device matches.').waitFor();
    await page.getByLabel('OS', { exact: true }).selectOption('');
    const row = page.locator(`[data-device="${id}"]`);
    await row.waitFor();
    // Live: what loses the tag leaves the list.
    await rest('POST', `/api/v1/devices/${id}:changeTags`, { remove: ['Köln'] });
    await row.waitFor({ state: 'detached' });
    await page.getByLabel('Tags', { exact: true }).fill('');

    await page.goto(`${quickstart.url}/#/devices/${id}`);
    await page.getByRole('button', { name: 'Remove the tag e2e-till' }).click();
    await page.locator('[data-tag="e2e-till"]').waitFor({ state: 'detached' });
    assert.equal(await page.evaluate(() => document.activeElement.tagName), 'INPUT');
  });

  it('tells that a device was deleted, on its page', async () => {
    const { page } = given;
    await rest('POST', '/api/v1/devices', { unitId: 'E2E-GONE' });
    await page.goto(`${quickstart.url}/#/devices/E2E-GONE`);
    await page.getByRole('button', { name: 'Add', exact: true }).waitFor();
    await rest('DELETE', '/api/v1/devices/E2E-GONE');
    await page.getByText('There is no device with this unit ID').waitFor();
    await page.reload();
    await page.getByText('There is no device with this unit ID').waitFor();
    assert.equal(await page.getByRole('button', { name: 'Open terminal' }).count(), 0);
  });
});
