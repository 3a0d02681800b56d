// The acts of each view, as its user does them, each with one wrong input.
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { faults } from './checks.ts';
import { context, demo, drill, launch, logIn, open } from './gateway.ts';

let gateway: Awaited<ReturnType<typeof demo>>;
let browser: Browser;

beforeAll(async () => {
  gateway = await demo(['no-paper', 'dead-meter']);
  browser = await launch();
});
afterAll(async () => {
  await browser?.close();
  await gateway?.stop();
});

async function page(size: 'panel' | 'phone' = 'panel'): Promise<Page> {
  return (await context(browser, size)).newPage();
}

test('a wrong token is refused with words, keeps what was typed, and the right one goes on with the act', async () => {
  const panel = await page();
  await open(panel, gateway, 'alarms');
  // By its text: what is acknowledged moves down.
  const row = panel.locator('main li.card', { hasText: '缺纸' });
  await row.locator('.button.main').click();
  const field = panel.locator('dialog input[type=password]');
  await panel.locator('dialog button[type=submit]').click();
  expect(await panel.locator('dialog .problem').innerText()).toBe('请先输入。');
  await field.fill('0123456789abcdef');
  await panel.locator('dialog button[type=submit]').click();
  await expect.poll(() => panel.locator('dialog .problem').innerText()).toContain('口令不对');
  expect(await field.inputValue()).toBe('0123456789abcdef');
  expect(await faults(panel)).toEqual([]);
  await field.fill(gateway.token);
  await panel.locator('dialog button[type=submit]').click();
  await row.locator('.done').waitFor();
  expect(await row.innerText()).toContain('已有人处理');
  await panel.reload();
  await panel.locator('header .person', { hasText: '锁定' }).waitFor();
  await panel.locator('header .person').click();
  await panel.locator('header .person', { hasText: '登录' }).waitFor();
});

test('an alarm is shelved with a reason, and comes back', async () => {
  const panel = await page();
  await open(panel, gateway, 'alarms');
  await logIn(panel, gateway);
  const row = panel.locator('main li.card', { hasText: '缺纸' });
  await row.locator('.button', { hasText: '搁置' }).click();
  await panel.locator('dialog [role=radio]', { hasText: '15 分钟' }).click();
  await panel.locator('dialog button[type=submit]').click();
  expect(await panel.locator('dialog .problem').innerText()).toContain('请写原因');
  expect(await faults(panel)).toEqual([]);
  await panel.locator('dialog input').fill('下午送纸');
  await panel.locator('dialog button[type=submit]').click();
  await row.waitFor({ state: 'detached' });
  await panel.locator('.tools [role=radio]', { hasText: '已搁置' }).click();
  expect(await row.innerText()).toContain('下午送纸');
  await row.locator('.button', { hasText: '取消搁置' }).click();
  await row.waitFor({ state: 'detached' });
  await panel.locator('.tools [role=radio]', { hasText: '历史' }).click();
  await panel.locator('input[type=search]').fill('下午送纸');
  await panel.locator('main ol li').first().waitFor();
  await panel.locator('input[type=search]').fill('没有这样的事');
  await panel.locator('main .notice', { hasText: '没有找到' }).waitFor();
});

test('an alarm is taken out of service by holding, or by Enter twice, and put back', async () => {
  const panel = await page();
  await open(panel, gateway, 'alarms');
  await logIn(panel, gateway);
  const row = panel.locator('main li.card', { hasText: '缺纸' });
  await row.locator('.button', { hasText: '搁置' }).click();
  await panel.locator('dialog summary').click();
  const hold = panel.locator('dialog .button.stop');
  await hold.click();
  expect(await panel.locator('dialog .problem').innerText(), 'a touch is too short').toBe('');
  await hold.press('Enter');
  await hold.press('Enter');
  expect(await panel.locator('dialog .problem').innerText()).toContain('请写原因');
  await panel.locator('dialog input').fill('换打印头');
  await panel.locator('dialog input').press('Escape');
  await row.locator('.button', { hasText: '搁置' }).click();
  expect(await panel.locator('dialog input').inputValue(), 'what was typed is not lost').toBe('换打印头');
  await panel.locator('dialog summary').click();
  expect(await faults(panel)).toEqual([]);
  await hold.hover();
  await panel.mouse.down();
  await panel.locator('dialog').waitFor({ state: 'detached' });
  await panel.mouse.up();
  await panel.locator('.tools [role=radio]', { hasText: '已搁置' }).click();
  expect(await row.innerText()).toContain('已停用');
  await row.locator('.button', { hasText: '恢复' }).click();
  await row.waitFor({ state: 'detached' });
});

