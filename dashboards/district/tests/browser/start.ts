/** Starts and stops the real program with its demonstration district: PostgreSQL, mosquitto, simulated centres. */
import { execFileSync, spawn } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join, resolve } from 'node:path';
import type { BrowserContext, Page } from 'playwright-core';

/** What a start may take on a loaded machine. */
const START_MS = 50_000;

export function binary(): string {
  return process.env.LINLI_DISTRICT_BIN ?? resolve(import.meta.dirname, '../../../../target/e2e/linli-district');
}

export interface District {
  url: string; database: number; broker: number;
  /** What it printed. */
  said: () => string;
  stop: () => Promise<void>;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const address = server.address();
  await new Promise((done) => server.close(done));
  if (!address || typeof address === 'string') throw new Error('no port');
  return address.port;
}

/** Starts a district with so many centres, some of them real gateways. */
export async function demo(centres = 14, gateways = 0): Promise<District> {
  if (!existsSync(binary())) throw new Error(`${binary()} is missing: cargo build --workspace --profile e2e, or set LINLI_DISTRICT_BIN`);
  const [web, broker, database] = [await freePort(), await freePort(), await freePort()];
  const child = spawn(binary(), ['demo', '--centres', String(centres), '--gateways', String(gateways), '--listen', `127.0.0.1:${web}`, '--broker', String(broker), '--database', String(database)], { stdio: ['ignore', 'pipe', 'pipe'] });
  let text = '';
  child.stdout.on('data', (bytes: Buffer) => (text += bytes.toString()));
  child.stderr.on('data', (bytes: Buffer) => (text += bytes.toString()));
  let ended: number | null = null;
  const end = new Promise<void>((done) => child.once('exit', (code) => { ended = code ?? -1; done(); }));
  const url = `http://127.0.0.1:${web}`;
  for (const until = Date.now() + START_MS; ; ) {
    if (await fetch(`${url}/readyz`).then((answer) => answer.ok, () => false)) break;
    if (ended !== null || Date.now() > until) {
      child.kill('SIGKILL');
      throw new Error(`the district did not start:\n${text}`);
    }
    await new Promise((done) => setTimeout(done, 100));
  }
  return {
    url, database, broker, said: () => text,
    stop: async () => {
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), 15_000);
      await end;
      clearTimeout(timer);
    },
  };
}

/** Runs a statement in its database. */
export function sql(district: District, statement: string): string {
  const folder = readdirSync('/usr/lib/postgresql').sort().at(-1) ?? '15';
  return execFileSync(`/usr/lib/postgresql/${folder}/bin/psql`, ['-h', '127.0.0.1', '-p', String(district.database), '-U', 'postgres', '-qtA', '-v', 'ON_ERROR_STOP=1', '-c', statement], { encoding: 'utf8' }).trim();
}

/** A file of the demonstration, by the words before its path. */
export function fileOf(district: District, words: string): string {
  const found = district.said().split('\n').find((line) => line.includes(words));
  if (!found) throw new Error(`the demonstration names no ${words}:\n${district.said()}`);
  return found.slice(found.lastIndexOf(': ') + 2).trim();
}

/** Six digits of an authenticator (RFC 6238). */
export function digitsOf(secret: string, at = Date.now()): string {
  const bits = [...secret.replaceAll(/[\s=]/g, '').toUpperCase()].map((letter) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(letter).toString(2).padStart(5, '0')).join('');
  const key = Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => parseInt(byte, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(at / 30_000)));
  const hash = createHmac('sha1', key).update(counter).digest();
  const offset = (hash.at(-1) ?? 0) & 15;
  return String((hash.readUInt32BE(offset) & 0x7fff_ffff) % 1_000_000).padStart(6, '0');
}

/** Password and authenticator of a person of the demonstration. */
export function personOf(district: District, account: string): { password: string; code: () => string } {
  const folder = fileOf(district, 'log-ins');
  const read = (kind: string) => readFileSync(join(folder, `${account}.${kind}`), 'utf8').trim();
  return { password: read('password'), code: () => digitsOf(read('factor')) };
}

/** Log-ins that were made: digits count once, so each person logs in once. */
const made = new Map<string, Awaited<ReturnType<BrowserContext['cookies']>>>();

/** Becomes a person of the demonstration. */
export async function logIn(page: Page, district: District, account: string): Promise<void> {
  const known = made.get(`${district.url} ${account}`);
  if (known) return page.context().addCookies(known);
  const { password, code } = personOf(district, account);
  const answer = await page.request.post(`${district.url}/api/v1/session`, { data: { account, password, code: code() }, headers: { origin: district.url } });
  if (!answer.ok()) throw new Error(`${account} cannot log in: ${answer.status()} ${await answer.text()}`);
  made.set(`${district.url} ${account}`, await page.context().cookies());
}

export async function open(page: Page, district: District, view: string, look: { lang: 'zh' | 'en'; theme: 'light' | 'dark' } = { lang: 'zh', theme: 'light' }): Promise<void> {
  await page.goto(`${district.url}/${view}?lang=${look.lang}&theme=${look.theme}`);
  await page.locator('main :is(.card, .plane, .notice, ol, h1)').first().waitFor();
}

/** Waits until a number of its database is large enough. */
export async function until(district: District, question: string, least: number, patience = 60_000): Promise<void> {
  for (const end = Date.now() + patience; Number(sql(district, question)) < least; ) {
    if (Date.now() > end) throw new Error(`${question}: ${sql(district, question)}, ${least} were expected`);
    await new Promise((done) => setTimeout(done, 200));
  }
}
