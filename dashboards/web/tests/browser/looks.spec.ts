// Every view in every size, language and theme: accessible, nothing clipped, everything touchable, no text missing.
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { faults } from './checks.ts';
import { context, demo, type Gateway, launch, logIn, open, SIZES } from './gateway.ts';

const VIEWS = ['overview', 'alarms', 'canteen', 'kiosks', 'rooms', 'devices'];

let gateway: Gateway;
let browser: Browser;

beforeAll(async () => {
  // With something wrong everywhere: what is calm is easily whole.
  gateway = await demo(['fridge-warming', 'no-paper', 'dead-meter', 'gas-silent']);
  browser = await launch();
});
afterAll(async () => {
  await browser?.close();
  await gateway?.stop();
});

describe.each(Object.keys(SIZES) as (keyof typeof SIZES)[])('%s', (size) => {
  test.each(VIEWS)('%s', async (view) => {
    const wall = size === 'wall' ? 'wall/' : '';
    const page = await (await context(browser, size)).newPage();
    const errors: string[] = [];
    page.on('pageerror', (error) => errors.push(error.message));
    await open(page, gateway, view);
    await logIn(page, gateway);
    for (const lang of ['zh', 'en'] as const) {
      for (const theme of ['light', 'dark'] as const) {
        await open(page, gateway, wall + view, { lang, theme });
        expect(await faults(page), `${lang} ${theme}`).toEqual([]);
      }
    }
    expect(errors).toEqual([]);
    await page.context().close();
  });
});

test('nothing scrolls sideways on the narrowest phone', async () => {
  const page = await (await browser.newContext({ viewport: { width: 320, height: 640 }, reducedMotion: 'reduce' })).newPage();
  for (const view of VIEWS) {
    await open(page, gateway, view, { lang: 'en', theme: 'light' });
    expect(await page.evaluate(() => document.documentElement.scrollWidth), view).toBeLessThanOrEqual(320);
  }
  await page.context().close();
});
