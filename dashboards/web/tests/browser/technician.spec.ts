// The technician: the configuration and its problems, a scan, registers, a node, a label, a file for whoever helps, trends.
import { execFileSync } from 'node:child_process';
import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { faults } from './checks.ts';
import { binary, context, demo, launch, logIn, open } from './gateway.ts';

let gateway: Awaited<ReturnType<typeof demo>>;
let browser: Browser;

beforeAll(async () => {
  gateway = await demo(['dead-meter', 'fridge-warming']);
  browser = await launch();
});
afterAll(async () => {
  await browser?.close();
  await gateway?.stop();
});

async function devices(size: 'panel' | 'phone' = 'panel'): Promise<Page> {
  const page = await (await context(browser, size)).newPage();
  await logIn(page, gateway);
  await open(page, gateway, 'devices');
  return page;
}
const line = (page: Page, name: RegExp) => page.locator('main section.card', { has: page.locator('h3', { hasText: name }) });

test('a wrong configuration is told with file and line; a good one is loaded again', async () => {
  const page = await devices('phone');
  const card = page.locator('main section[aria-label="配置"]');
  await card.locator('.word', { hasText: '配置正确' }).waitFor();
  const file = join(gateway.folder, 'config/devices.toml');
  const before = readFileSync(file, 'utf8');
  appendFileSync(file, '\n[[device]]\nid = "new-1"\nname = "新设备"\nline = "no-such-line"\nunit = 9\nprofile = "no/such"\n');
  await card.locator('.button', { hasText: '再检查' }).click();
  const problem = card.locator('li', { hasText: 'devices.toml' }).first();
  await problem.waitFor();
  expect(await problem.innerText()).toMatch(/devices\.toml 第 \d+ 行/);
  expect(await card.innerText()).toContain('no-such-line');
  expect(await faults(page)).toEqual([]);
  expect(await card.locator('.button', { hasText: '重新加载' }).isDisabled(), 'a wrong one is not loaded').toBe(true);
  writeFileSync(file, `${before}\n# looked at\n`);
  await card.locator('.button', { hasText: '再检查' }).click();
  await card.locator('.word', { hasText: '配置正确' }).waitFor();
  await card.locator('.button', { hasText: '重新加载' }).click();
  expect(await page.locator('dialog .preview').innerText()).toContain('untouched');
  await page.locator('dialog button[type=submit]').click();
  await card.locator('[role=status]', { hasText: '已重新加载' }).waitFor();
  const saved = page.waitForEvent('download');
  await card.locator('.button', { hasText: '下载支持文件' }).click();
  const text = readFileSync(await (await saved).path(), 'utf8');
  const bundle = JSON.parse(text);
  expect(bundle.devices.length).toBeGreaterThan(5);
  expect(bundle.metrics.join('\n')).toContain('linli_uplink_oldest_waiting_seconds');
  // No value of a device, no name of a person.
  expect(text.includes('"value"')).toBe(false);
  for (const name of ['陈站长', '邓副站长', '赵站长', '钱小梅', 'zhao', 'qian']) expect(text.includes(name), name).toBe(false);
});

test('a line is scanned with progress, and registers of a unit are read', async () => {
  const page = await devices();
  await line(page, /kitchen/).locator('.button', { hasText: '扫描线路' }).click();
  await page.getByLabel('到', { exact: true }).fill('300');
  await page.locator('dialog .button.main').click();
  expect(await page.locator('dialog .problem').innerText()).toContain('1 至 247');
  await page.getByLabel('到', { exact: true }).fill('4');
  await page.locator('dialog .button.main').click();
  await page.locator('dialog li', { hasText: '已登记' }).first().waitFor({ timeout: 30_000 });
  await page.locator('dialog .button.main', { hasText: '开始扫描' }).waitFor({ timeout: 30_000 });
  expect(await faults(page)).toEqual([]);
  await page.locator('dialog summary', { hasText: '读一段寄存器' }).click();
  await page.getByLabel('个数').fill('500');
  await page.locator('dialog form .button', { hasText: '读取' }).click();
  expect(await page.locator('dialog details .problem').innerText()).toContain('125');
  await page.getByLabel('个数').fill('2');
  await page.locator('dialog [role=radio]', { hasText: '输入 04' }).click();
  await page.locator('dialog form .button', { hasText: '读取' }).click();
  await expect.poll(() => page.locator('dialog tbody tr, dialog details .problem').count()).toBeGreaterThan(0);
  expect(await faults(page)).toEqual([]);
});

test('a node is tested, refuses what is no firmware, and gets a label', async () => {
  const page = await devices();
  await page.locator('main li', { hasText: 'linli/' }).first().locator('button').click();
  const node = page.locator('dialog section[aria-label="节点"]');
  await node.locator('dl').waitFor({ timeout: 20_000 });
  await node.locator('.button', { hasText: '自检' }).click();
  await expect.poll(() => node.innerText(), { timeout: 60_000 }).toMatch(/自检\s*\n\S|没有成功/);
  await node.locator('input[type=file]').setInputFiles({ name: 'holiday.jpg', mimeType: 'image/jpeg', buffer: Buffer.from('no firmware') });
  expect(await page.locator('dialog .preview').last().innerText()).toContain('holiday.jpg');
  await page.locator('dialog button[type=submit]').click();
  await node.locator('.problem', { hasText: 'image' }).waitFor();
  await page.locator('dialog .button', { hasText: '打印标签' }).click();
  await page.locator('dialog .label svg[role=img]').waitFor();
  expect(await faults(page)).toEqual([]);
});

