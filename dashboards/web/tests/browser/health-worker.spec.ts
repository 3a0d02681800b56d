// An hour of the health worker at the panel, with everything that goes wrong in it: six residents, one with two pressures
// that differ, one with a doubtful saturation, one with a critical value, a wrong claim, one who leaves, one who is
// forgotten; the printer without paper, the network away, the panel hidden in the middle. Nothing is lost, and every look is
// in the record.
import { readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import type { Browser, Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { faults } from './checks.ts';
import { context, demo, launch, linli, logIn } from './gateway.ts';
import { printer, type Printer } from './printer.ts';

let gateway: Awaited<ReturnType<typeof demo>>;
let browser: Browser;
let paper: Printer;
let page: Page;

/** What a step may take on a loaded machine. */
const PATIENCE = { timeout: 30_000, interval: 200 };

beforeAll(async () => {
  paper = await printer();
  // The simulated residents of the oximeter stay away.
  gateway = await demo(['finger-out']);
  settle((text) => `${text}\n[slip]\nprinter = "${paper.uri}"\n`);
  await linli(gateway, 'reload');
  browser = await launch();
  page = await (await context(browser, 'panel')).newPage();
}, 400_000);

afterAll(async () => {
  await browser?.close();
  await gateway?.stop();
  paper?.stop();
});

function settle(change: (text: string) => string): void {
  const file = join(gateway.folder, 'config/gateway.toml');
  writeFileSync(file, change(readFileSync(file, 'utf8')));
}

type Result = [code: string, value: string, unit: string, status?: string];
let control = 0;

/** The monitor sends results of a patient over MLLP; `patient` is the id of the visit, or nobody. */
async function measure(patient: string, ...results: Result[]): Promise<void> {
  control += 1;
  const rows = results.map(([code, value, unit, status], at) => `OBX|${at + 1}|NM|${code}^x^LN||${value}|${unit}^^UCUM|||||${status ?? 'F'}\r`);
  const message = `MSH|^~\\&|CABIN|S|GW|S|||ORU^R01^ORU_R01|STORY-${control}|P|2.6|||||||UNICODE UTF-8\rPID|||${patient}\rOBR|1|||85353-1^Vital signs^LN\r${rows.join('')}`;
  const devices = readFileSync(join(gateway.folder, 'config/devices.toml'), 'utf8');
  const port = Number(/kind = "mllp"\nlisten = "127\.0\.0\.1:(\d+)"/.exec(devices)?.[1]);
  const answer = await new Promise<string>((done, fail) => {
    let text = '';
    const socket = connect(port, '127.0.0.1', () => socket.write(`\x0b${message}\x1c\r`));
    socket.on('data', (bytes) => {
      text += bytes.toString();
      if (text.includes('\x1c')) socket.end(() => done(text));
    });
    socket.once('error', fail);
  });
  expect(answer).toContain('MSA|AA');
}

const pressure = (patient: string, high: number, low: number) => measure(patient, ['8480-6', String(high), 'mm[Hg]'], ['8462-4', String(low), 'mm[Hg]']);
const tile = (name: string) => page.locator(`main section[aria-label="${name}"]`);
const acts = (word: string) => page.locator('main .acts .button', { hasText: word });
const submit = () => page.locator('dialog[open] button[type=submit]').click();
const get = async (path: string) => (await page.request.get(`${gateway.url}${path}`)).json();

/** What a scanner types: fast, then Enter. */
async function scan(text: string): Promise<void> {
  await page.locator('main').focus();
  await page.keyboard.type(text, { delay: 4 });
  await page.keyboard.press('Enter');
}

/** The id of the visit that is open in the cabin. */
async function visitHere(): Promise<string> {
  let id: string | null = null;
  await expect.poll(async () => (id = (await get('/api/v1/cabin')).rooms[0].visit), PATIENCE).not.toBeNull();
  return id ?? '';
}

/** A visit of somebody without a name. */
async function nameless(): Promise<string> {
  await page.locator('main .start .button', { hasText: '无名' }).click();
  await page.locator('main .who').waitFor();
  return visitHere();
}

async function end(): Promise<void> {
  await acts('结束').click();
  await submit();
  await page.locator('main .who').waitFor({ state: 'detached' });
}

async function close(dialog: Locator): Promise<void> {
  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'detached' });
}

const NUMBER = '11010519491231002X';
const visits: string[] = [];

test('an hour of the health worker', async () => {
  await page.clock.install();
  await logIn(page, gateway, 'mei');
  await page.goto(`${gateway.url}/cabin?lang=zh&theme=light`);
  await page.locator('main .page').waitFor();
  await nobodyOfTheSimulation();
  await twoPressuresThatDiffer();
  await aDoubtfulSaturation();
  await aCriticalPressure();
  await aWrongClaim();
  await oneWhoLeaves();
  await theNetworkIsAway();
  await paperAgain();
  await oneWhoIsForgotten();
  await nothingIsLost();
}, 420_000);

