// An emergency wholly by touch: an alert message becomes an order that two people sign, each with a log-in and a key of
// their own; people do their tasks on phones; fire comes between; the way back; the report.
import { readFileSync } from 'node:fs';
import type { Browser, Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { faults } from './checks.ts';
import { context, demo, launch, logIn, open, secretOf, SIZES } from './gateway.ts';

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

/** A stage takes at most so long: the plans of the demonstration are short. */
const STAGE_MS = 120_000;

async function as(account: string, size: keyof typeof SIZES): Promise<Page> {
  const page = await (await context(browser, size)).newPage();
  await logIn(page, gateway, account);
  await open(page, gateway, 'rooms');
  return page;
}
const lane = (page: Page) => page.locator('.lane', { hasText: '活动厅' });
/** Held for a second, or Enter twice. */
async function confirm(button: Locator): Promise<void> {
  await button.focus();
  await button.press('Enter');
  await button.press('Enter');
}
const fire = (on: boolean) => fetch(`${gateway.url}/api/v1/demo/faults/fire-alarm`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ on }) });
const signButton = (page: Page, word: string) => page.locator('dialog .sign .button.stop', { hasText: word });

/** The second person looks at the same and signs. */
async function second(page: Page, code: string): Promise<void> {
  await page.locator('.waiting .button.main', { hasText: '查看并复核' }).click();
  await page.locator('dialog .code', { hasText: code }).waitFor();
  await page.locator('dialog ol li').first().waitFor();
  await expect.poll(() => page.getByLabel('再输入一次密码或 PIN').inputValue()).not.toBe('');
  await confirm(signButton(page, '复核并下达'));
  await page.locator('dialog .result', { hasText: '已接受' }).waitFor({ timeout: 20_000 });
  await page.locator('dialog header .button').click();
}

/** Everybody does what is asked of them, until the lane says one of these words. */
async function work(people: Page[], watch: Page, until: RegExp): Promise<void> {
  await expect.poll(async () => {
    for (const page of people) {
      for (const button of await lane(page).locator('.acts .button.main', { hasText: /我已完成|现在开始/ }).all()) {
        await button.click({ timeout: 2000 }).catch(() => {});
        const dialog = page.locator('dialog');
        if ((await dialog.count()) === 0) continue;
        await dialog.locator('button[type=submit]').click();
        // Whoever may not, is told so; somebody else does it.
        await expect.poll(async () => (await dialog.count()) === 0 || (await dialog.locator('.problem').innerText()) !== '').toBe(true);
        if (await dialog.count()) await page.keyboard.press('Escape');
      }
    }
    return lane(watch).innerText();
  }, { timeout: STAGE_MS, interval: 500 }).toMatch(until);
}

test('a drill: two people order it, everybody works on a phone, it is ready, returns, and has a report', async () => {
  const [chen, deng] = [await as('chen', 'panel'), await as('deng', 'phone')];
  await lane(chen).locator('.button', { hasText: '看预案' }).click();
  await chen.locator('dialog .stops').waitFor();
  expect(await faults(chen)).toEqual([]);
  await chen.locator('dialog .button.drill').click();
  await chen.locator('dialog .sign').waitFor();
  expect(await faults(chen)).toEqual([]);

  // The actual key is not for drills, a photograph is no key.
  const key = (name: string) => ({ name, mimeType: 'text/plain', buffer: readFileSync(`${gateway.folder}/config/${name}`) });
  await chen.locator('dialog input[type=file]').setInputFiles(key('chen.key'));
  await chen.locator('dialog .sign .file', { hasText: 'chen.key' }).waitFor();
  await confirm(signButton(chen, '发起'));
  await chen.locator('dialog .problem', { hasText: '演练和实战各有一把' }).waitFor();
  await chen.locator('dialog input[type=file]').setInputFiles({ name: 'a.png', mimeType: 'image/png', buffer: Buffer.from('no key') });
  await chen.locator('dialog .sign .file', { hasText: 'a.png' }).waitFor();
  await confirm(signButton(chen, '发起'));
  await chen.locator('dialog .problem', { hasText: '这不是密钥文件' }).waitFor();
  await chen.locator('dialog input[type=file]').setInputFiles(key('drill-chen.key'));
  await chen.locator('dialog .sign .file', { hasText: 'drill-chen.key' }).waitFor();
  await confirm(signButton(chen, '发起'));
  await chen.locator('dialog .notice', { hasText: '等另一个人复核' }).waitFor();
  const code = await chen.locator('dialog .code').innerText();
  await chen.locator('dialog header .button').click();
  // The first cannot be the second too.
  await chen.locator('.waiting .button.main', { hasText: '查看并复核' }).click();
  await chen.locator('dialog', { hasText: '由另一个人签' }).waitFor();
  await chen.locator('dialog header .button').click();
  expect(await lane(chen).innerText(), 'nothing has moved').toContain('平时');

  // A wrong password signs nothing.
  await deng.locator('.waiting .button.main').click();
  const password = deng.getByLabel('再输入一次密码或 PIN');
  await expect.poll(() => password.inputValue()).not.toBe('');
  await password.fill('not the password');
  await confirm(signButton(deng, '复核并下达'));
  await deng.locator('dialog .problem').waitFor();
  expect(await faults(deng)).toEqual([]);
  await password.fill(secretOf(gateway, 'deng'));
  await deng.locator('dialog header .button').click();
  await second(deng, code);
  await chen.locator('.frame-band.drill', { hasText: '演练' }).waitFor();
  expect(await chen.locator('.frame.drill').count(), 'the whole screen has the colour of a drill').toBe(1);

  const people = [await as('zhao', 'phone'), await as('qian', 'phone'), await as('sun', 'phone')];
  await work(people, chen, /就绪$|· 就绪|就绪\n/);
  await lane(chen).locator('.button', { hasText: '返回平时' }).click();
  await expect.poll(() => chen.locator('dialog .sign .file').innerText()).toContain('已就绪');
  await confirm(signButton(chen, '发起'));
  await chen.locator('dialog .notice', { hasText: '等另一个人复核' }).waitFor();
  const back = await chen.locator('dialog .code').innerText();
  await chen.locator('dialog header .button').click();
  await second(deng, back);
  await work(people, chen, /^活动厅\s+平时/);

  const saved = chen.waitForEvent('download');
  await chen.locator('main .tools .button', { hasText: '演练报告' }).click();
  expect(readFileSync(await (await saved).path()).subarray(0, 5).toString()).toBe('%PDF-');
  await chen.locator('main .tools .button', { hasText: '实战报告' }).click();
  await chen.locator('main .tools .problem', { hasText: '没有报告' }).waitFor();
}, 480_000);

