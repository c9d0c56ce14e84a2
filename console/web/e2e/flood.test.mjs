// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Endless output, for each flow: the page stays responsive, keys and Ctrl-C get through, and nothing is
// lost in a browser that is slow.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { withPage } from './suite.mjs';
import { FLOWS, deviceOf, heapMebibytes, openByList, run, screenText, shows, watchPauses } from './support.mjs';

// Answers each key with an escape sequence that nothing shows, while output pours; ends with q.
const ECHO_UNDER_FLOOD =
  `yes "$(head -c 60 /dev/zero | tr '\\0' x)" & while read -rsn1 k && [ "$k" != q ]; do printf '\\e]777;%s\\a' "$k"; done; kill %1; wait`;

// Milliseconds from a key to the device's answer, drawn; ascending.
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

describe('a flood of output', () => {
  const given = withPage();

  for (const flow of FLOWS) {
    it(`${flow}: stays responsive under a flood, and Ctrl-C stops it`, async () => {
      const { page } = given;
      const id = deviceOf(flow);
      const panel = await openByList(page, id);
      await shows(panel, /[$#] /);
      await run(page, panel, 'yes "$(head -c 60 /dev/zero | tr "\\\\0" x)"');
      await shows(panel, /x{60}/);
      const longestPause = await watchPauses(page);
      // The scrollback is full.
      await page.waitForFunction(() => document.querySelector('.screen').view.terminal.buffer.active.baseY >= 10_000);
      const waiting = await panel.locator('.screen').evaluate((element) => element.view.session.value.waiting);
      assert.ok(waiting <= 256 * 1024, `${waiting} bytes wait`);
      const heap = await heapMebibytes(page);
      assert.ok(heap < 200, `the page holds ${heap} MiB`);
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
        `# ${flow} under a flood: longest pause of the page ${await longestPause()} ms, Ctrl-C took ${stopped} ms, ` +
          `a key's echo ${median} ms (at most ${worst}), heap ${Math.round(heap)} MiB`,
      );
      await page.getByRole('button', { name: 'Close the terminal' }).click();
    });
  }

  for (const flow of FLOWS) {
    it(`${flow}: a slow browser that cannot hold a WebSocket back draws all of it`, async () => {
      const { page } = given;
      // As Firefox and Safari.
      await page.addInitScript(() => delete globalThis.WebSocketStream);
      await page.reload();
      const panel = await openByList(page, deviceOf(flow));
      await shows(panel, /[$#] /);
      await panel.locator('.screen').evaluate((element) => {
        const { terminal } = element.view;
        const write = terminal.write.bind(terminal);
        terminal.write = (bytes, done) => {
          element.leftOut ||= new TextDecoder().decode(bytes).includes('left out');
          write(bytes, done);
        };
      });
      const devtools = await page.context().newCDPSession(page);
      await devtools.send('Emulation.setCPUThrottlingRate', { rate: 6 });
      await run(page, panel, 'seq 1 500000; echo "all=$((6*7))"');
      await shows(panel, /^499999\s+500000\s+all=42/m, 60_000);
      assert.ok(!(await panel.locator('.screen').evaluate((element) => element.leftOut)), 'output was left out');
      await devtools.send('Emulation.setCPUThrottlingRate', { rate: 1 });
      await page.getByRole('button', { name: 'Close the terminal' }).click();
    });
  }
});
