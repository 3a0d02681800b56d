// Accounts, screens, records and the gateway's own state, each by those whom it concerns.
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { faults } from './checks.ts';
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

/** The dialog before may still be closing. */
async function submit(page: Page): Promise<void> {
  await expect.poll(() => page.locator('dialog button[type=submit]').count()).toBe(1);
  await page.locator('dialog button[type=submit]').click();
}
const card = (page: Page, name: string) => page.locator(`main section[aria-label="${name}"]`);

async function as(account: string, size: 'panel' | 'phone' = 'panel'): Promise<Page> {
  const page = await (await context(browser, size)).newPage();
  await logIn(page, gateway, account);
  await open(page, gateway, 'system');
  return page;
}

test('an administrator adds a person, whose code works once, and switches the account off', async () => {
  const page = await as('guan', 'phone');
  expect(await page.locator('nav a').allInnerTexts(), 'only what an administrator may open').toEqual(['系统']);
  expect(await faults(page)).toEqual([]);
  await card(page, '账号').locator('.button', { hasText: '加一个人' }).click();
  await submit(page);
  expect(await page.locator('dialog .problem').innerText()).toContain('至少选一个角色');
  await page.getByLabel('账号（小写字母和数字）').fill('Wu Lei!');
  await page.locator('dialog fieldset button', { hasText: '值班' }).click();
  await submit(page);
  await expect.poll(() => page.locator('dialog .problem').innerText(), { message: 'no name of an account' }).toContain('account');
  await page.getByLabel('账号（小写字母和数字）').fill('wu');
  expect(await faults(page)).toEqual([]);
  await submit(page);
  const code = await page.locator('dialog ol li').innerText();
  expect(code).toMatch(/^[0-9A-Z]{4}(-[0-9A-Z]{4}){3}$/);
  expect(await faults(page)).toEqual([]);
  await submit(page);
  const body = { account: 'wu', code, secret: 'a long password 1' };
  const enrol = () => fetch(`${gateway.url}/api/v1/session/enrol`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
  expect((await enrol()).status).toBe(200);
  expect((await enrol()).status, 'a code counts once').toBe(401);

  await page.reload();
  await card(page, '账号').locator('li button', { hasText: 'wu' }).click();
  await expect.poll(() => page.locator('dialog dl').innerText()).toContain('可登录');
  await page.locator('dialog button', { hasText: '停用' }).focus();
  await page.keyboard.press('Enter');
  await page.keyboard.press('Enter');
  await card(page, '账号').locator('li button', { hasText: 'wu' }).locator('.off').waitFor();
});

test('nobody switches off their own account', async () => {
  const page = await as('guan');
  await card(page, '账号').locator('li button', { hasText: 'guan' }).click();
  expect(await page.locator('dialog').innerText()).toContain('不能自己停用');
  expect(await page.locator('dialog .body button').count()).toBe(0);
});

test('a screen is enrolled and removed, emergency codes are made anew', async () => {
  const page = await as('guan');
  await card(page, '已登记的屏幕').locator('.button', { hasText: '登记一块屏幕' }).click();
  await submit(page);
  expect(await page.locator('dialog .problem').innerText()).not.toBe('');
  await page.getByLabel('屏幕名（小写字母和数字）').fill('kitchen-2');
  await page.getByLabel('在哪个房间').fill('nowhere');
  await submit(page);
  await expect.poll(() => page.locator('dialog .problem').innerText(), { message: 'it names the rooms there are' }).toContain('kitchen');
  await page.getByLabel('在哪个房间').fill('kitchen');
  await submit(page);
  await expect.poll(() => page.locator('dialog ol li').count()).toBe(1);
  await submit(page);
  await card(page, '已登记的屏幕').locator('li', { hasText: 'kitchen-2' }).locator('.button').click();
  await submit(page);
  await card(page, '已登记的屏幕').locator('li', { hasText: 'kitchen-2' }).waitFor({ state: 'detached' });

  await card(page, '应急代码').locator('.button').click();
  expect(await page.locator('dialog').innerText()).toContain('全部作废');
  await submit(page);
  await expect.poll(() => page.locator('dialog ol li').count()).toBe(5);
  await submit(page);
  expect(await card(page, '应急代码').innerText()).toContain('还有 5 个');
});

test('an auditor takes whole records away, and sees nothing else', async () => {
  const page = await as('shen');
  expect(await page.locator('nav a').allInnerTexts()).toEqual(['系统']);
  expect(await page.locator('main section').evaluateAll((all) => all.map((one) => one.getAttribute('aria-label')))).toEqual(['记录', '第三方声明']);
  expect(await faults(page)).toEqual([]);
  const saved = page.waitForEvent('download');
  await page.locator('main button', { hasText: '登录记录' }).click();
  const lines = readFileSync(await (await saved).path(), 'utf8').trim().split('\n');
  expect(lines.length).toBeGreaterThan(5);
  lines.forEach((line) => expect(() => JSON.parse(line)).not.toThrow());
  expect(lines.join('\n')).toContain('"guan"');
});

test('a technician sees how the gateway and its uplink are; others have no such page', async () => {
  const page = await as('zhao');
  await expect.poll(() => card(page, '网关').innerText()).toContain('正常');
  await expect.poll(() => card(page, '上传区平台').innerText()).toContain('已连接');
  await expect.poll(() => card(page, '存储').innerText()).toMatch(/已用 [\d.,]+ MB/);
  const other = await (await context(browser, 'panel')).newPage();
  await logIn(other, gateway, 'lan');
  await other.goto(`${gateway.url}/system?lang=zh`);
  await other.locator('main .notice', { hasText: '不归这个账号看' }).waitFor();
  expect(await other.locator('nav a').allInnerTexts()).not.toContain('系统');
  expect(await faults(other)).toEqual([]);
  await other.locator('main .notice .button').click();
  await other.locator('main .card').first().waitFor();
});

test('a technician sees how long certificate and store last, and makes a copy that the record names', async () => {
  const page = await as('zhao');
  await expect.poll(() => card(page, '证书').innerText()).toMatch(/还有 \d+ 天[\s\S]*自动换新/);
  await card(page, '证书').locator('.button', { hasText: '证书指纹' }).click();
  await page.locator('dialog svg[role=img]').waitFor();
  expect(await page.locator('dialog .digits').first().innerText()).toMatch(/^([0-9A-F]{2}:){31}[0-9A-F]{2}$/);
  expect(await faults(page)).toEqual([]);
  await page.keyboard.press('Escape');
  expect(await card(page, '时钟').innerText()).toMatch(/已对时|没有对时/);
  expect(await card(page, '存储').innerText()).toMatch(/正在测每天用多少[\s\S]*满了先让位的：旧趋势/);
  const backup = card(page, '备份');
  expect(await backup.innerText()).toContain('还没有备份');
  await backup.locator('.button', { hasText: '现在备份' }).click();
  expect(await page.locator('dialog .preview').innerText()).toContain('记录里写明是谁做的');
  await submit(page);
  await expect.poll(() => backup.innerText(), { timeout: 60_000 }).toMatch(/上一份：[\s\S]*linli-\d{8}-\d{6}\.db/);
  await backup.locator('summary').click();
  expect(await faults(page)).toEqual([]);
  const found = (await (await page.request.get(`${gateway.url}/api/v1/system`)).json()).backup;
  expect(statSync(join(found.folder, found.copies[0].file)).mode & 0o777, 'for the gateway alone').toBe(0o600);
  const auditor = await as('shen');
  const record = await (await auditor.request.get(`${gateway.url}/api/v1/record/accounts`)).text();
  expect(record).toMatch(/"backup"[^\n]*linli-\d{8}-\d{6}\.db[^\n]*"account":"zhao"/);
  const refused = await auditor.request.post(`${gateway.url}/api/v1/system/backup`);
  expect(refused.status(), 'an auditor copies nothing').toBe(403);
});

test('the notices of third parties are found by name and by licence', async () => {
  const page = await as('zhao', 'phone');
  await card(page, '第三方声明').locator('.button').click();
  await page.locator('dialog li').first().waitFor();
  expect(await page.locator('dialog li').count()).toBeGreaterThan(100);
  await page.getByLabel('查找名称或许可').fill('MPL-2.0');
  await expect.poll(() => page.locator('dialog li').count()).toBeLessThan(5);
  await page.getByLabel('查找名称或许可').fill('svelte');
  await page.locator('dialog li', { hasText: 'svelte' }).waitFor();
  expect(await faults(page)).toEqual([]);
  await page.getByLabel('查找名称或许可').fill('no such thing');
  await expect.poll(() => page.locator('dialog [role=status]').innerText()).toMatch(/^0 \/ \d+ 件$/);
});

test('the certificate for the district says how long it lasts, why it is not renewed, and what to do', async () => {
  const page = await as('zhao');
  await expect.poll(() => card(page, '证书').innerText()).toContain('天');
  expect(await card(page, '区级平台证书').count(), 'the demonstration connects without one').toBe(0);
  // The answer of the gateway, with what another one tells of its certificate.
  const day = 86_400_000;
  const shown = async (of: object) => {
    await page.unroute('**/api/v1/system');
    await page.route('**/api/v1/system', async (route) => {
      const answer = await route.fetch();
      const body = await answer.json();
      const certificate = { subject: 'CN=c.gw', issuer: 'CN=district', names: [], not_before: body.clock.at - 170 * day, not_after: body.clock.at + 10 * day, fingerprint: 'AB' };
      const usual = { file: '/d/district.pem', stage: 'valid', certificate, renewed_at: body.clock.at - 50 * day, district: 'https://district.example:8443', days_left: 10, attempts: 0, failure: null, next_attempt: null, renewals: 0, failures: 0 };
      await route.fulfill({ response: answer, json: { ...body, uplink_certificate: { ...usual, ...of } } });
    });
    await page.reload();
    await card(page, '区级平台证书').waitFor();
    return card(page, '区级平台证书').innerText();
  };
  expect(await shown({ days_left: 170 })).toMatch(/还有 170 天[\s\S]*自动换新/);
  expect(await faults(page)).toEqual([]);
  const failing = { stage: 'ends_soon', attempts: 7, failures: 7, failure: '区级平台没有应答 the district does not answer: https://district.example:8443', next_attempt: Date.now() + 60_000 };
  const told = await shown(failing);
  expect(told).toMatch(/还有 10 天[\s\S]*试了 7 次[\s\S]*没有应答[\s\S]*再试[\s\S]*修好到平台的路/);
  expect(await card(page, '区级平台证书').locator('.word.bad').count()).toBe(1);
  expect(await faults(page)).toEqual([]);
  expect(await shown({ stage: 'ended', days_left: -2 })).toMatch(/已过期[\s\S]*请平台发登记码/);
  expect(await shown({ stage: 'unreadable', certificate: null, renewed_at: null, days_left: null, failure: 'holds no certificate' })).toMatch(/读不出[\s\S]*holds no certificate/);
  expect(await shown({ district: null, renewed_at: null, days_left: 100 })).toContain('不会自动换新');
  await page.setViewportSize({ width: 390, height: 844 });
  expect(await shown(failing)).toContain('试了 7 次');
  expect(await faults(page)).toEqual([]);
});
