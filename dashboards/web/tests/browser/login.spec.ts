// Who one is decides what one sees: nobody sees nothing, a shared screen looks, a person does what their role may.
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { faults } from './checks.ts';
import { context, demo, digitsOf, factorOf, launch, linli, logIn, open, secretOf } from './gateway.ts';

let gateway: Awaited<ReturnType<typeof demo>>;
let browser: Browser;

beforeAll(async () => {
  gateway = await demo(['no-paper']);
  browser = await launch();
});
afterAll(async () => {
  await browser?.close();
  await gateway?.stop();
});

const submit = (page: Page) => page.locator('dialog button[type=submit]').click();
const problem = (page: Page) => page.locator('dialog .problem').innerText();

async function stranger(size: 'panel' | 'phone' = 'panel'): Promise<[BrowserContext, Page]> {
  const one = await context(browser, size);
  const page = await one.newPage();
  await page.goto(`${gateway.url}/alarms?lang=zh`);
  await page.locator('dialog[open]').waitFor();
  return [one, page];
}

test('nobody sees the building before a log-in, on a phone too', async () => {
  const [, page] = await stranger('phone');
  expect(await page.locator('main').innerText()).toBe('');
  await page.keyboard.press('Escape');
  expect(await page.locator('dialog[open]').count(), 'there is no way round it').toBe(1);
  expect(await faults(page)).toEqual([]);
  for (const path of ['centre', 'devices', 'alarms', 'mode', 'status', 'events']) {
    expect((await page.request.get(`${gateway.url}/api/v1/${path}`)).status(), path).toBe(401);
  }
});

test('password and one-time code: wrong ones are refused with words, what was typed stays, the right ones go in', async () => {
  const [, page] = await stranger();
  const field = (name: string) => page.getByLabel(name, { exact: true });
  await submit(page);
  expect(await problem(page)).toBe('请先填完。');
  await field('账号').fill('sun');
  await field('密码').fill('not the password');
  await field('验证器上的六位数字').fill('000000');
  await submit(page);
  await expect.poll(() => problem(page)).toContain('不对');
  expect(await field('密码').inputValue()).toBe('not the password');
  await field('密码').fill(secretOf(gateway, 'sun'));
  await field('验证器上的六位数字').fill(await digitsOf(gateway, 'sun'));
  await submit(page);
  await page.locator('main li.card', { hasText: '缺纸' }).waitFor();
  await page.reload();
  await page.locator('header .person', { hasText: 'sun' }).waitFor();
  await page.locator('header .person').click();
  await page.locator('dialog[open]').waitFor();
  expect(await page.locator('main').innerText(), 'what was seen is gone with the log-in').toBe('');
});

test('who may not is told so, and somebody who may goes on with the act', async () => {
  const page = await (await context(browser, 'panel')).newPage();
  await logIn(page, gateway, 'chen');
  await open(page, gateway, 'canteen');
  await page.locator('.acts .button.main').click();
  expect(await page.locator('dialog').innerText()).toContain('chen 不能写食堂记录');
  expect(await faults(page)).toEqual([]);
  await page.keyboard.press('Escape');
  await page.locator('dialog').waitFor({ state: 'detached' });
  await page.locator('header .person').click();
  await logIn(page, gateway, 'lan');
  await open(page, gateway, 'canteen');
  await page.locator('.acts .button.main').click();
  await page.locator('dialog [aria-pressed]').first().waitFor();
});

test('an auditor and an administrator do not look at the building', async () => {
  for (const account of ['shen', 'guan']) {
    const page = await (await context(browser, 'phone')).newPage();
    await logIn(page, gateway, account);
    await page.goto(`${gateway.url}/overview?lang=zh`);
    await page.locator('main .notice', { hasText: '这个页面不归这个账号看' }).waitFor();
    expect((await page.request.get(`${gateway.url}/api/v1/devices`)).status(), account).toBe(403);
    expect(await faults(page)).toEqual([]);
  }
});

