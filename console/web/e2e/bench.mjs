// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Figures of the web console, with a quickstart running: time to the first usable list and what is
// received for it, and output drawn a second beside a bare page of xterm.js fed from memory. FAIRLEAD_DEVICES=N makes that many devices
// first, FAIRLEAD_OUTPUT_MIB=N sets how much is drawn by each flow, FAIRLEAD_FLOWS=A,B which flows,
// empty for none.
// Usage: FAIRLEAD_QUICKSTART=STATE_DIR/quickstart.json npm run bench
import { createRequire } from 'node:module';
import { FLOWS, deviceOf, heapMebibytes, launch, logIn, newPage, openByList, quickstart, rest, run, shows, watchPauses } from './support.mjs';

const MEBIBYTE = 1024 * 1024;
const OUTPUT_BYTES = Number(process.env.FAIRLEAD_OUTPUT_MIB ?? 16) * MEBIBYTE;
// At the least, in bytes a millisecond.
const SLOWEST = 500;
const PARALLEL_CALLS = 16;
const flows = process.env.FAIRLEAD_FLOWS?.split(',').filter(Boolean) ?? FLOWS;

// Devices that never connect; those that are there already stay.
async function makeDevices(count) {
  let next = 0;
  const worker = async () => {
    while (next < count) {
      const unitId = `BENCH-${String(next++).padStart(6, '0')}`;
      await rest('POST', '/api/v1/devices', { unitId }).catch(() => {});
    }
  };
  await Promise.all(Array.from({ length: PARALLEL_CALLS }, worker));
}

// Counts what the page's calls and streams bring it from now on.
async function countReceived(page) {
  let bytes = 0;
  const session = await page.context().newCDPSession(page);
  session.on('Network.dataReceived', ({ dataLength }) => (bytes += dataLength));
  session.on('Network.webSocketFrameReceived', ({ response }) => (bytes += Buffer.byteLength(response.payloadData)));
  await session.send('Network.enable');
  return () => bytes;
}

const LIVE = /^Live · Devices: /;

// A visit of the list and a search: when rows are there, and what comes until the count is there too.
async function useList(page) {
  const received = await countReceived(page);
  const through = async (action) => {
    const before = received();
    const begin = Date.now();
    await action();
    await page.locator('[data-device]').first().waitFor();
    const milliseconds = Date.now() - begin;
    await page.getByText(LIVE).waitFor({ timeout: 120_000 });
    return { milliseconds, kilobytes: Math.round((received() - before) / 1000) };
  };
  await page.goto(`${quickstart.url}/#/sessions`);
  await page.locator('main:not([hidden]) h1', { hasText: 'Sessions' }).waitFor();
  const visit = await through(() => page.goto(`${quickstart.url}/#/devices`));
  const search = await through(async () => {
    await page.getByLabel('Search by name or unit ID').fill('BENCH-');
    await page.waitForURL('**/#/devices?q=BENCH-');
  });
  return { visit, search };
}

async function timeToList(page) {
  const begin = Date.now();
  await page.goto(`${quickstart.url}/#/sessions`);
  await page.reload();
  const loaded = Date.now();
  await page.goto(`${quickstart.url}/#/devices`);
  await page.locator('[data-device]').first().waitFor();
  return { load: loaded - begin, list: Date.now() - loaded };
}

const rate = (bytes, milliseconds) => `${(bytes / MEBIBYTE / (milliseconds / 1000)).toFixed(1)} MiB/s`;

// What a page that has nothing but xterm.js takes for as many bytes from memory.
async function bareMilliseconds(size) {
  const page = await newPage(browser);
  const installed = createRequire(import.meta.url);
  await page.goto('about:blank');
  await page.addStyleTag({ path: installed.resolve('@xterm/xterm/css/xterm.css') });
  await page.addScriptTag({ path: installed.resolve('@xterm/xterm/lib/xterm.js') });
  const milliseconds = await page.evaluate(
    async ({ size, bytes }) => {
      const terminal = new globalThis.Terminal(size);
      terminal.open(document.body);
      const piece = new TextEncoder().encode(`${'x'.repeat(79)}\r\n`.repeat(400));
      const start = performance.now();
      for (let sent = 0; sent < bytes; sent += piece.length) {
        const written = new Promise((done) => terminal.write(piece, done));
        // As much waits as with the console.
        if ((sent / piece.length) % 4 === 3 || sent + piece.length >= bytes) await written;
      }
      return performance.now() - start;
    },
    { size, bytes: OUTPUT_BYTES },
  );
  await page.close();
  return milliseconds;
}

async function drawn(page, flow) {
  const panel = await openByList(page, deviceOf(flow));
  await shows(panel, /[$#] /);
  const longestPause = await watchPauses(page);
  const begin = Date.now();
  await run(page, panel, `clear; yes "$(head -c 79 /dev/zero | tr '\\0' x)" | head -c ${OUTPUT_BYTES}; echo; echo drawn=$((6*7))`);
  await shows(panel, /^drawn=42/m, 60_000 + OUTPUT_BYTES / SLOWEST);
  const through = Date.now() - begin;
  const pause = await longestPause();
  const heap = Math.round(await heapMebibytes(page));
  const size = await panel.locator('.screen').evaluate(({ view: { terminal } }) => ({ cols: terminal.cols, rows: terminal.rows }));
  await page.getByRole('button', { name: 'Close the terminal' }).click();
  const bare = await bareMilliseconds(size);
  console.log(`${flow}: drawn ${rate(OUTPUT_BYTES, through)}, by a bare xterm.js from memory ${rate(OUTPUT_BYTES, bare)}, heap after it ${heap} MiB, longest pause ${pause} ms`);
}

const browser = await launch();
const page = await newPage(browser);
await makeDevices(Number(process.env.FAIRLEAD_DEVICES ?? 0));
await logIn(page);
const { load, list } = await timeToList(page);
console.log(`page loaded in ${load} ms, first rows ${list} ms later`);
await page.getByText(LIVE).waitFor({ timeout: 120_000 });
const rows = await page.locator('[role=row]').count();
console.log(`${await page.locator('p.status').innerText()}, ${rows} rows in the document`);
for (const [what, { milliseconds, kilobytes }] of Object.entries(await useList(page))) {
  console.log(`${what} of the list: rows after ${milliseconds} ms, ${kilobytes} kB received`);
}
for (const flow of flows) await drawn(page, flow);
await browser.close();
