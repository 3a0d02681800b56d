// Outreach at the panel: the health worker takes the file of a box. Each wrong file is told in a sentence and takes nothing; the
// preview says what would come; what came is there once, and whom a person must decide about is asked.
import { readFileSync } from 'node:fs';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Box, box } from './box.ts';
import { faults } from './checks.ts';
import { context, demo, launch, linli, logIn, SIZES } from './gateway.ts';

const SECRET = '巡诊车与中心共用的口令 2026';
const ZHANG = { name: '张小明', id_number: '11010519491231002X' };
/** What a step may take on a loaded machine. */
const PATIENCE = { timeout: 60_000 };

let gateway: Awaited<ReturnType<typeof demo>>;
let browser: Browser;
let van: Box;
let file: string;
let visits: string[];

beforeAll(async () => {
  gateway = await demo(['finger-out']);
  van = await box('van', gateway.folder);
  browser = await launch();
  const page = await (await context(browser, 'panel')).newPage();
  await logIn(page, gateway, 'mei');
  // At the centre: somebody with a number, somebody with a name only.
  for (const identity of [ZHANG, { name: '王五', sex: 'male' }]) {
    const added = await page.request.post(`${gateway.url}/api/v1/residents`, { data: { identity, consent: 'demo-1' } });
    expect(added.status()).toBe(201);
  }
  await page.context().close();
  visits = [await van.visit(ZHANG, 71), await van.visit({ name: '赵六', card: 'SZ00000077' }, 72), await van.visit({ name: '王五', birth_year: 1950 }, 73)];
  file = await van.file(SECRET);
}, 400_000);

afterAll(async () => {
  await browser?.close();
  await van?.stop();
  await gateway?.stop();
});

async function worker(size: keyof typeof SIZES, look = 'lang=zh&theme=light'): Promise<Page> {
  const page = await (await context(browser, size)).newPage();
  await logIn(page, gateway, 'mei');
  await page.goto(`${gateway.url}/cabin?${look}`);
  await page.locator('main .today .button', { hasText: /巡诊|Outreach/ }).click();
  await page.locator('dialog[open] input[type=file]').waitFor({ state: 'attached' });
  return page;
}

const choose = (page: Page, name: string, text: string | Buffer) => page.locator('dialog input[type=file]').setInputFiles({ name, mimeType: 'application/octet-stream', buffer: Buffer.from(text) });
const button = (page: Page, word: string | RegExp) => page.locator('dialog[open] button', { hasText: word });
const problem = (page: Page) => page.locator('dialog[open] .problem').first();
const secret = (page: Page, text: string) => page.locator('dialog label', { hasText: /口令|Secret/ }).locator('input').fill(text);
/** How many of the visits of the box are at the centre. */
const taken = async (page: Page) => (await Promise.all(visits.map((visit) => page.request.get(`${gateway.url}/api/v1/visits/${visit}`)))).filter((answer) => answer.ok()).length;

test('each wrong file is told, and takes nothing', async () => {
  const page = await worker('panel');
  for (const [name, text, word] of [
    ['空.linli', '', '空文件'],
    ['table.csv', 'id,name\n1,2\n', '不是 linli 巡诊文件'],
    ['photo.jpg', Buffer.from([0xff, 0xd8, 0xff, 0xe0, 0, 1, 2, 3]), '不是 linli 巡诊文件'],
    ['new.linli', file.replace('"version":1', '"version":2'), '升级'],
  ] as const) {
    await choose(page, name, text);
    await problem(page).filter({ hasText: word }).waitFor();
    expect(await problem(page).innerText()).toContain(name);
    expect(await button(page, '打开并预览').count(), 'what is no file cannot be opened').toBe(0);
  }
  const lines = file.trimEnd().split('\n');
  await choose(page, 'van.linli', file);
  await page.locator('dialog', { hasText: '来自 van' }).waitFor();
  await secret(page, '太短');
  await button(page, '打开并预览').click();
  await problem(page).filter({ hasText: '12 到 256' }).waitFor();
  // Another centre's secret; a file that was cut off; one whose lines were changed.
  await secret(page, '别的中心用的另一个口令 2026');
  await button(page, '打开并预览').click();
  await problem(page).filter({ hasText: '口令不对' }).waitFor(PATIENCE);
  await secret(page, SECRET);
  for (const [text, word] of [
    [lines.slice(0, -1).join('\n'), '不完整'],
    [[lines[0], lines[1], lines[3], lines[2], ...lines.slice(4)].join('\n'), '损坏'],
    [`${lines[0]}\n${'A'.repeat(1_700_000)}\n`, '太长'],
  ] as const) {
    await choose(page, 'van.linli', text);
    await button(page, '打开并预览').click();
    await problem(page).filter({ hasText: word }).waitFor(PATIENCE);
    expect(await button(page, /^导入$/).count(), 'no way on').toBe(0);
  }
  expect(await faults(page)).toEqual([]);
  expect(await taken(page)).toBe(0);
  await page.context().close();
});

