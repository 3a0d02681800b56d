// The health worker's day at the cabin: residents begin by a scan, values are claimed, entered, corrected, repeated; a
// critical value stops everything; the panel hides who is there; each act with one wrong input.
import { readFileSync } from 'node:fs';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { faults } from './checks.ts';
import { context, demo, launch, logIn, SIZES } from './gateway.ts';

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

async function worker(size: keyof typeof SIZES = 'panel', look = 'lang=zh&theme=light'): Promise<Page> {
  const page = await (await context(browser, size)).newPage();
  await logIn(page, gateway, 'mei');
  await page.goto(`${gateway.url}/cabin?${look}`);
  await page.locator('main .page').waitFor();
  return page;
}

/** What a scanner types: fast, then Enter. */
async function scan(page: Page, text: string): Promise<void> {
  await page.locator('main').focus();
  await page.keyboard.type(text, { delay: 4 });
  await page.keyboard.press('Enter');
}

const NUMBER = '11010519491231002X';
const submit = (page: Page) => page.locator('dialog[open] button[type=submit]').click();
const problem = (page: Page) => page.locator('dialog[open] .problem').innerText();
const tile = (page: Page, name: string) => page.locator(`main section[aria-label="${name}"]`);

/** Waits for the visit of the resident; where the demonstration has one open, it is asked whether that ends. */
async function begin(page: Page): Promise<void> {
  await expect.poll(async () => {
    if (await page.locator('main .who', { hasText: '002X' }).count()) return true;
    if (await page.locator('dialog[open]').count()) await submit(page).catch(() => {});
    return false;
  }, { timeout: 20_000, interval: 300 }).toBe(true);
}

/** Begins the visit of the resident of the morning. */
async function comeAgain(page: Page): Promise<void> {
  const found = await (await page.request.post(`${gateway.url}/api/v1/residents/search`, { data: { text: NUMBER } })).json();
  const opened = await page.request.post(`${gateway.url}/api/v1/visits`, { data: { by: 'card', resident: found[0].pseudonym } });
  expect(opened.status()).toBe(201);
  await page.locator('main .who', { hasText: '002X' }).waitFor();
}

/** By hand, one value. */
async function enter(page: Page, sign: string, values: string[], reason: string): Promise<void> {
  await page.locator('main .acts .button', { hasText: '手工录入' }).click();
  await page.locator('dialog [role=radio]', { hasText: sign }).click();
  for (const [at, value] of values.entries()) await page.locator('dialog .pair input').nth(at).fill(value);
  await page.locator('dialog label', { hasText: '原因' }).locator('input').fill(reason);
  await submit(page);
}

