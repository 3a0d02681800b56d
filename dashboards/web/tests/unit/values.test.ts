// What is shown of a value: never an old number as if it were new.
import { expect, test } from 'vitest';
import { counted, modeOf, open, verdict } from '../../src/api/sum.ts';
import type { Alarm, Cabinet, Device, Point, RoomStage } from '../../src/api/types.ts';
import { digits, worthOf } from '../../src/api/values.ts';
import { plainly, stageIndex } from '../../src/views/rooms/stages.ts';

const point = (at: number | undefined, value: Point['value'] = 4.2): Point => ({ point: 'temperature', unit: 'Cel', value, quality: 'good', writable: false, ...(at === undefined ? {} : { at }) });

test.each([
  [1_000, false, 'fresh', 4.2],
  [7_000, false, 'old', 4.2],
  [10_500, false, 'none', null],
  [1_000, true, 'old', 4.2],
  [150_000, true, 'none', null],
] as const)('a value %i ms old, stream broken %s, is %s', (age, isBroken, worth, value) => {
  expect(worthOf(point(1_000_000 - age), 10_000, 1_000_000, isBroken)).toMatchObject({ worth, value });
});

test('what was never read, or is void, is no number', () => {
  expect(worthOf(point(undefined, null), 10_000, 0, false)).toMatchObject({ worth: 'none', age: null });
  expect(worthOf(point(5, null), 10_000, 6, false)).toMatchObject({ worth: 'none', value: null });
});

test('digits', () => {
  expect([4, 3.84, -17.96, 128.4, 1314, 0].map(digits)).toEqual(['4', '3.8', '−18.0', '128', '1314', '0']);
});

const device = (value: Point['value'], at: number): Device => ({ device: 'f', name: '', class: '', line: '', profile: '', state: 'online', stale_after_ms: 10_000, points: [point(at, value)] });
const cold: Cabinet = { device: 'f', name: '', keeps: 'cold', low: 0, high: 8 };

test('a cabinet is in its limits only while that is known', () => {
  expect(verdict(cold, device(4, 100), 200, false)).toBe('good');
  expect(verdict(cold, device(8.1, 100), 200, false)).toBe('tooWarm');
  expect(verdict(cold, device(-1, 100), 200, false)).toBe('tooCold');
  expect(verdict({ ...cold, keeps: 'hot', low: 60, high: null }, device(58, 100), 200, false)).toBe('notHot');
  expect(verdict(cold, device(4, 100), 200, true), 'the stream is broken').toBe('unknown');
  expect(verdict(cold, device(4, 100), 60_000, false), 'too old').toBe('unknown');
  expect(verdict(cold, undefined, 0, false)).toBe('unknown');
});

const alarm = (priority: Alarm['priority'], state: string, since: number): Alarm => ({ alarm: `${priority}${since}`, text: '', device: '', point: '', priority, state, active: true, since });

test('alarms: the most urgent first, then what nobody has seen, then the oldest', () => {
  const all = [alarm('low', 'unacknowledged', 1), alarm('high', 'acknowledged', 1), alarm('high', 'unacknowledged', 9), alarm('high', 'unacknowledged', 5), alarm('medium', 'shelved', 1), alarm('high', 'normal', 0)];
  expect(open(all).map((one) => one.alarm)).toEqual(['high5', 'high9', 'high1', 'low1']);
  expect(counted(all)).toEqual({ high: 3, medium: 0, low: 1, all: 4 });
});

test('an actual order outweighs a drill', () => {
  const room = (stage: RoomStage['stage'], is_exercise: boolean): RoomStage => ({ room: '', stage, in_stage_s: 0, is_exercise, is_in_service: false });
  expect(modeOf([room('peace', false)])).toBe('peace');
  expect(modeOf([room('acting', true), room('peace', false)])).toBe('drill');
  expect(modeOf([room('acting', true), room('held', false)])).toBe('actual');
});

test('a held room stands where its steps are', () => {
  const room = (stage: 'held' | 'peace' | 'clearing' | 'degraded', steps: string[] = []) => stageIndex({ room: '', name: '', stage, fire: '', fire_panel: null, verified: false, steps: steps.map((state) => ({ step: '', state })) });
  expect([room('peace'), room('clearing'), room('degraded'), room('held')]).toEqual([-1, 2, 5, 0]);
  expect(room('held', ['confirmed', 'verified', 'pending', 'pending'])).toBe(3);
});

test('messages are for people without a terminal', () => {
  const people = { site_lead: '站长' };
  expect(plainly('5 秒后开始；site_lead 可以提前开始：linli mode commit hall --as …', people)).toBe('5 秒后开始；站长 可以提前开始');
  expect(plainly('a site_lead starts it: linli mode commit hall --as …', { site_lead: 'site lead' })).toBe('a site lead starts it');
  expect(plainly('site_leader 关门', people), 'whole words only').toBe('site_leader 关门');
});
