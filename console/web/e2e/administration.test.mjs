// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// The other pages: sessions, enrolment keys, ICGs, audit log; and that everyone can use all of them.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { describe, it } from 'node:test';
import { assertAccessible, withPage } from './suite.mjs';
import { deviceOf, newPage, openByList, quickstart, rest, stateDir } from './support.mjs';

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

describe('administration', () => {
  const given = withPage();

  it('terminates a session', async () => {
    const { page } = given;
    const id = deviceOf('OS11_ICG');
    await openByList(page, id);
    await page.getByRole('link', { name: 'Sessions' }).click();
    await page.getByRole('button', { name: `Terminate: session on ${id}` }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Terminate' }).click();
    await page.getByRole('link', { name: /Terminals/ }).click();
    await page.locator('[data-banner]').getByText('An administrator terminated').waitFor();
    await page.getByRole('button', { name: 'Close the terminal' }).click();
  });

  it('makes a key, by which a device enrols, once', async () => {
    const { page } = given;
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
    // It let a device in, once.
    const row = page.getByRole('row', { name: new RegExp(name) });
    await page.getByRole('button', { name: 'Create a key' }).waitFor();
    await row.getByText('used', { exact: true }).waitFor();
  });

  it('registers an ICG and downloads its bundle', async () => {
    const { page } = given;
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
  });

  it('filters and exports the audit log', async () => {
    const { page } = given;
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
    const german = await newPage(given.browser, { locale: 'de-DE' });
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
        await german.getByText('Wird geladen…').waitFor({ state: 'detached' });
        await assertAccessible(german, `${route}, ${theme}`);
      }
    }
    await german.context().close();
  });
});