test('a cook writes into the record of the day', async () => {
  const phone = await page('phone');
  await open(phone, gateway, 'canteen');
  await logIn(phone, gateway);
  await phone.locator('.acts .button.main').click();
  await phone.locator('dialog button[type=submit]').click();
  expect(await phone.locator('dialog .problem').innerText()).toContain('请选一项');
  await phone.locator('dialog [aria-pressed]', { hasText: '已关门' }).click();
  await phone.locator('dialog button[type=submit]').click();
  expect(await phone.locator('dialog .problem').innerText()).toContain('姓名');
  expect(await faults(phone)).toEqual([]);
  await phone.locator('dialog input').last().fill('李师傅');
  await phone.locator('dialog button[type=submit]').click();
  await phone.locator('.acts [role=status]', { hasText: '已写入' }).waitFor();
  const record = await fetch(`${gateway.url}/api/v1/food/record?form=csv`, { headers: { authorization: `Bearer ${gateway.token}` } });
  expect(await record.text()).toContain('已关门');
});

test('a kiosk without paper says what cannot be had', async () => {
  const panel = await page();
  await open(panel, gateway, 'kiosks');
  const tile = panel.locator('main section.card').first();
  await expect.poll(() => tile.innerText()).toContain('缺纸');
  await tile.locator('.button').click();
  await panel.locator('dialog li').first().waitFor();
  await panel.locator('dialog input').fill('养老保险查询');
  await panel.locator('dialog li', { hasText: '养老保险查询' }).first().waitFor();
  await panel.locator('dialog input').fill('飞行执照');
  await panel.locator('dialog .notice', { hasText: '没有找到' }).waitFor();
  // The first Escape clears the search, the second closes the sheet.
  await panel.keyboard.press('Escape');
  await panel.keyboard.press('Escape');
  await panel.locator('dialog').waitFor({ state: 'detached' });
});

test('a room and a device show their values and trends, as a chart and as a table', async () => {
  const panel = await page();
  await open(panel, gateway, 'overview');
  await panel.locator('.floor button', { hasText: '阅览室' }).click();
  await panel.locator('dialog li button', { hasText: '二氧化碳' }).first().click();
  await panel.locator('dialog .trend').waitFor();
  await panel.locator('dialog .trend [role=radio]', { hasText: '表格' }).click();
  await panel.locator('dialog .trend :is(table, .notice)').first().waitFor();
  expect(await faults(panel)).toEqual([]);
  await open(panel, gateway, 'devices');
  const meter = panel.locator('main li', { hasText: '后厨电表' });
  await expect.poll(() => meter.innerText()).toContain('离线');
  expect(await meter.innerText(), 'says what is wrong').toContain('no answer');
  await meter.locator('button').click();
  await panel.locator('dialog .error').waitFor();
});

test('a drill is shown in its own colour, and stopped with one touch, on a phone too', async () => {
  await drill(gateway, 'hall.command@1', 'hall');
  const phone = await page('phone');
  await open(phone, gateway, 'rooms');
  await logIn(phone, gateway);
  await phone.locator('.frame-band.drill', { hasText: '演练' }).waitFor();
  const lane = phone.locator('.lane', { hasText: '活动厅' });
  await lane.locator('.stages').waitFor();
  const stop = phone.locator('.frame-band .stop');
  const box = await stop.boundingBox();
  expect(box && box.y >= 0 && box.y + box.height <= 844, 'STOP is seen without scrolling').toBe(true);
  expect(await faults(phone)).toEqual([]);
  await stop.click();
  await phone.locator('.said').waitFor();
  await expect.poll(() => lane.innerText(), { timeout: 20_000 }).toContain('停住');
  expect(await lane.innerText()).toContain('怎样继续');
  expect(await faults(phone)).toEqual([]);
});