test('a new account is set up with its code, once', async () => {
  const code = await linli(gateway, 'users', 'add', 'wu', '--role', 'operator');
  const [, page] = await stranger();
  await page.locator('dialog nav button', { hasText: '第一次登录' }).click();
  const field = (name: string) => page.getByLabel(name, { exact: true });
  await field('账号').fill('wu');
  await field('一次性代码').fill(code);
  await field('新的密码或 PIN').fill('short');
  await submit(page);
  await expect.poll(() => problem(page)).toContain('12');
  await field('新的密码或 PIN').fill('a long password 1');
  await submit(page);
  await page.locator('dialog svg[role=img]').waitFor();
  expect(await faults(page)).toEqual([]);
  await submit(page);
  await page.locator('dialog nav button', { hasText: '第一次登录' }).click();
  await field('一次性代码').fill(code);
  await field('新的密码或 PIN').fill('a long password 2');
  await submit(page);
  await expect.poll(() => problem(page), { message: 'the code is used up' }).toContain('代码不对');
});

test('a shared screen is enrolled, shows the building, stops a room without a person, and locks', async () => {
  const code = await linli(gateway, 'users', 'enrol-screen', 'hall-1', '--room', 'hall');
  const [, page] = await stranger();
  await page.locator('dialog nav button', { hasText: '登记这块屏幕' }).click();
  await page.getByLabel('屏幕代码').fill(code);
  await submit(page);
  await page.locator('main li.card', { hasText: '缺纸' }).waitFor();
  expect(await page.locator('header .person').innerText()).toContain('登录');
  expect((await page.request.get(`${gateway.url}/api/v1/visits`)).status(), 'a screen is nobody').toBe(403);
  const stopped = await page.request.post(`${gateway.url}/api/v1/mode/rooms/hall/stop`);
  expect([200, 409], `a stop needs no person: ${await stopped.text()}`).toContain(stopped.status());
  await page.locator('header .person').click();
  await page.getByLabel('工牌', { exact: true }).fill('LL-WRONG');
  for (const digit of '493027') await page.locator('dialog .pad button', { hasText: digit }).click();
  await submit(page);
  await expect.poll(() => problem(page)).toContain('不对');
  expect(await page.getByLabel('PIN 码', { exact: true }).inputValue(), 'a wrong PIN is typed anew').toBe('');
  expect(await faults(page)).toEqual([]);
  await page.getByLabel('工牌', { exact: true }).fill(factorOf(gateway, 'lan'));
  await page.getByLabel('PIN 码', { exact: true }).fill(secretOf(gateway, 'lan'));
  await submit(page);
  await page.locator('header .person', { hasText: 'lan · 锁定' }).waitFor();
  await page.locator('header .person').click();
  await page.locator('header .person', { hasText: 'lan · 已锁定' }).waitFor();
  await page.locator('main li.card .button.main').first().click();
  expect(await page.locator('dialog h2').innerText()).toContain('lan，请输 PIN');
  await page.getByLabel('PIN 码', { exact: true }).fill(secretOf(gateway, 'lan'));
  await submit(page);
  await page.locator('main li.card .done').first().waitFor();
});

test('a drill begins with a touch, people have tasks, and a second one is refused with words', async () => {
  const panel = await (await context(browser, 'panel')).newPage();
  await logIn(panel, gateway, 'chen');
  await open(panel, gateway, 'overview');
  await panel.locator('header .demo').click();
  const begin = panel.locator('dialog .drill');
  await begin.waitFor();
  expect(await faults(panel)).toEqual([]);
  await begin.click();
  await expect.poll(() => panel.locator('main').innerText(), { timeout: 20_000 }).toMatch(/【演练】[^]*指挥室 · 命令 local-/);
  await panel.locator('header .chip.drill').waitFor();
  expect(await faults(panel)).toEqual([]);
  await panel.locator('header .demo').click();
  await begin.click();
  await expect.poll(() => panel.locator('dialog .problem').innerText(), { timeout: 20_000 }).toContain('没有成功');
});
