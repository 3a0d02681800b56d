// The sheets and dialogs of devices, alarms, kiosks, canteen and system, opened in every size, language and theme. With
// LINLI_SHEETS=DIR a picture of each goes there.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { faults } from './checks.ts';
import { context, demo, type Gateway, launch, logIn, open, SIZES } from './gateway.ts';

const FOLDER = process.env.LINLI_SHEETS;

interface Sheet { name: string; view: string; account?: string; act: (page: Page) => Promise<void> }

const card = (page: Page, zh: string, en: string) => page.locator(`main section[aria-label="${zh}"], main section[aria-label="${en}"]`);

const SHEETS: Sheet[] = [
  { name: 'system', view: 'system', act: (page) => card(page, '备份', 'Backup').locator('summary').click() },
  { name: 'fingerprint', view: 'system', act: async (page) => { await card(page, '证书', 'Certificate').locator('.button').click(); await page.locator('dialog svg[role=img]').waitFor(); } },
  { name: 'backup', view: 'system', act: (page) => card(page, '备份', 'Backup').locator('.button').click() },
  { name: 'licences', view: 'system', act: async (page) => { await card(page, '第三方声明', 'Third-party notices').locator('.button').click(); await page.locator('dialog li').first().waitFor(); } },
  { name: 'device', view: 'devices', act: async (page) => { await page.locator('main li', { hasText: '电表' }).first().locator('button').click(); await page.locator('dialog .pause').waitFor({ timeout: 120_000 }); } },
  { name: 'told', view: 'alarms', act: async (page) => { await page.locator('main li.card').first().locator('.button', { hasText: /通知|Told/ }).click(); await page.locator('main li.card section li').first().waitFor(); } },
  { name: 'kiosk', view: 'kiosks', act: async (page) => { await page.locator('main section.card footer .button').first().click(); await page.locator('dialog section tbody tr').first().waitFor(); } },
  { name: 'kiosk-note', view: 'kiosks', act: async (page) => { await page.locator('main section.card footer .button').first().click(); await page.locator('dialog .acts .button').first().click(); await page.locator('dialog form').waitFor(); } },
  { name: 'canteen-sheets', view: 'canteen', account: 'lan', act: (page) => card(page, '食品安全日记录', 'Food safety record').scrollIntoViewIfNeeded() },
];

let gateway: Gateway;
let browser: Browser;

beforeAll(async () => {
  gateway = await demo(['no-paper', 'dead-meter']);
  browser = await launch();
  if (FOLDER) mkdirSync(FOLDER, { recursive: true });
});
afterAll(async () => {
  await browser?.close();
  await gateway?.stop();
});

describe.each(Object.keys(SIZES) as (keyof typeof SIZES)[])('%s', (size) => {
  test.each(SHEETS)('$name', async ({ name, view, account, act }) => {
    const page = await (await context(browser, size)).newPage();
    await logIn(page, gateway, account);
    for (const [lang, theme] of [['zh', 'light'], ['zh', 'dark'], ['en', 'light'], ['en', 'dark']] as const) {
      await open(page, gateway, view, { lang, theme });
      await act(page);
      if (FOLDER) await page.screenshot({ path: join(FOLDER, `${name}-${size}-${lang}-${theme}.png`), fullPage: name === 'system' || name === 'told' });
      expect(await faults(page), `${lang} ${theme}`).toEqual([]);
    }
    await page.context().close();
  }, 240_000);
});
