// The watchdog of the event stream, in a time of its own.
import { expect, test } from 'vitest';
import { SILENT_MS, type Source, Stream } from '../../src/api/stream.ts';

class Fake implements Source {
  calls = new Map<string, (event: { data: string }) => void>();
  isClosed = false;
  addEventListener(kind: string, call: (event: { data: string }) => void) {
    this.calls.set(kind, call);
  }
  close() {
    this.isClosed = true;
  }
  fire(kind: string, data = '') {
    this.calls.get(kind)?.({ data });
  }
}

function bench() {
  let now = 0;
  const sources: Fake[] = [];
  const later: { at: number; call: () => void }[] = [];
  const heard: string[] = [];
  let opened = 0;
  const stream = new Stream({
    open: () => { const source = new Fake(); sources.push(source); return source },
    kinds: ['hb', 'values'],
    onOpen: () => (opened += 1),
    onEvent: (kind, data) => heard.push(`${kind} ${data}`),
    now: () => now,
    later: (call, ms) => later.push({ at: now + ms, call }),
  });
  const wait = (ms: number) => {
    for (const end = now + ms; now < end; ) {
      now += 500;
      for (const due of later.filter((one) => one.at <= now)) { later.splice(later.indexOf(due), 1); due.call() }
      stream.watch();
    }
  };
  return { stream, sources, heard, wait, opened: () => opened };
}

test('a stream that beats is never broken and never opened again', () => {
  const { stream, sources, wait, heard } = bench();
  sources[0]?.fire('open');
  for (let beat = 0; beat < 20; beat += 1) { wait(3000); sources[0]?.fire('hb') }
  expect([stream.isBroken, sources.length, heard.length]).toEqual([false, 1, 20]);
});

test('a half-open stream is noticed after ten seconds, and opened again for ever', () => {
  const { stream, sources, wait } = bench();
  sources[0]?.fire('open');
  wait(SILENT_MS - 500);
  expect(stream.isBroken).toBe(false);
  wait(2_000);
  expect(stream.isBroken).toBe(true);
  expect(sources[0]?.isClosed).toBe(true);
  wait(600_000);
  const count = sources.length;
  expect(count).toBeGreaterThan(20);
  wait(600_000);
  expect(sources.length, 'it never gives up').toBeGreaterThan(count + 20);
  expect(sources.slice(0, -1).every((source) => source.isClosed), 'none is left open').toBe(true);
});

test('after a cut everything is read again', () => {
  const { stream, sources, wait, opened, heard } = bench();
  sources[0]?.fire('open');
  expect(opened()).toBe(1);
  sources[0]?.fire('error');
  wait(1_000);
  expect(sources.length).toBe(2);
  sources[0]?.fire('values', 'late');
  expect(heard, 'a closed stream says nothing').toEqual([]);
  sources[1]?.fire('open');
  sources[1]?.fire('hb');
  expect([opened(), stream.isBroken]).toEqual([2, false]);
});