test.each(Object.keys(SIZES) as (keyof typeof SIZES)[])('whole, accessible and touchable on a %s, in both languages', async (size) => {
  for (const [lang, theme] of [['zh', 'dark'], ['en', 'light']] as const) {
    const page = await worker(size, `lang=${lang}&theme=${theme}`);
    await secret(page, SECRET);
    await choose(page, 'van.linli', file);
    expect(await faults(page), `${size} ${lang}`).toEqual([]);
    await button(page, lang === 'zh' ? '打开并预览' : 'Open and preview').click();
    await page.locator('dialog .preview').waitFor(PATIENCE);
    expect(await faults(page), `${size} ${lang}, preview`).toEqual([]);
    if (process.env.LINLI_LOOK) await page.screenshot({ path: `${process.env.LINLI_LOOK}/outreach-${size}-${lang}-${theme}.png` });
    await page.context().close();
  }
});

test('a preview, the import, and what a person decides', async () => {
  const page = await worker('panel');
  await secret(page, SECRET);
  await choose(page, 'van.linli', file);
  await button(page, '打开并预览').click();
  const sheet = page.locator('dialog[open]');
  await sheet.filter({ hasText: '将导入 3 次就诊、3 项测量' }).waitFor(PATIENCE);
  expect(await sheet.innerText()).toContain('居民：1 位已登记，1 位新登记，1 位要人确认');
  expect(await sheet.innerText(), 'names are hidden').not.toMatch(/张小明|赵六|王五/);
  await sheet.locator('li', { hasText: '王*' }).filter({ hasText: '同名' }).waitFor();
  expect(await sheet.innerText(), 'it is this district').not.toContain('别的区');
  expect(await taken(page), 'nothing is taken by looking').toBe(0);
  expect(await faults(page)).toEqual([]);
  await button(page, /^导入$/).click();
  await sheet.filter({ hasText: '已导入 3 次就诊、3 项测量，新登记 2 位居民' }).waitFor(PATIENCE);
  expect(await taken(page)).toBe(3);

  // Whom a person must decide about is listed; a reason is asked for.
  const doubts = sheet.locator('section', { hasText: '待确认居民（1）' });
  await doubts.locator('button', { hasText: '同一人：并入' }).click();
  await doubts.locator('.problem', { hasText: '请写原因' }).waitFor();
  await doubts.locator('input').fill('问过居民，是同一个人');
  expect(await faults(page)).toEqual([]);
  await doubts.locator('button', { hasText: '同一人：并入' }).click();
  await doubts.waitFor({ state: 'detached', ...PATIENCE });

  // The same file again brings nothing.
  await choose(page, 'van.linli', file);
  await button(page, '打开并预览').click();
  await sheet.filter({ hasText: '3 次就诊已经有了' }).waitFor(PATIENCE);
  expect(await button(page, '没有新的内容可导入').isDisabled()).toBe(true);
  await page.keyboard.press('Escape');
  await page.locator('main .today .button', { hasText: '今日名单' }).click();
  await page.locator('dialog li', { hasText: '巡诊 van' }).first().waitFor();

  // Every look and every visit is in the record.
  const record = (await linli(gateway, 'visits', 'audit', '--limit', '200')).split('\n');
  const isThere = (...words: string[]) => record.some((line) => words.every((word) => line.includes(word)));
  for (const visit of visits) expect(isThere('outreach.import', visit, 'mei'), visit).toBe(true);
  expect(isThere('outreach.preview', 'mei')).toBe(true);
  await page.context().close();
});

test('the box exports from its own page, and the centre knows its own file', async () => {
  const page = await worker('panel');
  await secret(page, SECRET);
  const [download] = await Promise.all([page.waitForEvent('download', PATIENCE), button(page, '导出为文件').click()]);
  expect(download.suggestedFilename()).toMatch(/^xinghe-\d{8}T\d{4}\.linli$/);
  const saved = readFileSync(await download.path(), 'utf8');
  expect(JSON.parse(saved.split('\n')[0] ?? '')).toMatchObject({ format: 'linli-outreach', from: 'xinghe' });
  await page.locator('dialog', { hasText: '已存为' }).waitFor();
  await choose(page, 'own.linli', saved);
  await page.locator('dialog .warn', { hasText: '本中心自己导出' }).waitFor();
  expect(await faults(page)).toEqual([]);

  // Nobody else sees the secret, nor what was chosen: another person begins anew.
  await page.request.delete(`${gateway.url}/api/v1/session`);
  await logIn(page, gateway, 'mei');
  await page.reload();
  await page.locator('main .today .button', { hasText: '巡诊' }).click();
  expect(await page.locator('dialog label', { hasText: '口令' }).locator('input').inputValue()).toBe('');
  await page.context().close();
});
