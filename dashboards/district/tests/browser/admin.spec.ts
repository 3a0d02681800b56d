// What administrators do: enrol and revoke gateways, look into the record, verify and export it.
import { readFileSync } from 'node:fs';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { context, launch } from '../../../web/tests/browser/gateway.ts';
import { demo, type District, logIn, open, sql } from './start.ts';

let district: District;
let browser: Browser;
let page: Page;

beforeAll(async () => {
  [district, browser] = [await demo(3), await launch()];
  page = await (await context(browser, 'panel')).newPage();
  await logIn(page, district, 'guan');
});
afterAll(async () => {
  await browser?.close();
  await district?.stop();
});

const problem = () => page.locator('form .problem').innerText();
const field = (name: string) => page.locator('form').getByLabel(name);
const who = () => page.getByLabel('谁、哪个中心');

test('a gateway is enrolled, mistakes are told, and revoked after a question', async () => {
  await open(page, district, 'gateways');
  await page.locator('main li').nth(2).waitFor();
  await page.getByRole('button', { name: '登记', exact: true }).click();
  await expect.poll(problem).toContain('请写中心编号和网关编号');
  await field('中心编号').fill('xin zhong xin');
  await field('网关编号').fill('gw');
  await page.getByRole('button', { name: '登记', exact: true }).click();
  await expect.poll(problem).toContain('没有成功');
  await field('中心编号').fill('xinzhongxin');
  await field('位置').fill('somewhere');
  await page.getByRole('button', { name: '登记', exact: true }).click();
  await expect.poll(problem).toContain('31.2304');
  await field('位置').fill('31.23, 121.47');
  await field('名称').fill('新邻里中心');
  await page.getByRole('button', { name: '登记', exact: true }).click();
  const row = page.locator('main li', { hasText: '新邻里中心' });
  await row.waitFor();
  expect(sql(district, "SELECT lat FROM gateway WHERE centre = 'xinzhongxin'")).toBe('31.23');
  await row.getByRole('button', { name: '撤销' }).click();
  await expect.poll(() => page.locator('dialog').innerText()).toContain('证书立即作废');
  await page.locator('dialog').getByRole('button', { name: '取消' }).click();
  expect(sql(district, "SELECT revoked_at IS NULL FROM gateway WHERE centre = 'xinzhongxin'")).toBe('t');
  await row.getByRole('button', { name: '撤销' }).click();
  await page.locator('dialog').getByRole('button', { name: '撤销' }).click();
  await expect.poll(() => row.innerText()).toContain('已撤销');
});

test('the record is filtered, verified and exported, and says so itself', async () => {
  await page.getByRole('link', { name: '审计记录' }).click();
  await page.locator('main ol li').first().waitFor();
  await page.getByRole('radio', { name: '网关', exact: true }).click();
  await who().fill('xinzhongxin');
  await expect.poll(() => page.locator('main ol li').count()).toBe(2);
  expect(await page.locator('main ol li').first().innerText()).toContain('撤销网关 · xinzhongxin/gw');
  await who().fill('nobody');
  await expect.poll(() => page.locator('main').innerText()).toContain('没有符合的记录');
  await who().fill('');
  await page.getByRole('radio', { name: '全部', exact: true }).click();
  await page.getByRole('button', { name: '校验' }).click();
  await expect.poll(() => page.locator('.result').innerText()).toContain('条记录完整');
  const coming = page.waitForEvent('download');
  await page.getByRole('link', { name: '导出' }).click();
  const lines = readFileSync(await (await coming).path(), 'utf8').trim().split('\n');
  expect(lines.length).toBe(Number(sql(district, 'SELECT count(*) - 1 FROM record')));
  sql(district, "UPDATE record SET line = replace(line, 'xinzhongxin', 'other') WHERE n = (SELECT max(n) FROM record WHERE line LIKE '%xinzhongxin%')");
  await page.getByRole('button', { name: '校验' }).click();
  await expect.poll(() => page.locator('.result').innerText()).toContain('记录被改动过');
});
