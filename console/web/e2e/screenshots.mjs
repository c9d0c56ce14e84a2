// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Pictures of each page for the documentation, into docs/images. Usage, with a quickstart running:
// FAIRLEAD_QUICKSTART=STATE_DIR/quickstart.json npm run screenshots
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { banner, deviceOf, launch, logIn, newPage, openByList, quickstart, rest, run, shows } from './support.mjs';

const folder = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../../docs/images');
const DEMO = 'clear; echo "Fleet of $((40+2)) devices"; uname -sm; ls --color=always -d /usr/*; printf "\\e[32mdone\\e[0m\\n"';

for (const [flow, tags] of [['OS12_DIRECT', ['berlin', 'till']], ['OS12_ICG', ['berlin', 'lobby']], ['OS11_ICG', ['paris', 'till']]]) {
  await rest('POST', `/api/v1/devices/${deviceOf(flow)}:changeTags`, { add: tags });
}
const browser = await launch();
const page = await newPage(browser, { viewport: { width: 1200, height: 720 } });
page.setDefaultTimeout(15_000);
const shoot = async (name) => {
  await page.waitForTimeout(500);
  await page.screenshot({ path: path.join(folder, `web-${name}.png`) });
};
const visit = async (route) => {
  await page.goto(`${quickstart.url}/#/${route}`);
  await page.locator('main:not([hidden]) h1').waitFor({ state: 'attached' });
};
const theme = async (value) => {
  await page.getByRole('button', { name: 'Settings' }).click();
  await page.getByLabel('Theme').selectOption(value);
  await page.getByRole('dialog').getByRole('button', { name: 'Close' }).click();
};

await page.goto(quickstart.url);
await page.getByLabel('User name').waitFor();
await shoot('login');
await logIn(page);
await shoot('devices');
await visit(`devices/${deviceOf('OS12_ICG')}`);
await shoot('device');

const first = await openByList(page, deviceOf('OS12_DIRECT'));
await shows(first, /[$#] /);
await run(page, first, DEMO);
await shows(first, /^done/m);
await shoot('terminal');
const second = await openByList(page, deviceOf('OS11_ICG'));
await shows(second, /[$#] /);
await run(page, second, 'clear; ls -l --color=always /usr; seq -s " " 60; exit 0');
await banner(second).waitFor();
await theme('dark');
await page.getByRole('button', { name: 'Side by side' }).click();
await shoot('terminals-dark');
await page.getByRole('button', { name: 'Side by side' }).click();
await theme('light');

await visit('sessions');
await page.getByLabel('running only').uncheck();
await shoot('sessions');
await visit('audit');
await shoot('audit');
await visit('keys');
await shoot('keys');
await visit('icgs');
await shoot('icgs');
await page.getByRole('button', { name: 'Settings' }).click();
await shoot('settings');
await page.getByRole('dialog').getByRole('button', { name: 'Close' }).click();
await theme('contrast');
await visit('devices');
await page.getByLabel('Search by name or unit ID').fill('');
await shoot('devices-contrast');
await browser.close();
