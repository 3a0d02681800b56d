/** A box of an outreach: the real binary with a configuration of its own, and the district's key of a centre. */
import { spawn } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { binary, freePort } from './gateway.ts';

const TOKEN = '3c'.repeat(32);
/** What a start may take on a loaded machine. */
const START_MS = 60_000;

export interface Box {
  /** Asks the box; the answer. */
  ask: <T = Record<string, unknown>>(path: string, body?: object) => Promise<T>;
  /** A visit of a resident that ends at once; its id. */
  visit: (identity: object, pulse?: number) => Promise<string>;
  /** The file of everything so far, under that secret. */
  file: (secret: string) => Promise<string>;
  stop: () => Promise<void>;
}

/** Starts a box that shares the district's key of the centre in that folder. */
export async function box(id: string, centre: string): Promise<Box> {
  const folder = mkdtempSync(join(tmpdir(), 'linli-box-'));
  const config = join(folder, 'config');
  mkdirSync(config);
  const port = await freePort();
  writeFileSync(join(config, 'gateway.toml'), `[gateway]\nid = "${id}"\n\n[store]\npath = "../data/linli.db"\n\n[web]\nlisten = "127.0.0.1:${port}"\n\n[cabin]\nidentity_key = "file:identity.key"\npseudonym_key = "file:district.key"\nconsent = "demo-1"\n\n[[worker]]\nname = "nurse"\ntoken = "file:worker.token"\n`);
  writeFileSync(join(config, 'facility.toml'), `[centre]\nid = "${id}"\nname = "巡诊车"\nform = "compact"\n\n[[room]]\nid = "van"\nname = "巡诊车"\n`);
  writeFileSync(join(config, 'devices.toml'), `[[line]]\nid = "lab"\nkind = "mllp"\nlisten = "127.0.0.1:${await freePort()}"\n\n[[device]]\nid = "monitor-1"\nroom = "van"\nline = "lab"\nprofile = "hl7/oru-r01"\nclass = "vital"\n`);
  for (const [name, text] of [['identity.key', '5e'.repeat(32)], ['worker.token', TOKEN]] as const) writeFileSync(join(config, name), text, { mode: 0o600 });
  copyFileSync(join(centre, 'config/district.key'), join(config, 'district.key'));
  const child = spawn(binary(), ['run', '--config', config], { stdio: 'ignore' });
  const url = `http://127.0.0.1:${port}`;
  const headers = { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' };
  async function ask<T>(path: string, body?: object): Promise<T> {
    const answer = await fetch(`${url}${path}`, { headers, ...(body ? { method: 'POST', body: JSON.stringify(body) } : {}) });
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
    return answer.json() as Promise<T>;
  }
  const ends = Date.now() + START_MS;
  while (!(await fetch(`${url}/readyz`).then((answer) => answer.ok, () => false))) {
    if (child.exitCode !== null || Date.now() > ends) throw new Error(`the box does not start: ${child.exitCode}`);
    await wait(100);
  }
  async function visit(identity: object, pulse?: number): Promise<string> {
    const { id: opened } = await ask<{ id: string }>('/api/v1/visits', { by: 'card', identity, consent: 'demo-1' });
    if (pulse !== undefined) await ask(`/api/v1/visits/${opened}/measurements`, { readings: [{ quantity: 'pulse_rate', value: pulse }], why: '手测' });
    await ask(`/api/v1/visits/${opened}/end`, { ending: 'completed' });
    return opened;
  }
  async function file(secret: string): Promise<string> {
    interface Part { header: string; number: number; next: string | null; lines: string[] }
    const lines: string[] = [];
    let part: Part | null = null;
    do {
      const { header, number, next }: Partial<Part> = part ?? {};
      part = await ask<Part>('/api/v1/outreach/export', part ? { secret, header, number, next } : { secret });
      if (lines.length === 0) lines.push(part.header);
      lines.push(...part.lines);
    } while (part.next !== null);
    return `${lines.join('\n')}\n`;
  }
  return {
    ask, visit, file,
    stop: async () => {
      const ended = new Promise((done) => child.once('exit', done));
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), 10_000);
      await ended;
      clearTimeout(timer);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
