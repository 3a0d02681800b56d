import { expect, test } from 'vitest';
import { byUrgency, completeness, HEARD_MS, isSilent, matches, modeOf, toneOf, quietLast } from '../../src/api/state.ts';
import type { Gateway } from '../../src/api/types.ts';
import { hindrances } from '../../src/views/orders/ready.ts';
import { asText, classTyped, commands, countTyped, quoted } from '../../src/views/orders/typed.ts';
import { monthAfter, runs } from '../../src/views/report/month.ts';
import { moments, path as curve, SIZE, type Course } from '../../src/views/orders/course.ts';
import { query, what } from '../../src/views/record/told.ts';
import { placeOf } from '../../src/views/gateways/types.ts';
import { en } from '../../src/words/en.ts';
import type { Day } from '../../src/api/types.ts';
import { ranked } from '../../src/views/rank/rank.ts';

const NOW = 1_800_000_000_000;
const calm: Gateway = {
  centre: 'c-1', gateway: 'gw', name: '星河邻里中心', phone: '021-1', lat: 31, lon: 121, online: true, mode: 'peace', version: '1', state_at: NOW, heard_at: NOW - 5000, arrived: 100, missing: 0, lost: 0, doubled: false,
  high: 0, medium: 0, low: 0, kiosks: 2, kiosks_offline: 0, food: 1, food_abnormal: 0, drill: 0, actual: 0, vitals_today: 4, highest: 100, gaps: [],
};
const like = (more: Partial<Gateway>): Gateway => ({ ...calm, ...more });

test('only what was heard just now is calm', () => {
  expect(toneOf(calm, NOW)).toBe('calm');
  expect(toneOf(like({ heard_at: NOW - HEARD_MS - 1 }), NOW)).toBe('silent');
  expect(toneOf(like({ online: false }), NOW)).toBe('silent');
  expect(toneOf(like({ online: null, heard_at: null }), NOW)).toBe('never');
  expect(toneOf(like({ missing: 3 }), NOW)).toBe('gaps');
  expect(toneOf(like({ missing: 3, low: 1 }), NOW)).toBe('low');
  expect(toneOf(like({ arrived: 0 }), NOW)).toBe('never');
  expect(toneOf(like({ lost: 3 }), NOW), 'what is lost for good was told by the gateway').toBe('calm');
  expect(modeOf(like({ mode: null }))).toBe('unknown');
  expect(completeness(like({ arrived: 0 }))).toBeNull();
});

test('a silent centre keeps its alarm, and two gateways of one name are an alarm', () => {
  expect(toneOf(like({ online: false, high: 1 }), NOW)).toBe('high');
  expect(isSilent(like({ online: false, high: 1 }), NOW)).toBe(true);
  expect(toneOf(like({ doubled: true }), NOW)).toBe('medium');
});

test('the mode is what rooms do, a real one before a drill', () => {
  expect(modeOf(like({ drill: 1 }))).toBe('drill');
  expect(modeOf(like({ drill: 1, actual: 1 }))).toBe('actual');
});

test('the most urgent comes first', () => {
  const list = [calm, like({ centre: 'b', online: false }), like({ centre: 'c', low: 1 }), like({ centre: 'd', high: 1 })];
  expect(byUrgency(list, NOW).map((one) => one.centre)).toEqual(['d', 'b', 'c', 'c-1']);
});

test('a centre is found by parts of what it is called', () => {
  expect(matches(calm, '星河 021')).toBe(true);
  expect(matches(calm, 'C-1')).toBe(true);
  expect(matches(calm, '星河 c-2')).toBe(false);
});

test('what is not known has no place in a ranking', () => {
  const { places, unknown, median } = ranked([like({ high: 2 }), like({ centre: 'x', high: 2 }), calm, like({ centre: 'n', heard_at: null })], 'alarms', NOW);
  expect(places.map((one) => one.place)).toEqual([1, 1, 3]);
  expect(unknown.map((one) => one.centre)).toEqual(['n']);
  expect(median).toBe(2);
});

test('what would keep a centre from following', () => {
  expect(hindrances(calm, NOW)).toEqual([]);
  expect(hindrances(like({ online: false, actual: 1, high: 1 }), NOW)).toEqual(['offline', 'other_order', 'high_alarm']);
  expect(hindrances(like({ heard_at: null }), NOW)).toEqual(['no_report']);
});