/** The simulated worker of the demonstration may have somebody in the room: that visit ends. */
async function nobodyOfTheSimulation(): Promise<void> {
  await expect.poll(async () => {
    const { visit } = (await get('/api/v1/cabin')).rooms[0];
    if (visit) await page.request.post(`${gateway.url}/api/v1/visits/${visit}/end`, { data: { ending: 'completed' } });
    await scan(NUMBER);
    return page.locator('dialog', { hasText: '登记新居民' }).count();
  }, { timeout: 60_000, interval: 500 }).toBe(1);
}

async function twoPressuresThatDiffer(): Promise<void> {
  await page.locator('dialog label', { hasText: '姓名' }).locator('input').fill('张小明');
  await page.locator('dialog .agree input').check();
  await submit();
  await expect.poll(async () => {
    if (await page.locator('main .who', { hasText: '002X' }).count()) return true;
    if (await page.locator('dialog[open]').count()) await submit().catch(() => {});
    return false;
  }, PATIENCE).toBe(true);
  const visit = await visitHere();
  visits.push(visit);
  await acts('重测血压').click();
  await page.locator('main .acts .guide', { hasText: '现在测第 1/2 次' }).waitFor();
  await pressure(visit, 150, 90);
  await page.locator('main .acts .guide', { hasText: '血压 1/2' }).waitFor();
  await pressure(visit, 138, 90);
  await page.locator('main .acts .guide', { hasText: '血压 2/3' }).waitFor();
  await pressure(visit, 144, 87);
  await page.locator('main .acts .guide', { hasText: '已测 3 次' }).waitFor();
  await tile('血压').locator('.number', { hasText: '144/89' }).waitFor();
  // The slip is asked for while the printer has no paper: the screen says so, and the next resident is not kept waiting.
  paper.paper(false);
  await end();
  const slip = page.locator('dialog', { hasText: '结果单' });
  await slip.waitFor();
  await submit();
  await expect.poll(() => slip.locator('.job').innerText().catch(() => ''), PATIENCE).toMatch(/paper|纸/);
  expect(await faults(page)).toEqual([]);
  await close(slip);
}

async function aDoubtfulSaturation(): Promise<void> {
  const visit = await nameless();
  visits.push(visit);
  await measure(visit, ['59408-5', '84', '%', 'P']);
  await tile('血氧').locator('.doubt').waitFor();
  expect(await page.locator('dialog[aria-label="危急值"]').count(), 'a doubtful value is repeated first').toBe(0);
  await tile('血氧').locator('.button', { hasText: '重测' }).click();
  await measure(visit, ['59408-5', '97', '%']);
  await tile('血氧').locator('.number', { hasText: '97' }).waitFor();
  expect(await tile('血氧').locator('.doubt').count()).toBe(0);
  await end();
  await close(page.locator('dialog', { hasText: '结果单' }));
}

/** The panel hides what is personal while the number is typed; what was typed is still there after a touch. */
async function aCriticalPressure(): Promise<void> {
  const visit = await nameless();
  visits.push(visit);
  await acts('手工录入').click();
  await page.locator('dialog .pair input').first().fill('186');
  await page.clock.fastForward(61_000);
  await page.locator('main .notice', { hasText: '已隐藏' }).waitFor();
  expect(await page.locator('main .who, dialog[open]').count(), 'nothing personal is on the screen').toBe(0);
  await pressure(visit, 186, 108);
  await page.mouse.click(640, 400);
  const critical = page.locator('dialog[aria-label="危急值"]');
  await critical.waitFor();
  await critical.locator('input').fill('168');
  await critical.locator('.acts .main', { hasText: '转诊' }).click();
  await expect.poll(() => critical.locator('.problem').innerText(), PATIENCE).toContain('186');
  await critical.locator('input').fill('186');
  await critical.locator('.acts .main', { hasText: '转诊' }).click();
  await critical.waitFor({ state: 'detached' });
  // The resident takes a note along to the hospital.
  const note = await page.request.get(`${gateway.url}/api/v1/visits/${visit}/referral`);
  expect([note.status(), (await note.body()).subarray(0, 5).toString()]).toEqual([200, '%PDF-']);
  const typed = page.locator('dialog .pair input').first();
  await typed.waitFor();
  expect(await typed.inputValue(), 'nothing typed is lost').toBe('186');
  await close(page.locator('dialog[open]'));
  const [download] = await Promise.all([page.waitForEvent('download'), acts('转诊单').click()]);
  expect(readFileSync(await download.path()).subarray(0, 5).toString()).toBe('%PDF-');
  await end();
  await close(page.locator('dialog', { hasText: '结果单' }));
}

