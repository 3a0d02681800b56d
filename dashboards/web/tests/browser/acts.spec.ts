// The acts of each view, as its user does them, each with one wrong input.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
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

async function page(account: string, size: 'panel' | 'phone' = 'panel'): Promise<Page> {
  const opened = await (await context(browser, size)).newPage();
  await logIn(opened, gateway, account);
  return opened;
}

test('an alarm is shelved with a reason, and comes back', async () => {
  const panel = await page('zhao');
  await open(panel, gateway, 'alarms');
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

test('a kiosk is put out of service with a note, shown on the overview, and put back', async () => {
  const phone = await page('zhao', 'phone');
  await open(phone, gateway, 'kiosks');
  const tile = phone.locator('main section.card').first();
  await tile.locator('footer .button').click();
  const notes = phone.locator('dialog section[aria-label="备注和停用"]');
  await notes.locator('.button', { hasText: '写备注' }).click();
  await phone.locator('dialog button[type=submit]').click();
  expect(await phone.locator('dialog .problem').last().innerText()).toContain('请写一句话');
  await phone.getByLabel('写什么').fill('等打印头，周三送到');
  await phone.locator('dialog [role=radio]', { hasText: '2 小时' }).click();
  expect(await phone.locator('dialog .preview').innerText()).toContain('自动恢复');
  expect(await faults(phone)).toEqual([]);
  await phone.locator('dialog button[type=submit]').click();
  await notes.locator('.out', { hasText: '停用到' }).waitFor();
  expect(await notes.innerText()).toMatch(/等打印头[\s\S]*zhao/);
  expect(await phone.locator('dialog section[aria-label^="按周"] tbody tr').count()).toBeGreaterThan(0);
  expect(await faults(phone)).toEqual([]);
  await phone.keyboard.press('Escape');
  await expect.poll(() => tile.innerText()).toMatch(/维护中[\s\S]*停用到/);
  await open(phone, gateway, 'overview');
  await phone.locator('main .figures .hint', { hasText: '停用到' }).waitFor();
  expect(await faults(phone)).toEqual([]);
  await open(phone, gateway, 'kiosks');
  await phone.locator('main section.card', { hasText: '停用到' }).locator('footer .button').click();
  await notes.locator('.button', { hasText: '恢复使用' }).click();
  await phone.locator('dialog button[type=submit]').click();
  await notes.locator('.out').waitFor({ state: 'detached' });
  expect(await notes.innerText()).toMatch(/zhao .*恢复/);
});

test('an alarm says who was told and who is next', async () => {
  const panel = await page('zhao', 'phone');
  await open(panel, gateway, 'alarms');
  const row = panel.locator('main li.card', { hasText: '缺纸' });
  await row.locator('.button', { hasText: '通知' }).click();
  const told = row.locator('section[aria-label="通知了谁"]');
  await told.locator('li', { hasText: '区平台' }).waitFor();
  expect(await told.innerText()).toMatch(/这里的屏幕[\s\S]*(已连接|没有连接)/);
  expect(await told.innerText(), 'the demonstration tells nobody outside').toContain('[[webhook]]');
  expect(await faults(panel)).toEqual([]);
});

test('an alarm is taken out of service by holding, or by Enter twice, and put back', async () => {
  const panel = await page('zhao');
  await open(panel, gateway, 'alarms');
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
  const phone = await page('lan', 'phone');
  await open(phone, gateway, 'canteen');
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
  const record = await phone.request.get(`${gateway.url}/api/v1/food/record?form=csv`);
  expect(await record.text()).toContain('已关门');
});

test('a kiosk without paper says what cannot be had', async () => {
  const panel = await page('zhao');
  await open(panel, gateway, 'kiosks');
  const tile = panel.locator('main section.card').first();
  await expect.poll(() => tile.innerText()).toContain('缺纸');
  // Outside the opening hours there is no share of the day yet.
  expect(await tile.locator('footer').innerText(), 'a share is no more than all').toMatch(/今天可用 (\d{1,2}|100)%|今天可用 ——/);
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
  const panel = await page('zhao');
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
  expect(await meter.innerText(), 'says what is wrong').toContain('没有应答');
  await meter.locator('button').click();
  await panel.locator('dialog .error').waitFor();
  expect(await panel.locator('dialog').innerText(), 'and what to look at').toContain('查电源、接线、站号和波特率');
});

test('a drill is shown in its own colour; people do their tasks on a phone, and one touch stops it', async () => {
  await drill(gateway, 'hall.command@1', 'hall');
  const phone = await page('qian', 'phone');
  await open(phone, gateway, 'rooms');
  await phone.locator('.frame-band.drill', { hasText: '演练' }).waitFor();
  const lane = phone.locator('.lane', { hasText: '活动厅' });
  await lane.locator('.stages').waitFor();
  const stop = phone.locator('.frame-band .stop');
  const box = await stop.boundingBox();
  expect(box && box.y >= 0 && box.y + box.height <= 844, 'STOP is seen without scrolling').toBe(true);
  expect(await faults(phone)).toEqual([]);

  // What cannot be done is said with a reason.
  await lane.locator('.acts .button', { hasText: '做不了' }).first().click();
  await phone.locator('dialog button[type=submit]').click();
  expect(await phone.locator('dialog .problem').innerText()).toContain('请写原因');
  expect(await faults(phone)).toEqual([]);
  await phone.keyboard.press('Escape');
  await phone.locator('dialog').waitFor({ state: 'detached' });
  const task = lane.locator('li', { hasText: '取消活动预约' });
  await task.locator('.button.main', { hasText: '我已完成' }).click();
  expect(await phone.locator('dialog').innerText(), 'says what was to do, and in whose name').toMatch(/取消活动预约[\s\S]*qian/);
  await phone.locator('dialog button[type=submit]').click();
  await task.waitFor({ state: 'detached' });

  await stop.click();
  await phone.locator('.said').waitFor();
  await expect.poll(() => lane.innerText(), { timeout: 20_000 }).toContain('停住');
  expect(await lane.innerText()).toContain('怎样继续');
  expect(await faults(phone)).toEqual([]);

  // Whoever leads goes on, with a reason; others are told that they do not lead.
  await lane.locator('.acts .button.main', { hasText: '继续' }).click();
  await phone.locator('dialog input').fill('检查过了');
  await phone.locator('dialog button[type=submit]').click();
  await expect.poll(() => phone.locator('dialog .problem').innerText()).toContain('没有成功');
  const leader = await page('zhao', 'phone');
  await open(leader, gateway, 'rooms');
  const same = leader.locator('.lane', { hasText: '活动厅' });
  await same.locator('.acts .button.main', { hasText: '继续' }).click();
  await leader.locator('dialog input').fill('检查过了，可以继续');
  await leader.locator('dialog button[type=submit]').click();
  await leader.locator('dialog').waitFor({ state: 'detached' });
  await expect.poll(() => same.locator('.mark').count(), { timeout: 20_000 }).toBe(0);
});

test('whoever tries the demonstration breaks something with a touch, and mends it', async () => {
  const panel = await page('zhao');
  await open(panel, gateway, 'kiosks');
  await panel.locator('header .demo').click();
  const paper = panel.locator('dialog button', { hasText: '政务终端缺纸' });
  expect(await paper.getAttribute('aria-pressed'), 'it was on from the start').toBe('true');
  expect(await faults(panel)).toEqual([]);
  await paper.click();
  await panel.locator('dialog [aria-pressed=false]', { hasText: '政务终端缺纸' }).waitFor();
  await panel.keyboard.press('Escape');
  await panel.locator('main .card', { hasText: '全部事项可办' }).first().waitFor();
  await panel.locator('header .demo').click();
  await paper.click();
  await panel.locator('dialog [aria-pressed=true]', { hasText: '政务终端缺纸' }).waitFor();
  const unknown = await panel.request.post(`${gateway.url}/api/v1/demo/faults/earthquake`, { data: { on: true } });
  expect([unknown.status(), await unknown.text()].join(' '), 'it names those there are').toMatch(/^404 .*no-paper/);
});

test('a cook retains a sample, does not throw it away early without a reason, and signs a day', async () => {
  // The centre of the demonstration has no cabinet for samples: one is made of the freezer.
  const file = join(gateway.folder, 'config/devices.toml');
  writeFileSync(file, readFileSync(file, 'utf8').replace('keeps = "frozen"', 'keeps = "samples"'));
  const technician = await page('zhao');
  expect((await technician.request.post(`${gateway.url}/api/v1/reload`)).ok()).toBe(true);
  const phone = await page('lan', 'phone');
  await open(phone, gateway, 'canteen');
  const samples = phone.locator('section[aria-label="留样"]');
  await samples.locator('.button', { hasText: '留样……' }).click();
  await phone.locator('dialog button[type=submit]').click();
  expect(await phone.locator('dialog .problem').innerText()).toContain('食物名称');
  await phone.getByLabel('哪样食物').fill('红烧肉');
  await phone.getByLabel('多少克').fill('100');
  await phone.locator('dialog button[type=submit]').click();
  expect(await phone.locator('dialog .problem').innerText()).toContain('125');
  await phone.getByLabel('多少克').fill('130');
  await phone.locator('dialog [role=radio]', { hasText: '午餐' }).click();
  await phone.getByLabel('姓名').fill('李师傅');
  expect(await faults(phone)).toEqual([]);
  await phone.locator('dialog button[type=submit]').click();
  const kept = samples.locator('li', { hasText: '红烧肉' });
  await kept.waitFor();
  expect(await kept.innerText()).toMatch(/还要留 4[89] 小时/);
  await kept.locator('.button').click();
  await phone.locator('dialog button[type=submit]').click();
  expect(await phone.locator('dialog .problem').innerText()).toContain('要写原因');
  await phone.keyboard.press('Escape');
  const sheets = phone.locator('section[aria-label="食品安全日记录"]');
  await sheets.locator('.button', { hasText: '签字' }).click();
  await phone.getByLabel('姓名').fill('');
  await phone.locator('dialog button[type=submit]').click();
  expect(await phone.locator('dialog .problem').innerText()).toContain('姓名');
  await phone.getByLabel('姓名').fill('李师傅');
  expect(await faults(phone)).toEqual([]);
  await phone.locator('dialog button[type=submit]').click();
  await expect.poll(() => sheets.innerText()).toContain('李师傅 已签');
  const saved = phone.waitForEvent('download');
  await sheets.locator('.button', { hasText: 'PDF' }).click();
  expect((await saved).suggestedFilename()).toMatch(/^haccp-\d{4}-\d\d-\d\d\.pdf$/);
});

test('the week of the alarms is counted after ISA-18.2', async () => {
  const panel = await page('zhao');
  await open(panel, gateway, 'alarms');
  await panel.locator('.tools [role=radio]', { hasText: '一周' }).click();
  await panel.locator('main .tiles .card', { hasText: '每小时报警' }).waitFor();
  expect(Number(await panel.locator('main .tiles .card', { hasText: '报警次数' }).locator('dd').evaluate((node) => node.firstChild?.textContent))).toBeGreaterThan(0);
  expect(await faults(panel)).toEqual([]);
});