test('what is typed to confirm is taken in both languages and nothing else', () => {
  expect([classTyped(' 演练 '), classTyped('DRILL'), classTyped('实战'), classTyped('actual'), classTyped('yes')]).toEqual(['Exercise', 'Exercise', 'Actual', 'Actual', null]);
  expect([countTyped(' 14 '), countTyped('14a'), countTyped(''), countTyped('-1')]).toEqual([14, null, null, null]);
});

test('the commands for the signing machine name every centre, and words are quoted', () => {
  const text = commands({ kind: 'enter', class_: 'Actual', mode: 'epidemic.sampling', plan: 'plans/a b.toml', supersedes: '', seq: 7, centres: ['c-1', 'c-2'] });
  expect(text).toContain('--kind enter --class actual --mode epidemic.sampling --seq 7');
  expect(text).toContain("--plan 'c-2:plans/a b.toml'");
  expect(quoted("it's")).toBe("'it'\\''s'");
  expect(commands({ kind: 'cancel', class_: 'Exercise', mode: 'm', plan: 'x', supersedes: 'o-1', seq: 1, centres: ['c-1'] })).toContain('--supersedes o-1');
});

test('an order goes as its text or as base64', () => {
  expect(asText(new TextEncoder().encode(' LLN1:abc\n'))).toBe('LLN1:abc');
  expect(asText(new Uint8Array([0xd2, 0x84]))).toBe('0oQ=');
});

test('months go over the end of a year', () => {
  expect(monthAfter('2026-12', 1)).toBe('2027-01');
  expect(monthAfter('2026-01', -1)).toBe('2025-12');
});

test('days without data are told together, and those to come not at all', () => {
  const day = (name: string, state: Day['state']) => ({ day: name, state }) as Day;
  const found = runs([day('01', 'none'), day('02', 'none'), day('03', 'data'), day('04', 'data'), day('05', 'none'), day('06', 'future')]);
  expect(found.map(({ first, last }) => `${first.day}-${last.day}`)).toEqual(['01-02', '03-03', '04-04', '05-05']);
});

test('the course of an order is drawn from its first stage to its end', () => {
  const act = (at: number, word: string) => ({ at, what: word, account: 'chen', nth: 1 });
  const course: Course = { from: 0, to: 100, gateways: 10, acts: [act(-5, 'prepared'), act(0, 'approved'), act(1, 'released'), act(90, 'stopped')], sent: [[0, 1], [50, 10]], answered: [], ready: [], called: [] };
  const high = SIZE.high - SIZE.below;
  expect(curve(course, course.answered)).toBe(`M${SIZE.left} ${high} L${SIZE.wide - 8} ${high}`);
  expect(curve(course, course.sent).endsWith(`L${SIZE.wide - 8} ${SIZE.above}`), 'all ten at last').toBe(true);
  expect(moments(course).map((one) => one.acts.map((of) => of.what))).toEqual([['approved', 'released'], ['stopped']]);
});

test('a line of the record says what was done, and a filter becomes a query', () => {
  expect(what({ n: 1, at: 0, event: 'order', what: 'released', nth: 2, order: 'o-1' }, en)).toBe('released · stage 2 · o-1');
  expect(what({ n: 1, at: 0, event: 'centre_refused', centre: 'c', gateway: 'gw', why: 'no' }, en)).toBe('certificate refused · c/gw · no');
  expect(what({ n: 1, at: 0, event: 'of a newer program' }, en)).toBe('of a newer program');
  expect(query({ kind: 'refused', who: ' chen ', from: '', to: '' })).toBe('event=refused%2Ccentre_refused&who=chen');
  expect(query({ kind: 'all', who: '', from: '2026-11-30', to: '2026-11-30' })).toMatch(/^from=\d+&to=\d+$/);
});

test('a place is two numbers', () => {
  expect(placeOf('31.2304, 121.4737')).toEqual([31.2304, 121.4737]);
  expect([placeOf('31.2'), placeOf('131, 20'), placeOf('here'), placeOf('1,2,3')]).toEqual([null, null, null, null]);
});

test('what is suppressed comes last, and the order is kept otherwise', () => {
  const states = ['suppressed', 'active', 'shelved', 'acknowledged', 'out_of_service'];
  expect(quietLast(states.map((state) => ({ state }))).map(({ state }) => state)).toEqual(['active', 'acknowledged', 'suppressed', 'shelved', 'out_of_service']);
});