async function aWrongClaim(): Promise<void> {
  await measure('', ['8310-5', '38.4', 'Cel']);
  const visit = await nameless();
  visits.push(visit);
  const waiting = page.locator('aside li', { hasText: '38.4' });
  await waiting.locator('button').click();
  await tile('体温').locator('.number', { hasText: '38.4' }).waitFor();
  await page.locator('aside .undo button').click();
  await tile('体温').locator('.number', { hasText: '——' }).waitFor();
  await waiting.waitFor();
  await end();
  await close(page.locator('dialog', { hasText: '结果单' }));
}

async function oneWhoLeaves(): Promise<void> {
  visits.push(await nameless());
  await acts('结束').click();
  await page.locator('dialog .left').click();
  await page.locator('main .who').waitFor({ state: 'detached' });
}

/** The broker is away and the panel's own network too: what is measured meanwhile is there afterwards, without a reload. */
async function theNetworkIsAway(): Promise<void> {
  gateway.fault('broker-down');
  const visit = await nameless();
  visits.push(visit);
  await page.context().setOffline(true);
  await measure(visit, ['8867-4', '76', '/min']);
  await page.clock.fastForward(11_000);
  await page.locator('body', { hasText: '数据中断' }).waitFor();
  await page.context().setOffline(false);
  await tile('脉搏').locator('.number', { hasText: '76' }).waitFor({ timeout: 60_000 });
  await page.locator('body', { hasText: '数据中断' }).waitFor({ state: 'detached', timeout: 60_000 }).catch(() => {});
  await end();
  await close(page.locator('dialog', { hasText: '结果单' }));
  gateway.fault('broker-down');
}

/** With paper the first resident's slip is printed, once. */
async function paperAgain(): Promise<void> {
  expect(paper.printed()).toEqual([]);
  paper.paper(true);
  await expect.poll(() => paper.printed().length, { timeout: 90_000, interval: 500 }).toBe(1);
  const jobs = async () => (await get('/api/v1/print')).map((job: { state: unknown }) => job.state);
  await expect.poll(jobs, { timeout: 90_000, interval: 500 }).toEqual(['printed']);
  expect(readFileSync(paper.printed()[0] ?? '').subarray(0, 5).toString()).toBe('%PDF-');
}

/** Who went without a word is not in the room for ever: the visit ends by its rule, and says so. */
async function oneWhoIsForgotten(): Promise<void> {
  const visit = await nameless();
  settle((text) => text.replace('[cabin]\n', '[cabin]\nvisit_timeout = "1m"\n'));
  await linli(gateway, 'reload');
  const ended = async () => (await get(`/api/v1/visits/${visit}`)).ended?.[1];
  await expect.poll(ended, { timeout: 150_000, interval: 1000 }).toBe('timed_out');
  await page.mouse.click(640, 400);
  await page.locator('main .start').waitFor();
  await page.locator('main .today .button', { hasText: '今日名单' }).click();
  await page.locator('dialog li', { hasText: '超时' }).first().waitFor();
  await close(page.locator('dialog[open]'));
}

async function nothingIsLost(): Promise<void> {
  const measured = async (visit: string) => {
    const { measurements } = await get(`/api/v1/visits/${visit}`);
    return measurements.map((one: { measurement: { readings: { value: number }[] } }) => one.measurement.readings.map((reading) => reading.value));
  };
  expect(await Promise.all(visits.map(measured))).toEqual([[[150, 90], [138, 90], [144, 87]], [[84], [97]], [[186, 108]], [], [], [[76]]]);
  const unassigned = JSON.stringify(await get('/api/v1/measurements/unassigned?limit=1000'));
  expect(unassigned).toContain('38.4');
  // What the broker missed has been sent.
  const uplink = async () => (await get('/api/v1/status')).uplink;
  await expect.poll(async () => (await uplink()).connected, { timeout: 60_000, interval: 500 }).toBe(true);
  const audit = await linli(gateway, 'visits', 'audit', '--limit', '1000');
  for (const visit of visits) {
    const looks = audit.split('\n').filter((line) => line.includes(visit) && line.includes('visit.show') && line.includes('mei'));
    expect(looks.length, `a look at ${visit}`).toBeGreaterThan(0);
  }
  for (const what of ['resident.search', 'visit.open', 'pressure.begin', 'critical.answer', 'referral.make', 'measurement.assign', 'visit.end']) expect(audit).toContain(what);
  expect(audit).not.toContain('张小明');
}
