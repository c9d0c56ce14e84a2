// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// What stands around terminals in Chromium: tabs, tiles, the focus, narrow windows, closing and opening
// again, profile and reason.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { assertAccessible, withPage } from './suite.mjs';
import {
  activeSessions,
  banner,
  deviceOf,
  openByList,
  opened,
  panelOf,
  pasteText,
  quickstart,
  rest,
  run,
  shows,
} from './support.mjs';

const MORE_THAN_A_DEVICE_QUEUES = 20 * 1024 * 1024;
const DEVICE = deviceOf('OS12_DIRECT');
const focused = (page) =>
  page.evaluate(() => {
    const element = document.activeElement;
    return element.closest('.screen') ? 'terminal' : element.textContent.trim() || element.tagName;
  });
const within = async (page, locator) => {
  const box = await locator.boundingBox();
  const { width, height } = page.viewportSize();
  return box.x >= 0 && box.y >= 0 && box.x + box.width <= width && box.y + box.height <= height;
};

// Waits until `fact` gives what is expected.
async function becomes(fact, expected) {
  const end = Date.now() + 10_000;
  for (;;) {
    const given = await fact();
    if (given === expected) return;
    if (Date.now() > end) assert.equal(given, expected);
    await new Promise((done) => setTimeout(done, 50));
  }
}

