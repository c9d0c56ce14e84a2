// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Terminals in Chromium, for each flow: keys, size, pastes, and what their tabs offer.
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import { describe, it } from 'node:test';
import { assertAccessible, withPage } from './suite.mjs';
import {
  FLOWS,
  activeSessions,
  banner,
  deviceOf,
  openByList,
  opened,
  pasteText,
  quickstart,
  rest,
  run,
  shows,
} from './support.mjs';

// Waits until the page and the program on the device agree on how large the terminal is.
async function agreeOnSize(page, panel) {
  for (let tries = 1; ; ++tries) {
    await run(page, panel, `echo "now${tries}=$(stty size)"`);
    const [, rows, columns] = await shows(panel, new RegExp(`now${tries}=(\\d+) (\\d+)`));
    const line = await panel.locator('[data-state-line]').innerText();
    if (line.includes(`${columns}×${rows}`)) return;
    assert.ok(tries < 5, `the device says ${columns}×${rows}, the page: ${line}`);
  }
}

// Counts from now on how often a paste shows how far it is.
async function watchProgress(page) {
  await page.evaluate(() => {
    const seen = new Set();
    globalThis.progressSteps = seen;
    new MutationObserver(() => {
      const bar = document.querySelector('progress');
      if (bar) seen.add(bar.value);
    }).observe(document.body, { subtree: true, childList: true, attributes: true });
  });
  return () => page.evaluate(() => globalThis.progressSteps.size);
}

