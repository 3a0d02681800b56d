// The pictures of docs/screens, drawn when LINLI_SCREENS names their folder: `cargo xtask screens`.
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { context, launch, type Look, SIZES } from '../../../web/tests/browser/gateway.ts';
import { demo, type District, fileOf, logIn, open, personOf, until } from './start.ts';

const FOLDER = process.env.LINLI_SCREENS;

const PICTURES: ({ name: string; view: string; wait: string } & Look)[] = [
  { name: 'map', view: 'map', wait: '.side .card', size: 'panel', lang: 'zh', theme: 'light' },
  { name: 'map-wall', view: 'map', wait: '.side .card', size: 'wall', lang: 'zh', theme: 'dark' },
  { name: 'map-phone', view: 'map', wait: '.side .card', size: 'phone', lang: 'en', theme: 'light' },
  { name: 'centre', view: 'centre/demo-003', wait: '.devices .value', size: 'panel', lang: 'zh', theme: 'light' },
  { name: 'alarms', view: 'alarms', wait: 'main li.card', size: 'panel', lang: 'en', theme: 'dark' },
  { name: 'rank', view: 'rank', wait: 'ol li', size: 'panel', lang: 'zh', theme: 'light' },
  { name: 'report', view: 'report/demo-003', wait: 'main table', size: 'panel', lang: 'zh', theme: 'light' },
  { name: 'new', view: 'orders/new', wait: 'li label', size: 'panel', lang: 'zh', theme: 'light' },
];

/** A drill that two people approved, when all stages are out and two centres are silent. */
async function order(district: District, browser: Browser, draw: (page: Page, name: string) => Promise<void>): Promise<void> {
  const page = await (await context(browser, 'panel')).newPage();
  const ask = async (account: string, path: string, data: object) => {
    await page.context().clearCookies();
    await logIn(page, district, account);
    const answer = await page.request.post(`${district.url}/api/v1/orders${path}`, { data, headers: { origin: district.url } });
    if (!answer.ok()) throw new Error(`${path}: ${await answer.text()}`);
    return (await answer.json()) as { id: string; seen: string };
  };
  const typed = { count: 14, class: 'Exercise' };
  const { id, seen } = await ask('chen', '', { order: readFileSync(fileOf(district, 'signed order, drill'), 'utf8') });
  await ask('chen', `/${id}/approve`, { seen, password: personOf(district, 'chen').password });
  await ask('deng', `/${id}/approve`, { seen, password: personOf(district, 'deng').password, ...typed });
  for (const stage of [2, 3]) await ask('deng', `/${id}/release`, { stage, ...typed });
  await until(district, "SELECT count(*) FROM order_target WHERE result IS NOT NULL", 10);
  await until(district, "SELECT count(*) FROM room WHERE stage = 'ready'", 6);
  await open(page, district, `orders/${id}`);
  await page.locator('section ul li').nth(13).waitFor();
  await draw(page, 'order');
  await page.setViewportSize(SIZES.phone);
  await open(page, district, `orders/${id}`, { lang: 'en', theme: 'dark' });
  await page.locator('section ul li').nth(13).waitFor();
  await draw(page, 'order-phone');
}

/** Borders of four streets, for the pictures only. */
const GROUND = { type: 'MultiPolygon', coordinates: [[[[121.4, 31.23], [121.44, 31.29], [121.48, 31.28], [121.47, 31.23], [121.4, 31.23]]], [[[121.47, 31.23], [121.48, 31.28], [121.54, 31.27], [121.53, 31.21], [121.47, 31.23]]], [[[121.4, 31.23], [121.47, 31.23], [121.46, 31.17], [121.41, 31.18], [121.4, 31.23]]], [[[121.47, 31.23], [121.53, 31.21], [121.51, 31.17], [121.46, 31.17], [121.47, 31.23]]]] };

test.runIf(FOLDER)('pictures', async () => {
  const folder = FOLDER ?? '';
  mkdirSync(folder, { recursive: true });
  const [district, browser] = [await demo(14, 3), await launch()];
  const draw = async (page: Page, name: string) => {
    const bytes = await page.screenshot({ path: join(folder, `district-${name}.png`) });
    expect(bytes.length, name).toBeGreaterThan(10_000);
  };
  await until(district, 'SELECT max(upper(seqs)) FROM epoch', 40);
  await until(district, "SELECT count(*) FROM gateway WHERE NOT online", 1);
  for (const { name, view, wait, size, lang, theme } of PICTURES) {
    const page = await (await context(browser, size)).newPage();
    await logIn(page, district, 'chen');
    await page.route('**/api/v1/outlines', (route) => route.fulfill({ json: GROUND }));
    await open(page, district, view, { lang, theme });
    await page.locator(wait).first().waitFor();
    await draw(page, name);
    await page.context().close();
  }
  await order(district, browser, draw);
  await browser.close();
  await district.stop();
}, 200_000);
