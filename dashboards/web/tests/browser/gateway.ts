/** Starts and stops the real binary with its demonstration centre, and a browser beside it. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';

export const CHROMIUM = process.env.LINLI_CHROMIUM ?? '/usr/bin/chromium';

/** What a start may take on a loaded machine. */
const START_MS = 40_000;

export function binary(): string {
  return process.env.LINLI_BIN ?? resolve(import.meta.dirname, '../../../../target/e2e/linli');
}

export interface Gateway {
  url: string;
  /** Switches a fault of the demonstration. */
  fault: (name: string) => void;
  /** Its folder is removed, unless it is to come back. */
  stop: (isToComeBack?: boolean) => Promise<void>;
}

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const address = server.address();
  await new Promise((done) => server.close(done));
  if (!address || typeof address === 'string') throw new Error('no port');
  return address.port;
}

/** Starts a demonstration; `port` and `folder` of an earlier one start the same centre again. */
export async function demo(faults: string[] = [], port?: number, folder?: string): Promise<Gateway & { port: number; folder: string }> {
  for (let left = 4; ; left--) {
    try {
      return await begin(faults, port ?? (await freePort()), folder);
    } catch (error) {
      // Somebody else took the free port first.
      if (port !== undefined || left === 0 || !String(error).includes('Address already in use')) throw error;
    }
  }
}

async function begin(faults: string[], web: number, folder?: string): Promise<Gateway & { port: number; folder: string }> {
  const data = folder ?? mkdtempSync(join(tmpdir(), 'linli-browser-'));
  const faulty = faults.flatMap((fault) => ['--fault', fault]);
  const child = spawn(binary(), ['demo', '--web', `127.0.0.1:${web}`, '--data-dir', data, ...faulty], { stdio: ['pipe', 'pipe', 'pipe'] });
  await started(child);
  const url = `http://127.0.0.1:${web}`;
  return {
    url, port: web, folder: data,
    fault: (name) => void child.stdin?.write(`${name}\n`),
    stop: async (isToComeBack = false) => {
      const ended = new Promise((done) => child.once('exit', done));
      child.stdin?.end('quit\n');
      const timer = setTimeout(() => child.kill('SIGKILL'), 10_000);
      await ended;
      clearTimeout(timer);
      if (!isToComeBack) rmSync(data, { recursive: true, force: true });
    },
  };
}

/** Waits for the first table of the demonstration. */
function started(child: ChildProcess): Promise<void> {
  return new Promise((done, fail) => {
    let text = '';
    const timer = setTimeout(() => fail(new Error(`the demonstration did not start:\n${text}`)), START_MS);
    const take = (bytes: Buffer) => {
      text += bytes.toString();
      if (text.includes('faults')) {
        clearTimeout(timer);
        child.stdout?.removeListener('data', take);
        child.stdout?.resume();
        done();
      }
    };
    child.stdout?.on('data', take);
    child.stderr?.on('data', (bytes: Buffer) => (text += bytes.toString()));
    child.once('exit', (code) => fail(new Error(`the demonstration ended with ${code}:\n${text}`)));
  });
}

export function launch(): Promise<Browser> {
  return chromium.launch({ executablePath: CHROMIUM });
}

export interface Look { size: keyof typeof SIZES; lang: 'zh' | 'en'; theme: 'light' | 'dark' }

export const SIZES = {
  panel: { width: 1280, height: 800 },
  phone: { width: 390, height: 844 },
  wall: { width: 1920, height: 1080 },
} as const;

export function context(browser: Browser, size: keyof typeof SIZES): Promise<BrowserContext> {
  return browser.newContext({ viewport: SIZES[size], hasTouch: true, locale: 'zh-CN', reducedMotion: 'reduce' });
}

/** Opens a view, after a log-in, and waits until it shows the gateway's data. */
export async function open(page: Page, gateway: Gateway, view: string, look: Omit<Look, 'size'> = { lang: 'zh', theme: 'light' }): Promise<void> {
  await page.goto(`${gateway.url}/${view}?lang=${look.lang}&theme=${look.theme}`);
  await page.locator('main :is(.card, .tools)').first().waitFor();
}

/** Becomes a person of the demonstration, as a touch on the name does. */
export async function logIn(page: Page, gateway: { url: string }, account = 'zhao'): Promise<void> {
  const answer = await page.request.post(`${gateway.url}/api/v1/demo/${account}`);
  if (!answer.ok()) throw new Error(`${account} cannot log in: ${answer.status()} ${await answer.text()}`);
}

/** Runs the command line beside the demonstration; returns what it printed. */
export async function linli(gateway: { folder: string }, ...words: string[]): Promise<string> {
  const config = join(gateway.folder, 'config');
  const { stdout } = await promisify(execFile)(binary(), words, { cwd: config, env: { ...process.env, LINLI_CONFIG: config } });
  return stdout.trim();
}

/** The password or PIN of a person of the demonstration. */
export function secretOf(gateway: { folder: string }, account: string): string {
  return readFileSync(join(gateway.folder, 'config/log-ins', `${account}.password`), 'utf8').trim();
}

/** What a person needs besides: the badge, or the secret of the authenticator. */
export function factorOf(gateway: { folder: string }, account: string): string {
  return readFileSync(join(gateway.folder, 'config/log-ins', `${account}.factor`), 'utf8').trim();
}

/** The six digits that the person's authenticator shows. */
export function digitsOf(gateway: { folder: string }, account: string): Promise<string> {
  return linli(gateway, 'login', account, '--print-code', '--factor-file', join(gateway.folder, 'config/log-ins', `${account}.factor`));
}

/** Orders a drill of a plan on the command line, as two signers do, and has the leader begin it. */
export async function drill(gateway: { folder: string; url: string }, plan: string, room: string): Promise<void> {
  const passwords = ['chen', 'deng'].flatMap((signer) => ['--password-file', `log-ins/${signer}.password`]);
  const factors = (account: string) => ['--password-file', `log-ins/${account}.password`, '--factor-file', `log-ins/${account}.factor`];
  for (const account of ['chen', 'deng']) await linli(gateway, 'login', account, ...factors(account));
  await linli(gateway, 'mode', 'enter', plan, '--class', 'exercise', '--key', 'drill-chen.key', '--key', 'drill-deng.key', ...passwords);
  // The leader's one-time code may be used up by a touch on the name a moment ago.
  const entered = await fetch(`${gateway.url}/api/v1/demo/zhao`, { method: 'POST' });
  const cookie = entered.headers.getSetCookie().map((one) => one.split(';')[0] ?? '').filter((one) => !one.endsWith('=')).join('; ');
  const begun = await fetch(`${gateway.url}/api/v1/mode/rooms/${room}/commit`, { method: 'POST', headers: { cookie } });
  if (!begun.ok) throw new Error(`the drill does not begin: ${await begun.text()}`);
}
