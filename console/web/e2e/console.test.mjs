// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// The web console in Chromium, against real processes, for each flow.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import crypto from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { createRequire } from 'node:module';
import {
  deviceOf,
  heapMebibytes,
  launch,
  launchTrustingServerOnly,
  logIn,
  newPage,
  openByList,
  panelOf,
  pasteText,
  quickstart,
  rest,
  run,
  screenText,
  shows,
  startAgent,
  stateDir,
} from './support.mjs';

const axeSource = fs.readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

// Rules of WCAG 2.2, levels A and AA.
async function assertAccessible(page, what) {
  await page.evaluate(axeSource);
  const { violations } = await page.evaluate(() =>
    globalThis.axe.run(document, {
      runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'],
    }),
  );
  const found = violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join('\n  ')}`);
  assert.deepEqual(found, [], what);
}

// Types the command that the page shows on a "device", and waits until that is online.
async function enrolBy(command, id) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'fairlead-agent.'));
  assert.match(command, /--server_fingerprint=[0-9a-f]{64}/);
  const typed = command
    .replace('agent ', `exec ${path.join(stateDir, 'bin/agent')} --unit_id=${id} `)
    .replace('/var/lib/fairlead', folder);
  const agent = spawn('bash', ['-c', typed], { stdio: 'ignore' });
  try {
    const end = Date.now() + 20_000;
    for (;;) {
      const device = await rest('GET', `/api/v1/devices/${id}`).catch(() => undefined);
      if (device?.connection.state === 'ONLINE') return;
      if (agent.exitCode !== null || Date.now() > end) throw new Error(`${id} did not enrol by:\n${typed}`);
      await new Promise((done) => setTimeout(done, 100));
    }
  } finally {
    agent.kill('SIGTERM');
    await new Promise((done) => agent.once('exit', done));
    fs.rmSync(folder, { recursive: true, force: true });
    await rest('DELETE', `/api/v1/devices/${id}`).catch(() => {});
  }
}

// As if the server's policy did not allow the route through it, as is the default.
async function withoutServerRoute(page) {
  await page.route(/devices\/[^/]+\/sessions$/, async (route) => {
    const response = await route.fetch({ ignoreHTTPSErrors: true });
    const session = await response.json();
    delete session.consoleFallbackUrl;
    await route.fulfill({ response, json: session });
  });
}

// Answers each key with an escape sequence that nothing shows, while output pours; ends with q.
const ECHO_UNDER_FLOOD =
  `yes "$(head -c 60 /dev/zero | tr '\\0' x)" & while read -rsn1 k && [ "$k" != q ]; do printf '\\e]777;%s\\a' "$k"; done; kill %1; wait`;

// Milliseconds from a key to the device's answer, drawn; ascending.
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

async function keyEchoes(page, panel) {
  await panel.locator('.screen').evaluate((element) => {
    element.view.terminal.parser.registerOscHandler(777, (key) => {
      element.heard?.(key);
      return true;
    });
  });
  const times = [];
  for (const key of 'abcdefghijk') {
    await panel.locator('.screen').evaluate((element, wanted) => {
      addEventListener('keydown', () => (element.pressed = performance.now()), { capture: true, once: true });
      element.echo = new Promise((done) => {
        element.heard = (got) => got === wanted && done(performance.now() - element.pressed);
      });
    }, key);
    await page.keyboard.press(key);
    times.push(await panel.locator('.screen').evaluate((element) => element.echo));
  }
  return times.sort((one, other) => one - other);
}

const banner = (panel) => panel.locator('[data-banner]');

describe('the web console', () => {
  let browser;
  let page;

  before(async () => {
    browser = await launch();
    page = await newPage(browser);
    await logIn(page);
  });
  after(() => browser?.close());

  it('refuses a wrong password with a sentence', async () => {
    const other = await newPage(browser);
    await other.goto(quickstart.url);
    await other.getByLabel('User name').fill('nobody');
    await other.getByLabel('Password').fill('wrong');
    await other.getByRole('button', { name: 'Log in' }).click();
    assert.match(await other.locator('p.error').innerText(), /wrong|password/i);
    await assertAccessible(other, 'log-in');
    await other.context().close();
  });

  it('is served with a strict policy, tags and compressed, and kept for good by hash', async () => {
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
    await panel.locator('xpath=self::*[@data-phase="open"]').waitFor();
    await run(page, panel, 'exit');
    await banner(panel).waitFor();
    await page.getByRole('button', { name: 'Close the terminal' }).click();
  });

  it('gives a device tags on its page, and filters the list by them', async () => {
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
    await rest('POST', '/api/v1/devices', { unitId: 'E2E-GONE' });
    await page.goto(`${quickstart.url}/#/devices/E2E-GONE`);
    await page.getByRole('button', { name: 'Add', exact: true }).waitFor();
    await rest('DELETE', '/api/v1/devices/E2E-GONE');
    await page.getByText('There is no device with this unit ID').waitFor();
    await page.reload();
    await page.getByText('There is no device with this unit ID').waitFor();
    assert.equal(await page.getByRole('button', { name: 'Open terminal' }).count(), 0);
  });

  for (const flow of ['OS12_DIRECT', 'OS12_ICG', 'OS11_DIRECT', 'OS11_ICG']) {
    it(`${flow}: first size, typing, resize, AltGr, IME, exit`, async () => {
      const id = deviceOf(flow);
      await page.setViewportSize({ width: 1280, height: 800 });
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
      await page.setViewportSize({ width: 1280, height: 800 });

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
      await page.waitForTimeout(100);
      await page.keyboard.type('"\n');
      await shows(panel, /^altgr=@€\{\}\[\]\|~ê日本/m);

      const line = await panel.locator('[data-state-line]').innerText();
      assert.match(line, telnet ? /OS 11/ : /OS 12/);
      assert.match(line, /ms to the device and back/);
      assert.match(line, /received/);
      if (flow.endsWith('ICG')) assert.match(line, /over the ICG quickstart/);

      await run(page, panel, 'exit 7');
      await banner(panel).waitFor();
      const text = await banner(panel).innerText();
      assert.match(text, telnet ? /The device closed the terminal/ : /exit code 7/);
      await page.getByRole('button', { name: 'Close the terminal' }).click();
    });

    it(`${flow}: asks about several lines, pastes 10 MiB unchanged`, async () => {
      const id = deviceOf(flow);
      const panel = await openByList(page, id);
      await shows(panel, /[$#] /);
      await pasteText(page, panel, 'echo first=$((1+1))\necho second=$((2+2))\n');
      const dialog = page.getByRole('dialog', { name: /Paste 2 lines/ });
      await dialog.waitFor();
      await assertAccessible(page, 'paste question');
      await dialog.getByRole('button', { name: 'Paste', exact: true }).click();
      await page.keyboard.press('Enter');
      await shows(panel, /^second=4/m);

      const text = '0123456789abcde\n'.repeat((10 * 1024 * 1024) / 16);
      const expected = crypto.createHash('sha256').update(text.replaceAll('\n', '\r')).digest('hex');
      await run(page, panel, `bind 'set enable-bracketed-paste off'; clear; echo re''ady; stty raw -echo; head -c ${text.length} | sha256sum; stty sane`);
      await shows(panel, /^ready/m);
      await page.waitForTimeout(300);
      await pasteText(page, panel, text);
      await page.getByRole('dialog', { name: /Paste/ }).getByRole('button', { name: 'Paste', exact: true }).click();
      const sum = await shows(panel, /([0-9a-f]{64})/, 90_000);
      assert.equal(sum[1], expected);
      await page.getByRole('button', { name: 'Close the terminal' }).click();
    });

    it(`${flow}: stays responsive under a flood, and Ctrl-C stops it`, async () => {
      const id = deviceOf(flow);
      const panel = await openByList(page, id);
      await shows(panel, /[$#] /);
      await run(page, panel, 'yes "$(head -c 60 /dev/zero | tr "\\\\0" x)"');
      await shows(panel, /x{60}/);
      // The longest that the page did not answer, for two seconds.
      const longest = await page.evaluate(async () => {
        let worst = 0;
        const end = performance.now() + 2000;
        for (let last = performance.now(); last < end; ) {
          await new Promise((done) => setTimeout(done));
          const now = performance.now();
          worst = Math.max(worst, now - last);
          last = now;
        }
        return worst;
      });
      const waiting = await panel.locator('.screen').evaluate((element) => element.view.session.value.waiting);
      assert.ok(waiting <= 1024 * 1024, `${waiting} bytes wait`);
      const heap = await heapMebibytes(page);
      assert.ok(heap < 200, `the page holds ${heap} MiB`);
      assert.ok(longest < 1000, `the page did not answer for ${longest} ms`);
      // From the key to the shell's next prompt, with all that was under way drawn.
      const begin = Date.now();
      await panel.locator('.xterm-helper-textarea').focus();
      await page.keyboard.press('Control+c');
      await shows(panel, /[$#] \s*$/);
      const stopped = Date.now() - begin;
      await run(page, panel, 'clear; echo "stopped=$((6*7))"');
      await shows(panel, /^stopped=42/m);
      assert.doesNotMatch(await screenText(panel), /left out/);

      await run(page, panel, ECHO_UNDER_FLOOD);
      await shows(panel, /x{60}/);
      const echoes = await keyEchoes(page, panel);
      await page.keyboard.press('q');
      await run(page, panel, 'clear; echo "calm=$((6*8))"');
      await shows(panel, /^calm=48/m);
      const [median, worst] = [echoes[echoes.length >> 1], echoes[echoes.length - 1]].map(Math.round);
      console.log(
        `# ${flow} under a flood: longest pause of the page ${Math.round(longest)} ms, Ctrl-C took ${stopped} ms, ` +
          `a key's echo ${median} ms (at most ${worst}), heap ${Math.round(heap)} MiB`,
      );
      await page.getByRole('button', { name: 'Close the terminal' }).click();
    });
  }

  it('obeys no escape sequence that touches the page', async () => {
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
    const panel = await openByList(page, deviceOf('OS12_DIRECT'));
    await run(page, panel, 'echo needle-$((40+2))');
    await shows(panel, /^needle-42/m);
    await page.keyboard.press('Control+Shift+F');
    await page.keyboard.type('needle-42');
    await panel.getByText(/1 of 1|\d of \d/).waitFor();
    // Output during a search has the add-on look again after 200 ms: not once the search is closed,
    // when that would take the selection away.
    const screen = panel.locator('.screen');
    await screen.evaluate(({ view }) => new Promise((done) => view.terminal.write('\r\n', done)));
    await page.keyboard.press('Escape');
    await screen.evaluate(({ view }) => {
      view.terminal.selectLines(0, 0);
      // Timers of one length fire in the order in which they were set.
      return new Promise((done) => setTimeout(done, 200));
    });
    await page.keyboard.press('Control+Shift+C');
    await page.getByText('Copied.').first().waitFor();
    const before = await panel.locator('[data-state-line]').innerText();
    await page.keyboard.press('Control+Shift+Equal');
    await page.waitForFunction((was) => document.querySelector('[data-state-line]').innerText.split(' · ')[2] !== was, before.split(' · ')[2]);
    await page.keyboard.press('Control+F6');
    assert.equal(await page.evaluate(() => document.activeElement.getAttribute('role')), 'tab');
    await assertAccessible(page, 'terminal');

    const { sessions } = await rest('GET', '/api/v1/sessions?filter=state%3DACTIVE');
    await rest('POST', `/api/v1/${sessions[0].name}:terminate`, { reason: 'Tests go on.' });
    await banner(panel).getByText('An administrator terminated the session.').waitFor();
    await panel.getByRole('button', { name: 'Open again' }).click();
    await panel.locator('xpath=self::*[@data-phase="open"]').waitFor();
    await run(page, panel, 'echo again=$((2+3))');
    await shows(panel, /^again=5/m);
    await page.getByRole('button', { name: 'Close the terminal' }).click();
  });

  for (const flow of ['OS12_DIRECT', 'OS12_ICG', 'OS11_DIRECT', 'OS11_ICG']) {
    it(`${flow}: tells the loss of a device, shows it offline and online again, and opens again`, async () => {
      const id = `E2E-LOSS-${flow}`;
      let agent = await startAgent(id, flow);
      try {
        await page.goto(`${quickstart.url}/#/devices`);
        await page.getByLabel('Search by name or unit ID').fill(id);
        await page.locator(`[data-device="${id}"]`).getByText('online').waitFor({ timeout: 20_000 });
        const panel = await openByList(page, id);
        await shows(panel, /[$#] /);
        agent.kill('SIGKILL');
        // Of a device that is dialled nothing but the end of its stream is seen.
        const ending = flow === 'OS11_DIRECT' ? /The device (was lost|closed the terminal)/ : 'The device was lost';
        await banner(panel).getByText(ending).waitFor({ timeout: 30_000 });
        await page.goto(`${quickstart.url}/#/devices`);
        const row = page.locator(`[data-device="${id}"]`);
        // One that is dialled is looked for every 30 s.
        await row.getByText('offline').waitFor({ timeout: 60_000 });
        agent = await startAgent(id, flow);
        await row.getByText('online', { exact: true }).waitFor({ timeout: 30_000 });
        await page.goto(`${quickstart.url}/#/terminals`);
        await panel.getByRole('button', { name: 'Open again' }).click();
        await panel.locator('xpath=self::*[@data-phase="open"]').waitFor();
        await run(page, panel, 'echo back=$((5+5))');
        await shows(panel, /^back=10/m);
        await page.getByRole('button', { name: 'Close the terminal' }).click();
      } finally {
        agent.kill('SIGTERM');
      }
    });
  }

  it('asks before it closes two open sessions', async () => {
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

  it('terminates a session, makes and disables a key, registers an ICG, exports the audit log', async () => {
    await openByList(page, deviceOf('OS11_ICG'));
    await page.getByRole('link', { name: 'Sessions' }).click();
    await page.getByRole('button', { name: /Terminate: session on/ }).first().click();
    await page.getByRole('dialog').getByRole('button', { name: 'Terminate' }).click();
    await page.getByRole('link', { name: /Terminals/ }).click();
    await page.locator('[data-banner]').getByText('terminated').waitFor();
    await page.getByRole('button', { name: 'Close the terminal' }).click();

    await page.getByRole('link', { name: 'Enrolment keys' }).click();
    await page.getByRole('button', { name: 'Create a key' }).click();
    const name = `e2e-${Date.now()}`;
    await page.getByRole('dialog').getByLabel('Name').fill(name);
    await page.getByRole('dialog').getByRole('button', { name: 'Create a key' }).click();
    const secret = await page.locator('[data-secret]').innerText();
    assert.ok(secret.length >= 16);
    await page.getByRole('button', { name: 'Copy: the key alone' }).click();
    await page.getByText('Copied.').first().waitFor();
    assert.equal(await page.evaluate(() => navigator.clipboard.readText()), secret);
    await page.getByRole('img', { name: 'The same command as a QR code' }).waitFor();
    await assertAccessible(page, 'the new key');
    await enrolBy(await page.locator('[data-command]').innerText(), name);
    await page.getByRole('dialog').getByRole('button', { name: 'Close' }).click();
    await page.getByRole('button', { name: `Disable: key ${name}` }).click();
    await page.getByRole('row', { name: new RegExp(name) }).getByText('disabled').waitFor();

    await page.getByRole('link', { name: 'ICGs' }).click();
    await page.getByRole('row', { name: /quickstart/ }).getByText('connected', { exact: true }).waitFor();
    const icg = `e2e-${Date.now()}`;
    await page.getByRole('button', { name: 'Register an ICG' }).click();
    await page.getByLabel('Name (a-z').fill(icg);
    await page.getByLabel('Where the server dials it').fill('grpcs://localhost:9');
    await page.getByLabel('Where devices and consoles dial it').fill('localhost:9');
    await page.getByRole('dialog').getByRole('button', { name: 'Register an ICG' }).click();
    const [bundle] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Download' }).click(),
    ]);
    const content = JSON.parse(fs.readFileSync(await bundle.path(), 'utf8'));
    assert.match(content.privateKeyPem, /PRIVATE KEY/);
    await page.getByRole('dialog').getByRole('button', { name: 'Close' }).click();
    await rest('DELETE', `/api/v1/icgs/${icg}`);

    await page.getByRole('link', { name: 'Audit log' }).click();
    await page.getByLabel('Filter').fill('action=session.create');
    await page.getByRole('button', { name: 'Apply' }).click();
    await page.getByRole('row', { name: /session\.create/ }).first().waitFor();
    const [log] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Export as JSON Lines' }).click(),
    ]);
    const lines = fs.readFileSync(await log.path(), 'utf8').trim().split('\n').map((line) => JSON.parse(line));
    assert.ok(lines.length > 0 && lines.every((event) => event.action === 'session.create'));
  });

  it('can be used by everyone: axe on each page, in each theme, and German', async () => {
    const german = await newPage(browser, { locale: 'de-DE' });
    await german.goto(quickstart.url);
    await german.getByLabel('Benutzername').fill(quickstart.username);
    await german.getByLabel('Passwort').fill(quickstart.password);
    await german.getByRole('button', { name: 'Anmelden' }).click();
    await german.getByRole('heading', { name: 'Geräte' }).waitFor();
    for (const theme of ['light', 'dark', 'contrast']) {
      await german.getByRole('button', { name: 'Einstellungen' }).click();
      await german.getByLabel('Farben').selectOption(theme);
      await assertAccessible(german, `settings, ${theme}`);
      await german.getByRole('dialog').getByRole('button', { name: 'Schließen' }).click();
      for (const route of ['devices', `devices/${deviceOf('OS12_DIRECT')}`, 'terminals', 'sessions', 'audit', 'keys', 'icgs']) {
        await german.goto(`${quickstart.url}/#/${route}`);
        await german.locator('h1').first().waitFor({ state: 'attached' });
        await german.waitForTimeout(300);
        await assertAccessible(german, `${route}, ${theme}`);
      }
    }
    await german.context().close();
  });

  for (const flow of ['OS12_ICG', 'OS11_ICG']) {
    it(`${flow}: goes through the server where policy allows, says so, and helps to do without`, async () => {
      const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'fairlead-chromium.'));
      const context = await launchTrustingServerOnly(folder);
      try {
        const other = await context.newPage();
        await logIn(other);
        const id = deviceOf(flow);
        const panel = await openByList(other, id);
        await run(other, panel, 'echo through=$((6*7))');
        await shows(panel, /^through=42/m);
        const { sessions } = await rest('GET', `/api/v1/sessions?filter=${encodeURIComponent(`device=devices/${id} state=ACTIVE`)}`);
        assert.equal(sessions[0].consoleThroughServer, true);
        await panel.getByRole('button', { name: 'through the server' }).click();
        const dialog = other.getByRole('dialog', { name: 'Why through the server?' });
        await dialog.getByText('The server itself reaches this ICG.').waitFor();
        await assertAccessible(other, 'through the server');
        await dialog.getByRole('button', { name: 'Close' }).click();
        await other.goto(`${quickstart.url}/#/sessions`);
        await other.locator(`[data-session="${sessions[0].name}"]`).getByText('through the server').waitFor();
        await other.goto(`${quickstart.url}/#/terminals`);
        await run(other, panel, 'exit 7');
        await banner(panel).getByText(flow === 'OS12_ICG' ? /exit code 7/ : /The device closed/).waitFor();
        // The next one does not try in vain.
        await panel.getByRole('button', { name: 'Open again' }).click();
        await panel.locator('xpath=self::*[@data-phase="open"]').waitFor();
        await panel.getByRole('button', { name: 'through the server' }).waitFor();
      } finally {
        await context.close();
        fs.rmSync(folder, { recursive: true, force: true });
      }
    });
  }

  it('says which ICG it cannot reach, and asks again once that is trusted', async () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'fairlead-chromium.'));
    const context = await launchTrustingServerOnly(folder);
    try {
      const other = await context.newPage();
      await withoutServerRoute(other);
      await logIn(other);
      const id = deviceOf('OS12_ICG');
      await other.getByLabel('Search by name or unit ID').fill(id);
      await other.locator(`[data-device="${id}"]`).getByRole('button').click();
      const panel = panelOf(other, id);
      await panel.getByText(`could not connect to the ICG at ${new URL(quickstart.icg_url).host}`).waitFor({ timeout: 20_000 });
      await panel.getByText('The server itself reaches this ICG.').waitFor();
      const link = panel.getByRole('link', { name: 'Open the ICG’s address' });
      assert.equal(new URL(await link.getAttribute('href')).origin, quickstart.icg_url);
      await panel.getByRole('button', { name: 'Check again' }).click();
      await panel.getByRole('button', { name: 'Check again', disabled: false }).waitFor();
      assert.equal(await panel.getAttribute('data-phase'), 'ended');

      // The person opens the address and trusts the certificate (Chromium's way past its warning).
      const [warning] = await Promise.all([context.waitForEvent('page'), link.click()]);
      await warning.waitForLoadState('domcontentloaded').catch(() => {});
      await warning.waitForTimeout(500);
      await warning.keyboard.type('thisisunsafe');
      await warning.getByText('status').waitFor();
      // The ICG is reached then, and a new session asked for. Its tunnel is not opened here: Chromium
      // forgets the trust in a host as soon as the same host, on the server's port, shows a good
      // certificate, and both are "localhost".
      const [request] = await Promise.all([
        other.waitForRequest((sent) => sent.method() === 'POST' && sent.url().endsWith(`${id}/sessions`)),
        panel.getByRole('button', { name: 'Check again' }).click(),
      ]);
      assert.ok(request);
    } finally {
      await context.close();
      fs.rmSync(folder, { recursive: true, force: true });
    }
  });

  it('met no error of its own', () => assert.deepEqual(page.problems, []));
});