test('a device that does not answer shows its frames, which option helps, and is asked now', async () => {
  const page = await devices('phone');
  await page.locator('main li', { hasText: '电表' }).first().locator('button').click();
  const shown = page.locator('dialog section[aria-label="最近的报文"]');
  await shown.locator('.pause').waitFor({ timeout: 120_000 });
  expect(await shown.locator('.symptom').innerText()).toContain('unit');
  expect(await shown.locator('pre').first().innerText()).toMatch(/^发出：[0-9A-F]{2}( [0-9A-F]{2})+\n收到：什么也没收到$/);
  expect(await faults(page)).toEqual([]);
  await shown.locator('.button', { hasText: '现在就问' }).click();
  await shown.locator('[role=status]', { hasText: '还是没有应答' }).waitFor({ timeout: 20_000 });
  gateway.fault('dead-meter');
  await expect.poll(async () => {
    const ask = shown.locator('.button', { hasText: '现在就问' });
    if (await ask.isVisible()) await ask.click().catch(() => {});
    return shown.innerText();
  }, { timeout: 60_000 }).toContain('正常');
  gateway.fault('dead-meter');
  const record = await (await page.request.get(`${gateway.url}/api/v1/devices/no-such/exchange`)).json();
  expect(record.status).toBe(404);
}, 240_000);

test('a trend goes from an hour to 90 days, beside another point, as a table and as a file; an alarm has one', async () => {
  const page = await devices();
  await page.locator('main li', { hasText: '一号冰箱' }).first().locator('button').click();
  await page.locator('dialog li button', { hasText: '温度' }).first().click();
  const trend = page.locator('dialog .trend');
  await expect.poll(() => trend.locator('.chart, .notice').count()).toBeGreaterThan(0);
  await trend.locator('[role=radio]', { hasText: '90 天' }).click();
  await expect.poll(() => trend.locator('canvas').count(), { timeout: 90_000 }).toBeGreaterThan(0);
  await trend.locator('select').selectOption({ index: 1 });
  await expect.poll(() => trend.locator('p.mute').innerText()).toContain('- - -');
  expect(await faults(page)).toEqual([]);
  const saved = page.waitForEvent('download');
  await trend.locator('.button', { hasText: '存为 CSV' }).click();
  expect(readFileSync(await (await saved).path(), 'utf8').split('\r\n').length).toBeGreaterThan(2);
  await open(page, gateway, 'alarms');
  await page.locator('main li.card', { hasText: /冰箱/ }).first().locator('.button', { hasText: '趋势' }).click({ timeout: 240_000 });
  await page.locator('main .trend .chart, main .trend .notice').first().waitFor();
}, 300_000);