test('a morning at the cabin', async () => {
  const page = await worker();
  // A scan of somebody who is not known asks who it is; the check digit and the consent are looked at.
  await expect.poll(async () => {
    if (await page.locator('dialog', { hasText: '登记新居民' }).count()) return true;
    await scan(page, NUMBER);
    return false;
  }, { timeout: 40_000, interval: 1000 }).toBe(true);
  const name = page.locator('dialog label', { hasText: '姓名' }).locator('input');
  await submit(page);
  expect(await problem(page)).toContain('请填姓名');
  await name.fill('张小明');
  const number = page.locator('dialog label', { hasText: '身份证号' }).locator('input');
  await number.fill('110105194912310021');
  await submit(page);
  expect(await problem(page)).toContain('校验码');
  await number.fill(NUMBER);
  await submit(page);
  expect(await problem(page)).toContain('同意');
  expect(await faults(page)).toEqual([]);
  await page.locator('dialog .choices .button', { hasText: '高血压' }).click();
  await page.locator('dialog .agree input').check();
  await submit(page);
  await begin(page);
  expect(await page.locator('main .who').innerText(), 'the name is hidden until it is asked for').toContain('张**');
  await page.locator('main .who .button', { hasText: '看全名' }).click();
  await page.locator('main .who', { hasText: '张小明' }).waitFor();

  // By hand: what is impossible is refused before it is sent; what was typed stays when the page is reloaded.
  await page.locator('main .acts .button', { hasText: '手工录入' }).click();
  await page.locator('dialog .pair input').first().fill('14');
  await submit(page);
  expect(await problem(page)).toContain('40 到 300');
  expect(await faults(page)).toEqual([]);
  await page.locator('dialog .pair input').first().fill('148');
  await page.reload();
  await page.locator('main .who', { hasText: '002X' }).waitFor();
  await page.locator('main .acts .button', { hasText: '手工录入' }).click();
  expect(await page.locator('dialog .pair input').first().inputValue(), 'nothing typed is lost').toBe('148');
  await page.locator('dialog .pair input').nth(1).fill('92');
  await submit(page);
  expect(await problem(page)).toContain('请写原因');
  await page.locator('dialog label', { hasText: '原因' }).locator('input').fill('台式血压计');
  await submit(page);
  await tile(page, '血压').locator('.number', { hasText: '148/92' }).waitFor();
  await tile(page, '血压').locator('.verdict').click();
  expect(await tile(page, '血压').innerText(), 'the verdict has a source').toContain('指南');

  // The guided series: the second is asked for after a rest; a reload loses nothing of it.
  await page.locator('main .acts .guide', { hasText: '重测血压' }).click();
  await enter(page, '血压', ['140', '90'], '台式血压计');
  await page.locator('main .acts .guide', { hasText: '1/2' }).waitFor();
  await page.reload();
  await page.locator('main .acts .guide', { hasText: '1/2' }).waitFor();
  await enter(page, '血压', ['138', '88'], '台式血压计');
  await page.locator('main .acts .guide', { hasText: '已测 2 次' }).waitFor();
  await tile(page, '血压').locator('.number', { hasText: '139/89' }).waitFor();

  // Put right, and taken back.
  await page.locator('main .acts .button', { hasText: '更正' }).click();
  await page.locator('dialog li .row').first().click();
  await page.locator('dialog .acts .main').click();
  expect(await problem(page)).toContain('请写原因');
  await page.locator('dialog li input').first().fill('136');
  await page.locator('dialog label', { hasText: '原因' }).locator('input').fill('看错');
  await page.locator('dialog .acts .main').click();
  await page.locator('dialog li', { hasText: '已更正' }).first().waitFor();
  expect(await faults(page)).toEqual([]);
  await page.keyboard.press('Escape');
  await tile(page, '血压').locator('.number', { hasText: '138/89' }).waitFor();

  // A critical value stands over everything until the number is read back.
  await enter(page, '血糖', ['17.2'], '便携血糖仪');
  const critical = page.locator('dialog[aria-label="危急值"]');
  await critical.waitFor();
  expect(await critical.innerText()).toContain('17.2');
  expect(await faults(page)).toEqual([]);
  await page.keyboard.press('Escape');
  await critical.waitFor();
  await critical.locator('input').fill('12.7');
  await critical.locator('.acts .main', { hasText: '转诊' }).click();
  await expect.poll(() => critical.locator('.problem').innerText(), { timeout: 20_000 }).toContain('17.2');
  await critical.locator('input').fill('17.2');
  await critical.locator('.acts .main', { hasText: '转诊' }).click();
  await critical.waitFor({ state: 'detached' });
  await tile(page, '血糖').locator('.number', { hasText: '17.2' }).waitFor();

  // The sheet of the resident, the day, the end.
  await page.locator('main .who .button', { hasText: '居民档案' }).click();
  await page.locator('dialog', { hasText: '就诊 1 次' }).waitFor();
  expect(await faults(page)).toEqual([]);
  await page.keyboard.press('Escape');
  await page.locator('main .today .button', { hasText: '今日名单' }).click();
  await page.locator('dialog li', { hasText: '张**' }).first().waitFor();
  expect(await faults(page)).toEqual([]);
  await page.keyboard.press('Escape');
  await page.locator('main .today .button', { hasText: '随访' }).click();
  await page.locator('dialog li', { hasText: '高血压' }).first().waitFor();
  await page.keyboard.press('Escape');
  await page.locator('main .acts .button.main', { hasText: '结束' }).click();
  await submit(page);
  await page.locator('main .who', { hasText: '002X' }).waitFor({ state: 'detached' });
  // Who stayed to the end may take a slip along: as PDF, and printed where a printer is set up.
  await page.locator('dialog', { hasText: '结果单' }).waitFor();
  const [download] = await Promise.all([page.waitForEvent('download'), page.locator('dialog .keep').click()]);
  expect(readFileSync(await download.path()).subarray(0, 5).toString()).toBe('%PDF-');
  await submit(page);
  await expect.poll(() => problem(page), { timeout: 10_000 }).toContain('打印机');
  expect(await faults(page)).toEqual([]);
  await page.keyboard.press('Escape');
  const audit = await (await page.request.get(`${gateway.url}/api/v1/visits/counts`)).json();
  expect(audit.referred).toBe(1);
  await page.context().close();
});

test('what nobody owns is claimed with a touch and given back with another', async () => {
  const page = await worker();
  // The monitor of the demonstration names a visit that is not open: its result is nobody's.
  await comeAgain(page);
  const waiting = page.locator('aside li', { has: page.locator('button') }).first();
  await waiting.waitFor({ timeout: 60_000 });
  const text = await waiting.locator('b').innerText();
  await waiting.locator('button').click();
  const undo = page.locator('aside .undo');
  await undo.waitFor();
  expect(await undo.innerText()).toContain(text);
  expect(await faults(page)).toEqual([]);
  await undo.locator('button').click();
  await undo.waitFor({ state: 'detached' });
  await page.locator('aside li b', { hasText: text }).first().waitFor();
  await page.locator('main .acts .button.main', { hasText: '结束' }).click();
  await page.locator('dialog .left').click();
  await page.locator('main .who', { hasText: '002X' }).waitFor({ state: 'detached' });
  await page.context().close();
});

test('personal data is hidden when nobody touches the screen, and shown again with a touch', async () => {
  const page = await (await context(browser, 'panel')).newPage();
  await page.clock.install();
  await logIn(page, gateway, 'mei');
  await page.goto(`${gateway.url}/cabin?lang=zh&theme=light`);
  await page.locator('main .page').waitFor();
  await page.clock.fastForward(61_000);
  await page.locator('main .notice', { hasText: '已隐藏' }).waitFor();
  expect(await page.locator('main .page').count()).toBe(0);
  await page.mouse.click(640, 400);
  await page.locator('main .page').waitFor();
  await page.context().close();
});

test.each(Object.keys(SIZES) as (keyof typeof SIZES)[])('whole, accessible and touchable on a %s', async (size) => {
  const page = await worker(size);
  await comeAgain(page);
  for (const lang of ['zh', 'en']) {
    for (const theme of ['light', 'dark']) {
      await page.goto(`${gateway.url}/cabin?lang=${lang}&theme=${theme}`);
      await page.locator('main .who').waitFor();
      expect(await faults(page), `${size} ${lang} ${theme}`).toEqual([]);
      if (process.env.LINLI_LOOK) await page.screenshot({ path: `${process.env.LINLI_LOOK}/cabin-${size}-${lang}-${theme}.png` });
    }
  }
  await page.request.get(`${gateway.url}/api/v1/cabin`);
  await page.context().close();
});
