// The map and what one finds by it: real program, real database, simulated centres.
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { context, launch } from '../../../web/tests/browser/gateway.ts';
import { demo, type District, logIn, open, sql } from './start.ts';

let district: District;
let browser: Browser;
let page: Page;

beforeAll(async () => {
  district = await demo(14, 1);
  browser = await launch();
  page = await (await context(browser, 'panel')).newPage();
  await logIn(page, district, 'kan');
});
afterAll(async () => {
  await browser?.close();
  await district?.stop();
});

test('every centre is on the map and in the list, and is found by a part of its name', async () => {
  await open(page, district, 'map');
  await page.locator('.side .card').nth(13).waitFor();
  expect(await page.locator('.plane > button').count()).toBeGreaterThan(5);
  await page.getByRole('searchbox').fill('星河');
  await expect.poll(() => page.locator('.side .card').count()).toBe(1);
  expect(await page.locator('.sum').innerText()).toContain('1');
  await page.getByRole('searchbox').fill('没有这样的');
  await page.getByText('没有符合的中心').waitFor();
  await page.getByRole('searchbox').fill('021-55500002');
  await expect.poll(() => page.locator('.side .card').count()).toBe(1);
});

test('the map is moved and zoomed by keys, wheel and buttons, and shows all again', async () => {
  await open(page, district, 'map');
  const first = page.locator('.plane > button').first();
  await first.waitFor();
  const label = (await first.getAttribute('aria-label')) ?? '';
  const mark = page.locator(`.plane > button[aria-label="${label}"]`);
  const place = async () => (await mark.boundingBox())?.x ?? -1;
  const before = await place();
  await page.locator('.plane').focus();
  await page.keyboard.press('ArrowLeft');
  await expect.poll(place).toBeCloseTo(before + 80, 0);
  await page.keyboard.press('0');
  await expect.poll(place).toBeCloseTo(before, 0);
  await page.getByRole('button', { name: '放大' }).click();
  await expect.poll(async () => (await mark.count()) === 0 || Math.abs((await place()) - before) > 5).toBe(true);
  await page.getByRole('button', { name: '看全区' }).click();
  await expect.poll(place).toBeCloseTo(before, 0);
});

test('a touch on a centre opens it; its values are live and have a trend as chart and table', async () => {
  await open(page, district, 'map');
  await page.getByRole('searchbox').fill('清泉');
  await page.locator('.plane > button').first().click();
  await page.getByRole('heading', { name: '清泉邻里中心' }).waitFor();
  const value = page.locator('section', { hasText: '阅览室' }).getByRole('button', { name: /温度/ });
  await value.waitFor();
  expect(await value.innerText()).toMatch(/\d+(\.\d)? °C/);
  await value.click();
  await page.locator('.chart canvas').waitFor();
  await page.getByRole('radio', { name: '表格' }).click();
  await page.locator('dialog tbody tr').first().waitFor();
  const [shown, stored] = [await page.locator('dialog tbody tr').count(), Number(sql(district, "SELECT count(*) FROM message m JOIN shape s ON s.id = m.shape JOIN device d ON d.id = s.device JOIN gateway g ON g.id = d.gateway WHERE g.centre = 'demo-001' AND d.device = 'room-1'"))];
  expect(shown).toBeGreaterThan(0);
  expect(shown).toBeLessThanOrEqual(stored);
  await page.keyboard.press('Escape');
});

test('a real gateway shows its values here as the simulated ones do', async () => {
  await open(page, district, 'centre/demo-013');
  const fridge = page.locator('section', { hasText: '一号冰箱' }).first();
  await fridge.waitFor({ timeout: 60_000 });
  await expect.poll(() => fridge.innerText(), { timeout: 60_000 }).toMatch(/\d °C/);
  // Rooms are called as people there call them.
  const rooms = page.getByRole('region', { name: '房间' });
  await expect.poll(() => rooms.locator('b').allInnerTexts(), { timeout: 60_000 }).toContain('活动厅');
  expect(await rooms.locator('b').allInnerTexts()).not.toContain('hall');
});

test('what is not there is said, with the way back', async () => {
  await open(page, district, 'centre/none');
  await page.getByText('没有找到').waitFor();
  await page.getByRole('link', { name: '地图' }).last().click();
  await page.locator('.plane').waitFor();
});

test('a gap is shown as a gap, and a silent centre is never calm', async () => {
  // The fourth centre leaves numbers out; one that went away is told by the broker or by its age.
  await expect.poll(() => sql(district, "SELECT count(*) FROM epoch e JOIN gateway g ON g.id = e.gateway WHERE g.centre = 'demo-003' AND upper(e.seqs) > 12"), { timeout: 60_000 }).toBe('1');
  sql(district, "UPDATE gateway SET online = false WHERE centre = 'demo-005'");
  await open(page, district, 'map');
  await page.getByRole('radio', { name: '缺数据' }).click();
  const card = page.locator('.side .card', { hasText: '望江' });
  await card.waitFor();
  expect(await card.innerText()).toContain('缺 6 条');
  await page.getByRole('radio', { name: '无联系' }).click();
  await page.locator('.side .card.silent', { hasText: '春晓' }).waitFor();
  await open(page, district, 'centre/demo-005');
  await page.getByText('不一定还是这样').waitFor();
  expect(await page.locator('.value.old').count()).toBeGreaterThan(0);
  sql(district, "UPDATE gateway SET online = true WHERE centre = 'demo-005'");
});

test('when the server is silent the page says so, and comes back by itself', async () => {
  await open(page, district, 'map');
  await page.locator('.side .card').first().waitFor();
  await page.context().setOffline(true);
  await page.getByRole('alert').filter({ hasText: '数据中断' }).waitFor({ timeout: 30_000 });
  await page.context().setOffline(false);
  await page.getByRole('alert').filter({ hasText: '数据中断' }).waitFor({ state: 'hidden', timeout: 30_000 });
});

test('centres are ranked, and two are compared', async () => {
  await open(page, district, 'rank');
  await page.getByRole('radio', { name: '缺数据' }).click();
  await expect.poll(() => page.locator('ol li').first().innerText()).toContain('望江');
  await page.getByRole('checkbox').nth(0).check();
  await page.getByRole('checkbox').nth(1).check();
  await page.getByRole('combobox').selectOption('room-1/temperature');
  await page.locator('.chart canvas').waitFor();
});