test('an outline is drawn by touch and by keys, told when it overlaps, undone, and accepted by the check', async () => {
  const page = await (await context(browser, 'panel')).newPage();
  await logIn(page, gateway);
  await open(page, gateway, 'overview');
  await page.locator('main .side .button', { hasText: '画平面图' }).click();
  await page.locator('dialog [role=radio]', { hasText: '北站 1 层' }).click();
  await page.locator('dialog [role=radio]', { hasText: '健康小屋' }).click();
  expect(await faults(page)).toEqual([]);
  // Its second corner goes a metre east: into the reading room.
  await page.locator('dialog [role=radio]', { hasText: /^2:/ }).click();
  for (let step = 0; step < 2; step += 1) await page.locator('dialog .acts .button[aria-label="往东移"]').press('Enter');
  await page.locator('dialog .problem', { hasText: '重叠' }).waitFor();
  await page.locator('dialog .button', { hasText: '撤销' }).click();
  await page.locator('dialog .button', { hasText: '撤销' }).click();
  await page.locator('dialog .problem').waitFor({ state: 'detached' });
  expect(await page.locator('dialog').innerText()).toContain('还没有改动');
  // The corner is dragged a little west.
  const corner = page.locator('dialog circle.now');
  const box = await corner.boundingBox();
  if (!box) throw new Error('no corner');
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
  await page.mouse.down();
  await page.mouse.move(box.x - 30, box.y + box.height / 2, { steps: 4 });
  await page.mouse.up();
  const text = await page.locator('dialog pre').innerText();
  expect(text).toMatch(/id = "health-cabin"\nfloor = 1\noutline = \[\[/);
  expect(await faults(page)).toEqual([]);
  // It is kept as a proposal, which changes nothing until somebody applies it.
  await page.locator('dialog .button', { hasText: '存为修改建议' }).click();
  const form = page.locator('dialog form');
  await form.locator('button[type=submit]').click();
  await form.locator('.problem', { hasText: '起个名字' }).waitFor();
  expect(await faults(page)).toEqual([]);
  await form.locator('input').fill('健康小屋西移“隔断”');
  await form.locator('button[type=submit]').click();
  await page.locator('dialog .kept').waitFor();
  expect(await faults(page)).toEqual([]);
  const proposal = await page.locator('dialog .kept code').innerText();
  const auditor = await (await context(browser, 'wall')).newPage();
  await logIn(auditor, gateway, 'shen');
  const recorded = await (await auditor.request.get(`${gateway.url}/api/v1/record/accounts`)).text();
  expect(recorded, 'who kept it is on record').toContain(proposal);
  const config = join(gateway.folder, 'config');
  const facility = () => readFileSync(join(config, 'facility.toml'), 'utf8');
  const before = facility();
  const linli = (...args: string[]) => execFileSync(binary(), args, { encoding: 'utf8', env: { ...process.env, LINLI_CONFIG: config } });
  const outline = /outline = .*/.exec(text)?.[0] ?? '';
  expect(linli('check', '--proposal', proposal)).toContain(`+ ${outline}`);
  expect(linli('proposal', 'list')).toContain('健康小屋西移“隔断”');
  expect(linli('proposal', 'apply', proposal)).toContain('once more with --yes');
  expect(facility(), 'a preview changes nothing').toBe(before);
  linli('proposal', 'apply', proposal, '--yes');
  const at = before.indexOf('id = "health-cabin"');
  expect(facility(), 'only its line, comments stay').toBe(before.slice(0, at) + before.slice(at).replace(/outline = .*/, outline));
  const check = await (await page.request.get(`${gateway.url}/api/v1/configuration`)).json();
  expect(check.problems).toEqual([]);
  linli('proposal', 'undo');
  expect(facility()).toBe(before);
  expect(() => linli('proposal', 'undo'), 'once').toThrow();
  linli('proposal', 'apply', proposal, '--yes');
  appendFileSync(join(config, 'facility.toml'), '# by hand\n');
  expect(() => linli('proposal', 'undo'), 'what came later is not lost').toThrow(/changed since/);
  expect(facility()).toContain('# by hand');
  writeFileSync(join(config, 'facility.toml'), before);
  // What the check refuses is not kept, whoever sends it.
  const wrong = { name: 'x', rooms: [{ room: 'health-cabin', floor: 1, outline: [[0, 0], [9, 0], [9, 6], [0, 6]] }] };
  const refused = await page.request.post(`${gateway.url}/api/v1/centre/proposals`, { data: wrong, headers: { 'idempotency-key': 'wrong-outline-1', origin: gateway.url } });
  expect(refused.status()).toBe(422);
  expect((await refused.json()).detail).toContain('overlaps the outline of room');
}, 180_000);

test('a drawing lies below the outlines, and a wrong one is a problem with its line', async () => {
  const page = await (await context(browser, 'panel')).newPage();
  await logIn(page, gateway);
  const config = join(gateway.folder, 'config');
  const before = readFileSync(join(config, 'facility.toml'), 'utf8');
  mkdirSync(join(config, 'maps'), { recursive: true });
  const drawing = (inner: string) => writeFileSync(join(config, 'maps/north.svg'), `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 180 80">\n${inner}\n</svg>`);
  appendFileSync(join(config, 'facility.toml'), '\n[[background]]\nsite = "north"\nfile = "north.svg"\nsize = [18, 8]\n');
  const configuration = async () => (await page.request.get(`${gateway.url}/api/v1/configuration`)).json();
  drawing('<script>alert(1)</script>');
  expect((await configuration()).problems[0]).toMatchObject({ file: 'maps/north.svg', line: 2 });
  drawing('<rect width="180" height="80" style="fill:none;stroke:#333"/><path d="M70 0V60M0 60H140" stroke="#333" fill="none"/>');
  expect((await configuration()).problems).toEqual([]);
  const reload = await page.request.post(`${gateway.url}/api/v1/reload`, { headers: { 'idempotency-key': 'a-drawing-below-1', origin: gateway.url } });
  expect(reload.status(), await reload.text()).toBe(200);
  const loaded = page.waitForResponse((answer) => answer.url().includes('/api/v1/centre/backgrounds/'));
  for (const theme of ['light', 'dark'] as const) {
    await open(page, gateway, 'overview', { lang: 'zh', theme });
    await page.locator('main svg.over image').waitFor({ state: 'attached' });
    expect(await faults(page), theme).toEqual([]);
  }
  const answer = await loaded;
  expect(answer.headers()['content-type']).toBe('image/svg+xml');
  expect(answer.headers()['content-security-policy']).toMatch(/^default-src 'none';.*sandbox$/);
  const shown = await (await page.request.get(answer.url())).text();
  expect(shown).toContain('<rect width="180" height="80" fill="none" stroke="#333"/>');
  expect(shown).not.toContain('style');
  await page.locator('main .side .button', { hasText: '画平面图' }).click();
  await page.locator('dialog svg.over image').waitFor({ state: 'attached' });
  expect(await faults(page)).toEqual([]);
  writeFileSync(join(config, 'facility.toml'), before);
}, 180_000);
