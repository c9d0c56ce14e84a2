// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// What the end-to-end tests alone share: browser and page of a suite, and the check of accessibility.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import { after, afterEach, before, beforeEach } from 'node:test';
import { launch, logIn, newPage } from './support.mjs';

// A browser for the tests of a suite and, for each, a page that is logged in: `browser` and `page` of
// what this gives. A test fails if its page met an error of its own; none leaves a terminal to the next.
export function withPage() {
  const given = {};
  before(async () => {
    given.browser = await launch();
  });
  beforeEach(async () => {
    given.page = await newPage(given.browser);
    await logIn(given.page);
  });
  afterEach(async () => {
    await given.page.context().close();
    assert.deepEqual(given.page.problems, []);
  });
  after(() => given.browser?.close());
  return given;
}

const axeSource = fs.readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

// Rules of WCAG 2.2, levels A and AA.
export async function assertAccessible(page, what) {
  await page.evaluate(axeSource);
  const { violations } = await page.evaluate(() =>
    globalThis.axe.run(document, {
      runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'],
    }),
  );
  const found = violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join('\n  ')}`);
  assert.deepEqual(found, [], what);
}
