// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// What the end-to-end tests, the screenshots and the benchmark share: Debian's Chromium against a
// system that ./quickstart runs. FAIRLEAD_QUICKSTART names its quickstart.json.
import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import tls from 'node:tls';
import { chromium } from 'playwright-core';

export const quickstart = JSON.parse(fs.readFileSync(process.env.FAIRLEAD_QUICKSTART ?? '', 'utf8'));
export const stateDir = path.dirname(process.env.FAIRLEAD_QUICKSTART);
export const FLOWS = ['OS12_DIRECT', 'OS12_ICG', 'OS11_DIRECT', 'OS11_ICG'];
export const deviceOf = (flow) => quickstart.devices.find((device) => device.flow === flow).id;

const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium';
// The sandbox wants rights that root in a container may lack.
const FLAGS = process.getuid?.() === 0 ? ['--no-sandbox'] : [];

export function launch() {
  return chromium.launch({ executablePath: CHROMIUM, args: FLAGS });
}

// The hash of a server's public key, as Chromium takes it to trust just that key.
function publicKeyHash(url) {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const socket = tls.connect({ host: hostname, port: Number(port), rejectUnauthorized: false, servername: hostname }, () => {
      const certificate = new crypto.X509Certificate(socket.getPeerCertificate(true).raw);
      const der = certificate.publicKey.export({ type: 'spki', format: 'der' });
      socket.destroy();
      resolve(crypto.createHash('sha256').update(der).digest('base64'));
    });
    socket.on('error', reject);
  });
}

// A browser that trusts the server, and not the ICG.
export async function launchTrustingServerOnly(folder) {
  const hash = await publicKeyHash(quickstart.url);
  return chromium.launchPersistentContext(folder, {
    executablePath: CHROMIUM,
    args: [...FLAGS, `--ignore-certificate-errors-spki-list=${hash}`],
  });
}

// What a browser may report although all is well; everything else fails the test.
const ALLOWED_REPORTS = [
  // A refusal, which the page tells the person itself; browsers report each.
  /^Failed to load resource: the server responded with a status of 4\d\d /,
];

// Notes in `page.problems` what the browser reports of the page.
export function noteProblems(page) {
  page.problems = [];
  page.on('pageerror', (error) => page.problems.push(String(error)));
  // What a test brings about on purpose.
  page.expectedReports = [];
  page.on('console', (message) => {
    if (!['error', 'warning'].includes(message.type())) return;
    if ([...ALLOWED_REPORTS, ...page.expectedReports].some((allowed) => allowed.test(message.text()))) return;
    page.problems.push(`${message.type()}: ${message.text()} (${message.location().url})`);
  });
}

export async function newPage(browser, options = {}) {
  const context = await browser.newContext({
    ignoreHTTPSErrors: true,
    locale: 'en-GB',
    viewport: { width: 1280, height: 800 },
    permissions: ['clipboard-read', 'clipboard-write'],
    ...options,
  });
  const page = await context.newPage();
  page.setDefaultTimeout(10_000);
  noteProblems(page);
  return page;
}

export async function logIn(page) {
  await page.goto(quickstart.url);
  await page.getByLabel('User name').fill(quickstart.username);
  await page.getByLabel('Password').fill(quickstart.password);
  await page.getByRole('button', { name: 'Log in' }).click();
  await page.getByRole('heading', { name: 'Devices' }).waitFor();
}

// The panel of the last terminal that was opened on `id`.
export function panelOf(page, id) {
  return page.locator(`section.panel[data-device="devices/${id}"]`).last();
}

export async function openByList(page, id) {
  await page.goto(`${quickstart.url}/#/devices`);
  await page.getByLabel('Search by name or unit ID').fill(id);
  await page.locator(`[data-device="${id}"]`).getByRole('button').click();
  const panel = panelOf(page, id);
  await opened(panel, 20_000);
  return panel;
}

export const opened = (panel, timeout) => panel.locator('xpath=self::*[@data-phase="open"]').waitFor({ timeout });

export const banner = (panel) => panel.locator('[data-banner]');

export const screenText = (panel) => panel.locator('.screen').evaluate((element) => element.view?.text() ?? '');

// Waits until the terminal shows what `pattern` matches.
export async function shows(panel, pattern, timeout = 20_000) {
  const end = Date.now() + timeout;
  for (;;) {
    const text = await screenText(panel);
    const found = pattern.exec(text);
    if (found) return found;
    if (Date.now() > end) throw new Error(`the terminal does not show ${pattern}:\n${text.trimEnd()}`);
    await new Promise((done) => setTimeout(done, 50));
  }
}

export async function run(page, panel, line) {
  await panel.locator('.xterm-helper-textarea').focus();
  await page.keyboard.type(`${line}\n`);
}

export async function pasteText(page, panel, text) {
  await page.evaluate((content) => navigator.clipboard.writeText(content), text);
  await panel.locator('.xterm-helper-textarea').focus();
  await page.keyboard.press('Shift+Insert');
}

// Watches from now on how long the page does not answer; gives the longest, in milliseconds.
export async function watchPauses(page) {
  await page.evaluate(() => {
    globalThis.longestPause = 0;
    let last = performance.now();
    setInterval(() => {
      const now = performance.now();
      globalThis.longestPause = Math.max(globalThis.longestPause, now - last);
      last = now;
    });
  });
  return () => page.evaluate(() => Math.round(globalThis.longestPause));
}

// What the page's scripts hold.
export async function heapMebibytes(page) {
  const devtools = await page.context().newCDPSession(page);
  await devtools.send('HeapProfiler.collectGarbage');
  const { usedSize } = await devtools.send('Runtime.getHeapUsage');
  await devtools.detach();
  return usedSize / (1024 * 1024);
}

// --- REST -----------------------------------------------------------------------------------------

let token;
export async function rest(verb, url, body) {
  const { username, password } = quickstart;
  token ??= (await call('POST', '/api/v1/login', { username, password })).accessToken;
  return call(verb, url, body, token);
}

async function call(verb, url, body, bearer) {
  const https = await import('node:https');
  const text = body && JSON.stringify(body);
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json', ...(bearer && { authorization: `Bearer ${bearer}` }) };
    const options = { method: verb, headers, ca: fs.readFileSync(quickstart.ca_file) };
    const request = https.request(quickstart.url + url, options, (response) => {
      let all = '';
      response.on('data', (part) => (all += part));
      response.on('end', () =>
        response.statusCode === 200 ? resolve(JSON.parse(all)) : reject(new Error(`${verb} ${url}: ${all}`)),
      );
    });
    request.on('error', reject);
    request.end(text);
  });
}

export async function activeSessions(id) {
  const filter = encodeURIComponent(`device=devices/${id} state=ACTIVE`);
  return (await rest('GET', `/api/v1/sessions?filter=${filter}`)).sessions ?? [];
}
