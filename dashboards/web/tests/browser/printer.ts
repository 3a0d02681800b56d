/** A printer that speaks IPP: `ippeveprinter` of CUPS, with the bus and the service directory that it insists on. */
import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { freePort } from './gateway.ts';

/** Of the service directory there can be one on a machine: the lock that the end-to-end tests hold as well. */
const TURN = join(tmpdir(), 'linli-e2e-avahi.lock');

const PRINTS = `#!/bin/sh
while [ -f DIR/empty ]; do echo 'STATE: +media-empty' >&2; sleep 0.1; done
echo 'STATE: -media-empty' >&2
cp "$1" DIR/new.part && mv DIR/new.part "DIR/printed-$(ls DIR | grep -c '^printed-').pdf"
`;

export interface Printer {
  uri: string;
  /** Takes the paper out, or puts some in. */
  paper: (isThere: boolean) => void;
  printed: () => string[];
  stop: () => void;
}

export async function printer(): Promise<Printer> {
  const folder = mkdtempSync(join(tmpdir(), 'linli-printer-'));
  const [command, bus, log] = [join(folder, 'print'), join(folder, 'bus'), join(folder, 'avahi.log')];
  writeFileSync(command, PRINTS.replaceAll('DIR', folder));
  chmodSync(command, 0o700);
  mkdirSync(join(folder, 'spool'));
  writeFileSync(join(folder, 'avahi.conf'), '[server]\nallow-interfaces=lo\nuse-ipv6=no\n');
  const env = { ...process.env, DBUS_SYSTEM_BUS_ADDRESS: `unix:path=${bus}`, PATH: `${process.env.PATH}:/usr/sbin` };
  const children: ChildProcess[] = [];
  const start = (program: string, ...words: string[]) => children.push(spawn(program, words, { env, stdio: 'ignore' }));
  start('dbus-daemon', '--session', '--nofork', '--nopidfile', '--address', `unix:path=${bus}`);
  await until('the bus of the printer', 10_000, () => existsSync(bus));
  start('flock', TURN, 'sh', '-c', `exec avahi-daemon --no-drop-root --no-rlimits --no-chroot -f "${folder}/avahi.conf" 2> "${log}"`);
  await until('the service directory of the printer', 300_000, () => existsSync(log) && readFileSync(log, 'utf8').includes('startup complete'));
  const port = await freePort();
  start('ippeveprinter', '-p', String(port), '-f', 'application/pdf', '-c', command, '-d', join(folder, 'spool'), `linli ${port}`);
  await until('the printer', 20_000, () => listens(port));
  const empty = join(folder, 'empty');
  return {
    uri: `ipp://127.0.0.1:${port}/ipp/print`,
    paper: (isThere) => (isThere ? rmSync(empty, { force: true }) : writeFileSync(empty, '')),
    printed: () => readdirSync(folder).filter((name) => name.startsWith('printed-')).map((name) => join(folder, name)),
    stop: () => {
      for (const child of children.reverse()) child.kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function until(what: string, patience: number, holds: () => boolean | Promise<boolean>): Promise<void> {
  for (let left = patience; !(await holds()); left -= 100) {
    if (left <= 0) throw new Error(`${what} is not there`);
    await wait(100);
  }
}

function listens(port: number): Promise<boolean> {
  return new Promise((done) => {
    const socket = connect(port, '127.0.0.1', () => done(true));
    socket.once('connect', () => socket.destroy());
    socket.once('error', () => done(false));
  });
}
