/** Starts and stops the real binary with its demonstration centre, and a browser beside it. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
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
  token: string;
  /** Switches a fault of the demonstration. */
  fault: (name: string) => void;
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

/** Starts a demonstration; `port` and `folder` of an earlier one start the same centre again. */
export async function demo(faults: string[] = [], port?: number, folder?: string): Promise<Gateway & { port: number; folder: string }> {
  const [web, data] = [port ?? (await freePort()), folder ?? mkdtempSync(join(tmpdir(), 'linli-browser-'))];
  const faulty = faults.flatMap((fault) => ['--fault', fault]);
  const child = spawn(binary(), ['demo', '--web', `127.0.0.1:${web}`, '--data-dir', data, ...faulty], { stdio: ['pipe', 'pipe', 'pipe'] });
  const token = await started(child);
  const url = `http://127.0.0.1:${web}`;
  return {
    url, token, port: web, folder: data,
    fault: (name) => void child.stdin?.write(`${name}\n`),
    stop: async () => {
      const ended = new Promise((done) => child.once('exit', done));
      child.stdin?.end('quit\n');
      const timer = setTimeout(() => child.kill('SIGKILL'), 10_000);
      await ended;
      clearTimeout(timer);
      if (!folder) rmSync(data, { recursive: true, force: true });
    },
  };
}

/** Waits for the first table of the demonstration, and returns the worker's token. */
function started(child: ChildProcess): Promise<string> {
  return new Promise((done, fail) => {
    let text = '';
    const timer = setTimeout(() => fail(new Error(`the demonstration did not start:\n${text}`)), START_MS);
    const take = (bytes: Buffer) => {
      text += bytes.toString();
      const token = /Bearer ([0-9a-f]{32,})/.exec(text)?.[1];
      if (token && text.includes('faults')) {
        clearTimeout(timer);
        child.stdout?.removeListener('data', take);
        child.stdout?.resume();
        done(token);
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

/** Opens a view and waits until it shows the gateway's data. Errors of the page fail the test. */
export async function open(page: Page, gateway: Gateway, view: string, look: Omit<Look, 'size'> = { lang: 'zh', theme: 'light' }): Promise<void> {
  await page.goto(`${gateway.url}/${view}?lang=${look.lang}&theme=${look.theme}`);
  await page.locator('main :is(.card, .tools)').first().waitFor();
}

/** Logs in as the demonstration's worker. */
export async function logIn(page: Page, gateway: Gateway): Promise<void> {
  await page.locator('header .person').click();
  await page.locator('dialog input[type=password]').fill(gateway.token);
  await page.locator('dialog button[type=submit]').click();
  await page.locator('dialog').waitFor({ state: 'detached' });
}

/** Orders a drill of a plan on the command line, as two signers do, and has the leader begin it. */
export async function drill(gateway: { folder: string }, plan: string, room: string): Promise<void> {
  const config = join(gateway.folder, 'config');
  const linli = (...words: string[]) => promisify(execFile)(binary(), words, { cwd: config, env: { ...process.env, LINLI_CONFIG: config } });
  await linli('mode', 'enter', plan, '--class', 'exercise', '--key', 'drill-chen.key', '--key', 'drill-deng.key');
  await linli('mode', 'commit', room, '--as', 'zhao');
}
