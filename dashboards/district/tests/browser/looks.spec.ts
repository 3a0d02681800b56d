// Every view in every size, language and theme: accessible, nothing clipped, everything touchable, no text missing.
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { faults } from '../../../web/tests/browser/checks.ts';
import { context, launch, SIZES } from '../../../web/tests/browser/gateway.ts';
import { demo, type District, logIn, open, sql, until } from './start.ts';

const VIEWS = ['map', 'centre/demo-003', 'alarms', 'rank', 'report/demo-003', 'orders', 'orders/new', 'aside', 'centre/none'];

let district: District;
let browser: Browser;

beforeAll(async () => {
  district = await demo();
  browser = await launch();
  // With something wrong everywhere: what is calm is easily whole.
  await until(district, 'SELECT count(*) FROM latest', 70);
  sql(district, "INSERT INTO alarm (gateway, alarm, state, priority, device, text, at) SELECT id, 'x', 'unacknowledged', 'high', 'fridge-1', '冷藏柜：温度过高，超过 8 °C 已经 40 分钟，请移走食物', now() FROM gateway WHERE centre IN ('demo-003', 'demo-008')");
  sql(district, "INSERT INTO poison (topic, reason, detail, bytes, payload) VALUES ('linli/1/demo-004/gw/data/very-long-device-name-of-somebody', 'claims_another', 'the epoch belongs to demo-001/gw', 120, 'x')");
  sql(district, "UPDATE gateway SET online = false WHERE centre IN ('demo-006', 'demo-009')");
});
afterAll(async () => {
  await browser?.close();
  await district?.stop();
});

describe.each(Object.keys(SIZES) as (keyof typeof SIZES)[])('%s', (size) => {
  test('every view', async () => {
    const page = await (await context(browser, size)).newPage();
    const errors: string[] = [];
    page.on('pageerror', (error) => errors.push(error.message));
    await logIn(page, district, 'chen');
    for (const view of VIEWS) {
      for (const lang of ['zh', 'en'] as const) {
        for (const theme of ['light', 'dark'] as const) {
          await open(page, district, view, { lang, theme });
          expect(await faults(page), `${view} ${lang} ${theme}`).toEqual([]);
        }
      }
    }
    await page.context().clearCookies();
    await logIn(page, district, 'guan');
    for (const view of ['accounts', 'gateways', 'record']) {
      for (const [lang, theme] of [['zh', 'light'], ['en', 'dark']] as const) {
        await open(page, district, view, { lang, theme });
        await page.locator('main li').nth(4).waitFor();
        expect(await faults(page), `${view} ${lang}`).toEqual([]);
      }
    }
    await page.context().clearCookies();
    await page.goto(`${district.url}/map?lang=en&theme=dark`);
    await page.locator('dialog').waitFor();
    expect(await faults(page), 'log-in').toEqual([]);
    expect(errors).toEqual([]);
    await page.context().close();
  });
});

test('nothing scrolls sideways on the narrowest phone', async () => {
  const page = await (await browser.newContext({ viewport: { width: 320, height: 640 }, reducedMotion: 'reduce' })).newPage();
  await logIn(page, district, 'chen');
  for (const view of VIEWS) {
    await open(page, district, view, { lang: 'en', theme: 'light' });
    expect(await page.evaluate(() => document.documentElement.scrollWidth), view).toBeLessThanOrEqual(320);
  }
  await page.context().close();
});
