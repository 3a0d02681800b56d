// Values are alive, and say so when they are not: the gateway is stopped under the page and started again.
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { context, demo, launch, logIn, open } from './gateway.ts';

let gateway: Awaited<ReturnType<typeof demo>>;
let browser: Browser;

beforeAll(async () => {
  gateway = await demo();
  browser = await launch();
});
afterAll(async () => {
  await browser?.close();
  await gateway?.stop();
});

test('what is not read yet is not called calm', async () => {
  const page = await (await context(browser, 'panel')).newPage();
  await logIn(page, gateway);
  // The alarms are asked for, and never come.
  let isAsked = false;
  await page.route(/\/api\/v1\/alarms/, () => (isAsked = true));
  for (const view of ['overview', 'wall/overview', 'alarms']) {
    await page.goto(`${gateway.url}/${view}`);
    await expect.poll(() => isAsked, { timeout: 20_000 }).toBe(true);
    await page.getByText('正在读取').first().waitFor();
    expect(await page.locator('main').innerText(), view).not.toMatch(/没有报警|一切正常|当前 0/);
    expect(await page.locator('header').allInnerTexts(), view).not.toContain('无报警');
    isAsked = false;
  }
  await page.context().close();
});

test('a cut is shown within ten seconds, and mended without a reload', async () => {
  const page = await (await context(browser, 'panel')).newPage();
  await logIn(page, gateway);
  // On a wall nobody is there to reload it.
  await open(page, gateway, 'wall/canteen');
  expect(await page.locator('.frame > header, .frame > nav').count()).toBe(0);
  await page.evaluate(() => Object.assign(window, { isSamePage: true }));
  const number = page.locator('main .value').first();
  const before = await number.innerText();
  await expect.poll(() => number.innerText(), { timeout: 30_000 }).not.toBe(before);

  await gateway.stop(true);
  const band = page.locator('.band[role=alert]');
  await band.waitFor({ timeout: 15_000 });
  expect(await band.innerText()).toContain('数据中断');
  await expect.poll(() => page.locator('main .value:is(.old, .none)').count()).toBe(await page.locator('main .value').count());
  expect(await page.locator('main .verdict.good').count(), 'nothing is called good').toBe(0);

  const again = await demo([], gateway.port, gateway.folder);
  gateway = again;
  await band.waitFor({ state: 'detached', timeout: 30_000 });
  await expect.poll(() => page.locator('main .value:not(.old, .none)').count(), { timeout: 20_000 }).toBeGreaterThan(0);
  expect(await page.evaluate(() => 'isSamePage' in window), 'the page was not loaded anew').toBe(true);
});