describe('around terminals', () => {
  const given = withPage();

  it('numbers several on one device, keeps the active tab in view, and the focus where it belongs', async () => {
    const { page } = given;
    await page.setViewportSize({ width: 500, height: 700 });
    for (let number = 1; number <= 4; ++number) await openByList(page, DEVICE);
    const tabs = page.getByRole('tab');
    assert.match(await tabs.nth(0).innerText(), /\(00E0C5000001\)$/);
    assert.match(await tabs.nth(3).innerText(), /\(00E0C5000001\) · 4$/);
    await becomes(() => within(page, tabs.nth(3)), true);
    assert.ok(await within(page, page.getByRole('button', { name: /Close the terminal on .* · 4/ })));
    await page.keyboard.press('Control+F6');
    await page.keyboard.press('Home');
    await becomes(() => within(page, tabs.nth(0)), true);
    await becomes(() => page.evaluate(() => document.activeElement.getAttribute('role')), 'tab');
    await tabs.nth(1).click();
    await becomes(() => focused(page), 'terminal');
    await assertAccessible(page, 'several tabs');

    // Another page and back.
    await page.goto(`${quickstart.url}/#/sessions`);
    await page.getByRole('heading', { name: 'Sessions' }).waitFor();
    await page.getByRole('link', { name: /Terminals/ }).click();
    await becomes(() => focused(page), 'terminal');
    await page.keyboard.press('Control+F6');
    await page.keyboard.press('Delete');
    await becomes(() => tabs.count(), 3);
    await becomes(() => page.evaluate(() => document.activeElement.getAttribute('role')), 'tab');
    await page.keyboard.press('Delete');
    await page.keyboard.press('Delete');
    await page.keyboard.press('Delete');
    await becomes(() => focused(page), 'To the devices');
    await becomes(async () => (await activeSessions(DEVICE)).length, 0);
  });

  it('lets tiles and a paste be reached in a narrow window', async () => {
    const { page } = given;
    await page.setViewportSize({ width: 390, height: 844 });
    const first = await openByList(page, DEVICE);
    const second = await openByList(page, DEVICE);
    await run(page, second, 'stty raw -echo; echo re""ady; sleep 1000');
    await shows(second, /^ready/m);
    const size = /\d+×\d+/;
    const [before] = size.exec(await second.locator('[data-state-line]').innerText());
    await pasteText(page, second, 'x'.repeat(MORE_THAN_A_DEVICE_QUEUES));
    await page.getByRole('dialog', { name: /Paste/ }).waitFor();
    await page.keyboard.press('Enter');
    const stop = second.getByRole('button', { name: 'Stop pasting' });
    await stop.waitFor();
    assert.ok(await within(page, stop));
    // What is said of a paste does not change the size of the terminal.
    const sized = () => second.locator('.screen').evaluate(({ view }) => `${view.terminal.cols}×${view.terminal.rows}`);
    assert.equal(await sized(), before);
    await assertAccessible(page, 'paste in a narrow window');
    await stop.click();
    assert.equal(await focused(page), 'terminal');
    assert.equal(await sized(), before);

    await page.getByRole('button', { name: 'Side by side' }).click();
    for (const panel of [first, second]) {
      const { x, width, height } = await panel.boundingBox();
      assert.ok(x >= 0 && x + width <= 390, `a tile from ${x}, ${width} wide`);
      assert.ok(height >= 250, `a tile ${height} high`);
    }
    await page.getByRole('button', { name: 'Side by side' }).click();
    await page.getByRole('button', { name: 'Close all' }).click();
    await page.getByRole('button', { name: 'Close all of them' }).click();
    await page.getByText('No terminal is open').waitFor();
  });

  it('ends a session whose tab is closed while it is being opened', async () => {
    const { page } = given;
    const asked = defer();
    const goOn = defer();
    await page.route(/devices\/[^/]+\/sessions$/, async (route) => {
      const response = await route.fetch({ ignoreHTTPSErrors: true });
      asked.resolve((await response.json()).name);
      await goOn.promise;
      await route.fulfill({ response });
    });
    await page.goto(`${quickstart.url}/#/devices`);
    await page.locator(`[data-device="${DEVICE}"]`).getByRole('button').click();
    const name = await asked.promise;
    await page.getByRole('button', { name: 'Close the terminal' }).click();
    goOn.resolve();
    await becomes(async () => (await rest('GET', `/api/v1/${name}`)).state, 'ENDED');
    assert.equal((await rest('GET', `/api/v1/${name}`)).end.cause, 'TERMINATED');
  });

  it('opens again by Enter, and searches backwards by Shift+Enter', async () => {
    const { page } = given;
    const panel = await openByList(page, DEVICE);
    await run(page, panel, 'for i in 1 2 3; do echo needle; done; exit 3');
    await banner(panel).getByText('exit code 3').waitFor();
    assert.equal(await banner(panel).getByRole('status').count(), 1);
    await page.keyboard.press('Control+Shift+F');
    await page.keyboard.type('needle');
    const index = async () => /(\d+) of \d/.exec(await panel.locator('.find').innerText())?.[1];
    await panel.getByText(/\d of \d/).waitFor();
    const first = await index();
    await page.keyboard.press('Enter');
    await page.keyboard.press('Enter');
    await page.keyboard.press('Shift+Enter');
    await page.keyboard.press('Shift+Enter');
    await becomes(index, first);
    await page.keyboard.press('Shift+Enter');
    await becomes(async () => (await index()) === first, false);
    await page.keyboard.press('Escape');
    await page.keyboard.press('Enter');
    await opened(panel);
    await run(page, panel, 'echo again=$((2+3))');
    await shows(panel, /^again=5/m);
    // The terminal that is seen ends with a banner, and without another message.
    const [session] = await activeSessions(DEVICE);
    await rest('POST', `/api/v1/${session.name}:terminate`, { reason: 'tests go on' });
    await banner(panel).getByRole('alert').waitFor();
    assert.match(await banner(panel).innerText(), /An administrator terminated the session\./);
    assert.equal(await page.locator('.toast').count(), 0);
    await page.getByRole('button', { name: 'Close the terminal' }).click();
  });

  it('opens with a profile and a reason', async () => {
    const { page } = given;
    await page.goto(`${quickstart.url}/#/devices/${DEVICE}`);
    await page.getByRole('button', { name: 'Open with…' }).click();
    const dialog = page.getByRole('dialog', { name: /Open a terminal on/ });
    await dialog.getByLabel('Profile').selectOption('bash');
    await dialog.getByLabel('Reason').fill('Ticket 4711');
    await assertAccessible(page, 'open with');
    await page.keyboard.press('Enter');
    const panel = panelOf(page, DEVICE);
    await opened(panel);
    const [session] = await activeSessions(DEVICE);
    assert.equal(session.reason, 'Ticket 4711');
    assert.equal(session.profile, 'bash');
    await becomes(() => focused(page), 'terminal');
    await page.getByRole('button', { name: 'Close the terminal' }).click();
  });

  it('keeps terminals when the log-in expires, but for nobody else', async () => {
    const { page } = given;
    const panel = await openByList(page, DEVICE);
    await run(page, panel, 'echo mine=$((1+1))');
    await shows(panel, /^mine=2/m);
    const logInAgain = async () => {
      await page.evaluate(() =>
        fetch('/api/v1/logout', {
          method: 'POST',
          headers: {
            authorization: `Bearer ${sessionStorage.getItem('fairlead.token')}`,
            'content-type': 'application/json',
          },
          body: '{}',
        }),
      );
      await page.goto(`${quickstart.url}/#/audit`);
      await page.getByText('Your log-in has expired').waitFor();
      assert.equal(await panel.isVisible(), false);
      await page.goto(`${quickstart.url}/#/terminals`);
      await page.getByLabel('User name').fill(quickstart.username);
      await page.getByLabel('Password').fill(quickstart.password);
      await page.getByRole('button', { name: 'Log in' }).click();
    };
    await logInAgain();
    await panel.waitFor();
    await run(page, panel, 'echo still=$((2+2))');
    await shows(panel, /^still=4/m);
    // The server has one user; it says that this is another.
    await page.route('**/api/v1/me', (route) => route.fulfill({ json: { user: 'users/another', permissions: [] } }));
    await logInAgain();
    await page.getByText('No terminal is open').waitFor();
    await becomes(async () => (await activeSessions(DEVICE)).length, 0);
  });
});

// A promise, and what resolves it.
function defer() {
  const deferred = {};
  deferred.promise = new Promise((resolve) => (deferred.resolve = resolve));
  return deferred;
}
