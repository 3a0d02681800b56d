// A scanner on a serial port: whoever shows a card, an identity card or a code is opened on the page of that room, without a
// key; what cannot be read is told.
import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { faults } from './checks.ts';
import { context, demo, launch, linli, logIn } from './gateway.ts';

const NUMBER = '11010519491231002X';
const HEALTH_CODE = 'https://jkm.example/q?c=9d41ab77';
/** What a step may take on a loaded machine. */
const PATIENCE = { timeout: 30_000, interval: 200 };

let gateway: Awaited<ReturnType<typeof demo>>;
let browser: Browser;
let page: Page;
let scanner: ChildProcess;

/** A scanner on a pseudo-terminal; the path of its port. */
async function plugIn(): Promise<string> {
  scanner = spawn('python3', [resolve(import.meta.dirname, '../../../../tests/peers/serial_scanner.py')], { stdio: ['pipe', 'pipe', 'inherit'] });
  if (!scanner.stdout) throw new Error('no output');
  for await (const line of createInterface(scanner.stdout)) return line;
  throw new Error('the scanner gave no port');
}

/** What the scanner sends. */
const reads = (bytes: string | Buffer) => scanner.stdin?.write(`${Buffer.from(bytes).toString('hex')}\n`);
const get = async (path: string) => (await page.request.get(`${gateway.url}${path}`)).json();
const here = async () => (await get('/api/v1/cabin')).rooms.find((one: { room: string }) => one.room === 'health-cabin').visit;

beforeAll(async () => {
  const port = await plugIn();
  // The simulated residents of the oximeter stay away.
  gateway = await demo(['finger-out']);
  const file = join(gateway.folder, 'config/devices.toml');
  const devices = `\n[[line]]\nid = "scan"\nkind = "scanner"\nport = "${port}"\n\n[[device]]\nid = "scanner-1"\nname = "扫描枪"\nroom = "health-cabin"\nline = "scan"\nprofile = "scanner/line"\nclass = "vital"\n`;
  writeFileSync(file, readFileSync(file, 'utf8') + devices);
  await linli(gateway, 'reload');
  browser = await launch();
  page = await (await context(browser, 'panel')).newPage();
  await logIn(page, gateway, 'mei');
  await page.goto(`${gateway.url}/cabin?lang=zh&theme=light`);
  await page.locator('main .page').waitFor();
}, 400_000);

afterAll(async () => {
  await browser?.close();
  await gateway?.stop();
  scanner?.kill();
});

/** Nobody is in the room, whoever the demonstration had there. */
async function nobody(): Promise<void> {
  await expect.poll(async () => {
    const visit = await here();
    if (visit) await page.request.post(`${gateway.url}/api/v1/visits/${visit}/end`, { data: { ending: 'completed' } });
    return page.locator('main .start').count();
  }, PATIENCE).toBe(1);
}

/** Scans until the page shows what is expected: the simulated worker of the demonstration may come between. */
async function scanUntil(bytes: string, is: () => Promise<boolean>): Promise<void> {
  await expect.poll(async () => {
    if (await is()) return true;
    await page.mouse.click(640, 20);
    if (await page.locator('dialog[open]', { hasText: '换下一位' }).count()) await page.locator('dialog[open] button[type=submit]').click();
    else reads(bytes);
    return false;
  }, { timeout: 60_000, interval: 1500 }).toBe(true);
}

test('a card that nobody has is registered, and opens the resident from then on', async () => {
  await expect.poll(async () => (await get('/api/v1/devices')).find((one: { device: string }) => one.device === 'scanner-1')?.state, PATIENCE).toBe('online');
  await nobody();
  const dialog = page.locator('dialog[open]', { hasText: '登记新居民' });
  await scanUntil(`${NUMBER}\r\n`, async () => (await dialog.count()) === 1);
  expect(await dialog.locator('label', { hasText: '身份证号' }).locator('input').inputValue()).toBe(NUMBER);
  await dialog.locator('label', { hasText: '姓名' }).locator('input').fill('张小明');
  await dialog.locator('.agree input').check();
  await dialog.locator('button[type=submit]').click();
  const isHere = async () => (await page.locator('main .who', { hasText: '002X' }).count()) === 1;
  await scanUntil(`${NUMBER}\r\n`, isHere);
  expect(await faults(page)).toEqual([]);

  // The same card again says that they are here already.
  await page.mouse.click(640, 20);
  reads(`${NUMBER}\r`);
  await page.locator('main .said', { hasText: '已经在这里' }).waitFor();
});

test('what cannot be read, and a number that is wrong, is told', async () => {
  const said = page.locator('main .said');
  await page.mouse.click(640, 20);
  reads(Buffer.from([0xff, 0xff, 0xff, 0x0d]));
  await said.filter({ hasText: '读不出来' }).waitFor();
  expect(await faults(page)).toEqual([]);
  reads('110105194912310021\r\n');
  await said.filter({ hasText: '校验码' }).waitFor();
  expect(await page.locator('dialog[open]').count(), 'nobody is registered with it').toBe(0);
});

test('a QR code opens whoever it belongs to', async () => {
  const added = await page.request.post(`${gateway.url}/api/v1/residents`, { data: { identity: { name: '李四', card: 'SZ00004821', health_code: HEALTH_CODE }, consent: 'demo-1' } });
  expect(added.status()).toBe(201);
  // A visit that was begun with consent is what a scan goes on from.
  await nobody();
  const { pseudonym } = await added.json();
  const first = await page.request.post(`${gateway.url}/api/v1/visits`, { data: { by: 'card', room: 'health-cabin', identity: { name: '李四', health_code: HEALTH_CODE }, consent: 'demo-1' } });
  expect(first.status()).toBe(201);
  expect((await first.json()).pseudonym).toBe(pseudonym);
  await nobody();
  await scanUntil(`]Q1${HEALTH_CODE}\r`, async () => (await page.locator('main .who', { hasText: '李*' }).count()) === 1);
  const looks = await (await page.request.get(`${gateway.url}/api/v1/cabin`)).json();
  expect(looks.names).toBe(true);
});
