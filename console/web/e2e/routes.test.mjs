// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// The device that is lost and comes back, and an ICG that the browser cannot reach.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { describe, it } from 'node:test';
import { startAgent } from './agents.mjs';
import { assertAccessible, withPage } from './suite.mjs';
import {
  FLOWS,
  activeSessions,
  banner,
  deviceOf,
  launchTrustingServerOnly,
  logIn,
  openByList,
  opened,
  panelOf,
  quickstart,
  run,
  shows,
} from './support.mjs';

// As if the server's policy did not allow the route through it, as is the default.
async function withoutServerRoute(page) {
  await page.route(/devices\/[^/]+\/sessions$/, async (route) => {
    const response = await route.fetch({ ignoreHTTPSErrors: true });
    const session = await response.json();
    delete session.consoleFallbackUrl;
    await route.fulfill({ response, json: session });
  });
}

describe('loss and routes', () => {
  const given = withPage();

  for (const flow of FLOWS) {
    it(`${flow}: tells the loss of a device, shows it offline and online again, and opens again`, async () => {
      const { page } = given;
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
        const ending =
          flow === 'OS11_DIRECT' ? /The (connection to the device was lost|device closed the terminal)/ : 'The connection to the device was lost';
        await banner(panel).getByText(ending).waitFor({ timeout: 30_000 });
        await page.goto(`${quickstart.url}/#/devices`);
        const row = page.locator(`[data-device="${id}"]`);
        // One that is dialled is looked for every 30 s.
        await row.getByText('offline').waitFor({ timeout: 60_000 });
        agent = await startAgent(id, flow);
        await row.getByText('online', { exact: true }).waitFor({ timeout: 30_000 });
        await page.goto(`${quickstart.url}/#/terminals`);
        await panel.getByRole('button', { name: 'Open again' }).click();
        await opened(panel);
        await run(page, panel, 'echo back=$((5+5))');
        await shows(panel, /^back=10/m);
        await page.getByRole('button', { name: 'Close the terminal' }).click();
      } finally {
        agent.kill('SIGTERM');
      }
    });
  }

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
        const [session] = await activeSessions(id);
        assert.equal(session.consoleThroughServer, true);
        await panel.getByRole('button', { name: 'through the server' }).click();
        const dialog = other.getByRole('dialog', { name: 'Why through the server?' });
        await dialog.getByText('The server itself reaches this ICG.').waitFor();
        await assertAccessible(other, 'through the server');
        await dialog.getByRole('button', { name: 'Close' }).click();
        await other.goto(`${quickstart.url}/#/sessions`);
        await other.locator(`[data-session="${session.name}"]`).getByText('through the server').waitFor();
        await other.goto(`${quickstart.url}/#/terminals`);
        await run(other, panel, 'exit 7');
        await banner(panel).getByText(flow === 'OS12_ICG' ? /exit code 7/ : /The device closed/).waitFor();
        // The next one does not try in vain.
        await panel.getByRole('button', { name: 'Open again' }).click();
        await opened(panel);
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
      await warning.locator('#details-button').waitFor();
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
});