const CAP = `<?xml version="1.0" encoding="UTF-8"?>
<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2"><identifier>310000-2026-11-30-01</identifier><sender>fangkong@district.example</sender>
<sent>2026-11-30T08:00:00+08:00</sent><status>Actual</status><msgType>Alert</msgType><scope>Public</scope>
<info><category>Health</category><event>聚集性疫情</event><urgency>Immediate</urgency><severity>Severe</severity><certainty>Observed</certainty></info></alert>`;

test('from an alert message to an actual order; fire comes between, STOP is one touch at every size', async () => {
  const [chen, deng, zhao] = [await as('chen', 'panel'), await as('deng', 'panel'), await as('zhao', 'phone')];
  await chen.locator('main .tools .button', { hasText: '导入指令' }).click();
  await chen.locator('dialog .button.main').click();
  expect(await chen.locator('dialog .problem').innerText()).toContain('请先粘贴');
  await chen.getByLabel('或粘贴、键入文字').fill('LLN1:\nABCD EFGH 00');
  await chen.locator('dialog .button.main').click();
  await chen.locator('dialog .result', { hasText: '没有接受' }).waitFor();
  expect(await faults(chen)).toEqual([]);
  await chen.locator('dialog input[type=file]').setInputFiles({ name: 'alert.xml', mimeType: 'application/xml', buffer: Buffer.from(CAP) });
  await chen.locator('dialog .result', { hasText: '不是指令' }).waitFor();
  await chen.locator('dialog header .button').click();
  await chen.locator('.waiting section', { hasText: '310000-2026-11-30-01' }).locator('.button').click();
  expect(await chen.locator('dialog').innerText()).toContain('fangkong@district.example');
  expect(await faults(chen)).toEqual([]);
  await chen.locator('dialog .button', { hasText: '活动厅 → 指挥室' }).click();
  await chen.locator('dialog .band.actual').waitFor();
  await expect.poll(() => chen.locator('dialog .sign .file').innerText()).toContain('已就绪');
  await confirm(signButton(chen, '发起'));
  await chen.locator('dialog .notice', { hasText: '等另一个人复核' }).waitFor();
  const code = await chen.locator('dialog .code').innerText();
  await chen.locator('dialog header .button').click();
  await second(deng, code);
  await chen.locator('.frame-band.actual', { hasText: '实战' }).waitFor();
  expect(await chen.locator('.frame.actual').count()).toBe(1);

  await fire(true);
  await chen.locator('.fire.alarm', { hasText: '火警' }).waitFor({ timeout: STAGE_MS });
  await expect.poll(() => lane(chen).innerText(), { timeout: STAGE_MS }).toContain('停住');
  expect(await lane(chen).innerText()).toContain('怎样继续');
  expect(await faults(chen)).toEqual([]);
  await fire(false);
  await chen.locator('.fire.normal').waitFor({ timeout: STAGE_MS });
  // Whoever leads goes on, with a reason.
  await lane(zhao).locator('.acts .button.main', { hasText: '继续' }).click();
  await zhao.locator('dialog input').fill('消防误报，已到现场看过');
  await zhao.locator('dialog button[type=submit]').click();
  await zhao.locator('dialog').waitFor({ state: 'detached' });
  await expect.poll(() => lane(zhao).locator('.mark').count(), { timeout: STAGE_MS }).toBe(0);

  for (const size of Object.keys(SIZES) as (keyof typeof SIZES)[]) {
    const page = await as('qian', size);
    const stop = page.locator('.frame-band .stop');
    const box = await stop.boundingBox();
    expect(box && box.y >= 0 && box.y + box.height <= SIZES[size].height && box.height >= 56, `${size}: STOP is seen without scrolling`).toBe(true);
    expect(await faults(page)).toEqual([]);
    await stop.click();
    await page.locator('.said').waitFor();
    await expect.poll(() => lane(page).innerText(), { timeout: STAGE_MS }).toContain('停住');
    await page.context().close();
  }
}, 480_000);
