// A mass order from its import to its report: two people, the ramp, silent centres, and every wrong input on the way.
import { readFileSync } from 'node:fs';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { faults } from '../../../web/tests/browser/checks.ts';
import { context, launch, SIZES } from '../../../web/tests/browser/gateway.ts';
import { demo, type District, fileOf, personOf, until } from './start.ts';

let district: District;
let browser: Browser;
const pages: Record<string, Page> = {};

beforeAll(async () => {
  district = await demo();
  browser = await launch();
  await until(district, 'SELECT count(*) FROM gateway WHERE online', 13);
});
afterAll(async () => {
  await browser?.close();
  await district?.stop();
});

const problem = (page: Page) => page.locator('dialog .problem');

/** Logs in as people do, the second time with the right password. */
async function enter(account: string, isClumsy: boolean): Promise<Page> {
  const page = await (await context(browser, 'panel')).newPage();
  await page.goto(`${district.url}/orders?lang=zh&theme=light`);
  const { password, code } = personOf(district, account);
  const act = page.locator('dialog button[type=submit]');
  await act.waitFor();
  if (isClumsy) {
    await act.click();
    await expect.poll(() => problem(page).innerText()).toContain('请先填完');
  }
  await page.getByLabel('账号').fill(account);
  await page.getByLabel('验证器上的六位数字').fill(code());
  if (isClumsy) {
    await page.getByLabel('密码').fill('wrong-password-1');
    await act.click();
    await expect.poll(() => problem(page).innerText()).toContain('不对');
  }
  await page.getByLabel('密码').fill(password);
  await act.click();
  await page.locator('dialog').waitFor({ state: 'hidden' });
  pages[account] = page;
  return page;
}

async function type(page: Page, count: string, class_: string): Promise<void> {
  await page.getByLabel('网关总数').fill(count);
  await page.getByLabel('类别：').fill(class_);
  await page.locator('dialog button[type=submit]').click();
}

test('it is written with the centres as they are, and imported; mistakes are told', async () => {
  const page = await enter('chen', true);
  await page.getByRole('link', { name: '准备一份' }).click();
  await page.locator('li label').nth(13).waitFor();
  await expect.poll(() => page.locator('.lacking').innerText()).toBe('请选演练还是实战。');
  await page.getByRole('radio', { name: '演练', exact: true }).click();
  await expect.poll(() => page.locator('.lacking').innerText()).toBe('请先选至少一个中心。');
  await page.getByRole('button', { name: '全选' }).click();
  await expect.poll(() => page.locator('pre').innerText()).toContain('--class exercise');
  expect(await page.locator('pre').innerText()).toContain('demo-013:plans/enter.toml');
  await page.getByRole('button', { name: '导入并预览' }).click();
  await expect.poll(() => page.locator('form .problem').innerText()).toContain('请先选择文件或粘贴文字');
  await page.getByRole('textbox', { name: '或粘贴文字' }).fill('no order at all');
  await page.getByRole('button', { name: '导入并预览' }).click();
  await expect.poll(() => page.locator('form .problem').innerText()).toContain('没有成功');
  await page.getByRole('textbox', { name: '或粘贴文字' }).fill(readFileSync(fileOf(district, 'signed order, drill'), 'utf8'));
  await page.getByRole('button', { name: '导入并预览' }).click();
  await page.getByRole('status').filter({ hasText: '已准备' }).waitFor();
  expect(await page.locator('.drill').first().innerText()).toContain('演练');
  expect(await page.locator('section ul li').count()).toBe(14);
});

test('one person approves with a password, another types what it is; nothing is sent before', async () => {
  const [chen, deng] = [pages.chen as Page, await enter('deng', false)];
  await chen.getByRole('button', { name: '第一人复核' }).click();
  const act = chen.locator('dialog button[type=submit]');
  await act.click();
  await expect.poll(() => problem(chen).innerText()).toContain('请输入自己的密码');
  await chen.getByLabel('再输入一次密码').fill('wrong-password-1');
  await act.click();
  await expect.poll(() => problem(chen).innerText()).toContain('没有成功');
  await chen.getByLabel('再输入一次密码').fill(personOf(district, 'chen').password);
  await act.click();
  await chen.getByRole('status').filter({ hasText: '一人已复核' }).waitFor();
  expect(await chen.getByRole('button', { name: /复核/ }).count(), 'not by the same person').toBe(0);
  await deng.locator('a.card').first().click();
  await deng.getByRole('button', { name: '第二人复核' }).click();
  await deng.getByLabel('再输入一次密码').fill(personOf(district, 'deng').password);
  await type(deng, '13', '演练');
  await expect.poll(() => problem(deng).innerText()).toContain('共 14 台');
  await type(deng, '14', '实战');
  await expect.poll(() => problem(deng).innerText()).toContain('类别是演练');
  expect(await deng.locator('section ul li', { hasText: '已接受' }).count()).toBe(0);
  await type(deng, '14', '演练');
  await deng.locator('dialog').waitFor({ state: 'hidden' });
  await expect.poll(() => deng.locator('section ul li', { hasText: '已接受' }).count(), { timeout: 30_000 }).toBe(1);
});

test('stage by stage it reaches all; who is silent is on the telephone list', async () => {
  const deng = pages.deng as Page;
  for (const [stage, least] of [[2, 2], [3, 9]] as const) {
    await deng.getByRole('button', { name: `发放第 ${stage} 批` }).click();
    await type(deng, '14', '演练');
    await deng.locator('dialog').waitFor({ state: 'hidden' });
    await expect.poll(() => deng.locator('section ul li', { hasText: '已接受' }).count(), { timeout: 40_000 }).toBeGreaterThanOrEqual(least);
  }
  await deng.locator('section', { hasText: '请打电话' }).getByRole('link', { name: '021-55500006' }).waitFor({ timeout: 30_000 });
  await deng.locator('section', { hasText: '请打电话' }).getByRole('checkbox').first().check();
  await deng.reload();
  await expect.poll(() => deng.locator('section', { hasText: '请打电话' }).getByRole('checkbox').first().isChecked(), { timeout: 15_000 }).toBe(true);
  // The rooms of those that follow come to their stages.
  await expect.poll(() => deng.locator('section ul li', { hasText: '就绪' }).count(), { timeout: 60_000 }).toBeGreaterThan(5);
  for (const size of Object.keys(SIZES) as (keyof typeof SIZES)[]) {
    await deng.setViewportSize(SIZES[size]);
    expect(await faults(deng), size).toEqual([]);
  }
  await deng.setViewportSize(SIZES.panel);
});

test('it is stopped at one touch, and its report names the silent', async () => {
  const chen = pages.chen as Page;
  await chen.getByRole('button', { name: '停发' }).click();
  await chen.getByRole('status').filter({ hasText: '已停发' }).waitFor();
  const address = await chen.getByRole('link', { name: '报告 CSV' }).getAttribute('href');
  const report = await chen.request.get(`${district.url}${address}`);
  expect(report.status()).toBe(200);
  expect(await report.text()).toContain('demo-006');
});
