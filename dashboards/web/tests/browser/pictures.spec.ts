// The pictures of docs/screens, drawn when LINLI_SCREENS names their folder: `cargo xtask screens`.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { context, demo, drill, launch, logIn, open, type Look } from './gateway.ts';

const FOLDER = process.env.LINLI_SCREENS;

/** History that the trends show. */
const HISTORY_MS = 60_000;

const PICTURES: ({ name: string; view: string; account?: string } & Look)[] = [
  { name: 'overview', view: 'overview', size: 'panel', lang: 'zh', theme: 'light' },
  { name: 'overview-wall', view: 'wall/overview', size: 'wall', lang: 'zh', theme: 'dark' },
  { name: 'overview-phone', view: 'overview', size: 'phone', lang: 'en', theme: 'light' },
  { name: 'alarms', view: 'alarms', size: 'panel', lang: 'zh', theme: 'light' },
  { name: 'alarms-dark', view: 'alarms', size: 'panel', lang: 'en', theme: 'dark' },
  { name: 'cabin', view: 'cabin', account: 'mei', size: 'panel', lang: 'zh', theme: 'light' },
  { name: 'canteen', view: 'canteen', size: 'panel', lang: 'zh', theme: 'light' },
  { name: 'canteen-phone', view: 'canteen', size: 'phone', lang: 'zh', theme: 'light' },
  { name: 'kiosks', view: 'kiosks', size: 'panel', lang: 'zh', theme: 'light' },
  { name: 'devices', view: 'devices', size: 'panel', lang: 'en', theme: 'light' },
  { name: 'system', view: 'system', account: 'zhao', size: 'panel', lang: 'zh', theme: 'light' },
  { name: 'accounts', view: 'system', account: 'guan', size: 'panel', lang: 'zh', theme: 'light' },
  // Last: with the drill every screen gets its colour.
  { name: 'rooms', view: 'rooms', size: 'panel', lang: 'zh', theme: 'light' },
  { name: 'rooms-phone', view: 'rooms', size: 'phone', lang: 'en', theme: 'dark' },
];

test.runIf(FOLDER)('pictures', async () => {
  const folder = FOLDER ?? '';
  mkdirSync(folder, { recursive: true });
  const [gateway, browser] = [await demo(['fridge-warming', 'no-paper', 'dead-meter']), await launch()];
  const first = await (await context(browser, 'panel')).newPage();
  await logIn(first, gateway);
  await open(first, gateway, 'alarms');
  // The fridge needs some minutes to warm; a picture waits for it.
  await first.locator('main li.card.high').first().waitFor({ timeout: 240_000 });
  // A few minutes of history for the trends.
  await first.waitForTimeout(HISTORY_MS);
  let isDrilling = false;
  for (const { name, view, account, size, lang, theme } of PICTURES) {
    if (view === 'rooms' && !isDrilling) {
      await drill(gateway, 'reading-room.sampling@1', 'reading-room');
      isDrilling = true;
    }
    const page = await (await context(browser, size)).newPage();
    await logIn(page, gateway, account);
    await open(page, gateway, view, { lang, theme });
    await page.waitForFunction(() => document.querySelector('main')?.textContent?.includes('°C') || document.querySelectorAll('main .card').length > 0);
    await page.waitForFunction(() => !/正在读取|Reading…/.test(document.querySelector('main')?.textContent ?? ''));
    // A resident with most values measured.
    if (view === 'cabin') await page.waitForFunction(() => (document.querySelector('main .tiles')?.textContent?.match(/未测/g) ?? []).length <= 3 && document.querySelector('main .tiles') !== null, undefined, { timeout: 120_000 });
    const bytes = await page.screenshot({ path: join(folder, `${name}.png`) });
    expect(bytes.length, name).toBeGreaterThan(10_000);
    await page.context().close();
  }
  for (const size of ['panel', 'phone'] as const) {
    const page = await (await context(browser, size)).newPage();
    await page.goto(`${gateway.url}/overview?lang=zh&theme=light`);
    await page.locator('dialog[open]').waitFor();
    await page.screenshot({ path: join(folder, size === 'panel' ? 'log-in.png' : 'log-in-phone.png') });
    await page.context().close();
  }
  await browser.close();
  await gateway.stop();
}, 400_000);