describe('terminals', () => {
  const given = withPage();

  for (const flow of FLOWS) {
    it(`${flow}: first size, typing, resize, AltGr, IME, exit`, async () => {
      const { page } = given;
      const id = deviceOf(flow);
      const panel = await openByList(page, id);
      const telnet = flow.startsWith('OS11');
      const measured = await panel.locator('[data-state-line]').innerText();
      const [, columns, rows] = /(\d+)×(\d+)/.exec(measured);
      assert.notEqual(`${columns}×${rows}`, '80×24');
      await run(page, panel, 'echo "size=$(stty size)"');
      await shows(panel, new RegExp(`size=${rows} ${columns}\\b`));

      await page.setViewportSize({ width: 900, height: 600 });
      await page.waitForFunction((before) => {
        const line = [...document.querySelectorAll('section.panel:not([hidden]) [data-state-line]')].pop();
        return !line.innerText.includes(before);
      }, `${columns}×${rows}`);
      await agreeOnSize(page, panel);

      // As a German keyboard under Linux gives them: the key with its third level.
      const devtools = await page.context().newCDPSession(page);
      await panel.locator('.xterm-helper-textarea').focus();
      await page.keyboard.type('echo "altgr=');
      for (const [key, code] of [['@', 'KeyQ'], ['€', 'KeyE'], ['{', 'Digit7'], ['}', 'Digit0'], ['[', 'Digit8'], [']', 'Digit9'], ['|', 'IntlBackslash'], ['~', 'BracketRight']]) {
        await devtools.send('Input.dispatchKeyEvent', { type: 'keyDown', key, code, text: key, location: 0 });
        await devtools.send('Input.dispatchKeyEvent', { type: 'keyUp', key, code });
      }
      // A dead key, and an input method.
      await devtools.send('Input.imeSetComposition', { text: '^', selectionStart: 1, selectionEnd: 1 });
      await devtools.send('Input.insertText', { text: 'ê' });
      await devtools.send('Input.imeSetComposition', { text: 'にほ', selectionStart: 2, selectionEnd: 2 });
      await devtools.send('Input.insertText', { text: '日本' });
      await shows(panel, /ê日本/);
      await page.keyboard.type('"\n');
      await shows(panel, /^altgr=@€\{\}\[\]\|~ê日本/m);

      const line = await panel.locator('[data-state-line]').innerText();
      assert.match(line, telnet ? /OS 11/ : /OS 12/);
      assert.match(line, /\d ms/);
      if (flow.endsWith('ICG')) assert.match(line, /ICG quickstart/);
      const full = await panel.locator('[data-state-line] [title]').getAttribute('title');
      assert.match(full, /ms to the device and back/);
      assert.match(full, /received/);

      await run(page, panel, 'exit 7');
      await banner(panel).waitFor();
      const text = await banner(panel).innerText();
      assert.match(text, telnet ? /The device closed the terminal/ : /exit code 7/);
      await page.getByRole('button', { name: 'Close the terminal' }).click();
    });

    it(`${flow}: asks about several lines, pastes 10 MiB unchanged`, async () => {
      const { page } = given;
      const id = deviceOf(flow);
      const panel = await openByList(page, id);
      await shows(panel, /[$#] /);
      await pasteText(page, panel, 'echo first=$((1+1))\necho second=$((2+2))\n');
      const dialog = page.getByRole('dialog', { name: /Paste 2 lines/ });
      await dialog.waitFor();
      await assertAccessible(page, 'paste question');
      // Its confirming button has the focus, and then the terminal again.
      await page.keyboard.press('Enter');
      await dialog.waitFor({ state: 'detached' });
      await page.keyboard.press('Enter');
      await shows(panel, /^second=4/m);

      const text = '0123456789abcde\n'.repeat((10 * 1024 * 1024) / 16);
      const expected = crypto.createHash('sha256').update(text.replaceAll('\n', '\r')).digest('hex');
      await run(page, panel, `bind 'set enable-bracketed-paste off'; clear; stty raw -echo; echo re''ady; head -c ${text.length} | sha256sum; stty sane`);
      await shows(panel, /^ready/m);
      const steps = await watchProgress(page);
      await pasteText(page, panel, text);
      await page.getByRole('dialog', { name: /Paste/ }).getByRole('button', { name: 'Paste', exact: true }).click();
      const sum = await shows(panel, /([0-9a-f]{64})/, 90_000);
      assert.equal(sum[1], expected);
      assert.ok((await steps()) > 3, `the paste showed ${await steps()} steps`);
      await page.getByRole('button', { name: 'Close the terminal' }).click();
    });
  }

  it('obeys no escape sequence that touches the page', async () => {
    const { page } = given;
    const panel = await openByList(page, deviceOf('OS12_DIRECT'));
    await page.evaluate(() => navigator.clipboard.writeText('mine'));
    await run(page, panel, `printf '\\e]52;c;%s\\a\\e]0;evil\\a\\e[21t\\e]52;c;?\\a' "$(printf stolen | base64)"; echo done=$((1+1))`);
    await shows(panel, /^done=2/m);
    await page.getByText('wanted to write to the clipboard').waitFor();
    assert.equal(await page.evaluate(() => navigator.clipboard.readText()), 'mine');
    assert.doesNotMatch(await page.title(), /evil/);
    assert.doesNotMatch(await page.getByRole('tablist').innerText(), /evil/);
    await page.getByRole('button', { name: 'Close the terminal' }).click();
  });

  it('finds text, copies, changes the font, leaves by key, tells a termination and opens again', async () => {
    const { page } = given;
    const panel = await openByList(page, deviceOf('OS12_DIRECT'));
    await run(page, panel, 'echo needle-$((40+2))');
    await shows(panel, /^needle-42/m);
    const screen = panel.locator('.screen');
    await screen.evaluate((element) => {
      element.resizes = 0;
      element.view.terminal.onResize(() => ++element.resizes);
    });
    await page.keyboard.press('Control+Shift+F');
    await page.keyboard.type('needle-42');
    await panel.getByText(/\d of \d/).waitFor();
    await assertAccessible(page, 'find');
    // Output during a search has the add-on look again after 200 ms: not once the search is closed,
    // when that would take the selection away.
    await screen.evaluate(({ view }) => new Promise((done) => view.terminal.write('\r\n', done)));
    await page.keyboard.press('Escape');
    await screen.evaluate(({ view }) => {
      view.terminal.selectLines(0, 0);
      // Timers of one length fire in the order in which they were set.
      return new Promise((done) => setTimeout(done, 200));
    });
    await page.keyboard.press('Control+Shift+C');
    await page.getByText('Copied.').first().waitFor();
    assert.equal(await screen.evaluate((element) => element.resizes), 0);
    const before = await panel.locator('[data-state-line]').innerText();
    await page.keyboard.press('Control+Shift+Equal');
    await page.waitForFunction((was) => document.querySelector('[data-state-line]').innerText.split(' · ')[2] !== was, before.split(' · ')[2]);
    await page.keyboard.press('Control+F6');
    assert.equal(await page.evaluate(() => document.activeElement.getAttribute('role')), 'tab');
    await assertAccessible(page, 'terminal');

    const [session] = await activeSessions(deviceOf('OS12_DIRECT'));
    await rest('POST', `/api/v1/${session.name}:terminate`, { reason: 'Tests go on.' });
    await banner(panel).getByText('An administrator terminated the session.').waitFor();
    await panel.getByRole('button', { name: 'Open again' }).click();
    await opened(panel);
    await run(page, panel, 'echo again=$((2+3))');
    await shows(panel, /^again=5/m);
    await page.getByRole('button', { name: 'Close the terminal' }).click();
  });

  it('asks before it closes two open sessions', async () => {
    const { page } = given;
    await openByList(page, deviceOf('OS12_DIRECT'));
    await openByList(page, deviceOf('OS12_ICG'));
    await page.getByRole('button', { name: 'Side by side' }).click();
    assert.equal(await page.locator('section.panel:visible').count(), 2);
    await assertAccessible(page, 'side by side');
    await page.getByRole('button', { name: 'Side by side' }).click();
    // The browser asks before the page itself goes.
    const [leaving] = await Promise.all([page.waitForEvent('dialog'), page.close({ runBeforeUnload: true })]);
    assert.equal(leaving.type(), 'beforeunload');
    await leaving.dismiss();
    await page.getByRole('button', { name: 'Close all' }).click();
    const dialog = page.getByRole('dialog', { name: 'Close 2 open sessions?' });
    await dialog.getByRole('button', { name: 'Cancel' }).click();
    assert.equal(await page.locator('section.panel').count(), 2);
    await page.getByRole('button', { name: 'Close all' }).click();
    await dialog.getByRole('button', { name: 'Close all of them' }).click();
    await page.getByText('No terminal is open').waitFor();
  });
});
