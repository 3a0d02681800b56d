// The weekly figures of the alarms (ISA-18.2 clause 16).
import { expect, test } from 'vitest';
import type { Alarm, AlarmStep, KioskDay } from '../../src/api/types.ts';
import { figuresOf } from '../../src/views/alarms/figures.ts';
import { monday, weeks } from '../../src/views/kiosks/weeks.ts';

const HOUR = 3_600_000;
const WEEK = 168 * HOUR;
const NOW = 1_000 * HOUR;
const step = (alarm: string, at: number, parts: Partial<AlarmStep> = {}) => ({ alarm, text: alarm, at, event: 'raised', priority: 'low', ...parts }) as AlarmStep;
const newestFirst = (steps: AlarmStep[]) => [...steps].sort((a, b) => b.at - a.at);

test('how many an hour, of the time that the journal covers', () => {
  const steps = newestFirst([step('a', NOW - 10 * HOUR), step('a', NOW - 5 * HOUR), step('b', NOW - HOUR, { priority: 'high' }), step('c', NOW - HOUR, { event: 'cleared' }), step('d', NOW - HOUR, { test: true })]);
  const found = figuresOf(steps, [], NOW, WEEK);
  expect([found.raised, found.hours, found.perHour]).toEqual([3, 10, 0.3]);
  expect(found.often.map((one) => [one.alarm, one.count])).toEqual([['a', 2], ['b', 1]]);
  expect(found.priorities).toEqual({ high: 1, medium: 0, low: 2 });
  expect(figuresOf([], [], NOW, WEEK), 'nothing is no division by zero').toMatchObject({ raised: 0, perHour: 0, floods: 0 });
});

test('what is older than the week is not of the week', () => {
  expect(figuresOf([step('a', NOW - HOUR), step('a', NOW - WEEK - 1)], [], NOW, WEEK)).toMatchObject({ raised: 1, hours: 168 });
});

test('three times in a minute chatters, ten in ten minutes are a flood, a day is stale', () => {
  const chattering = [0, 20, 60].map((second) => step('noisy', NOW - HOUR + second * 1000));
  const calm = [0, 20, 61].map((second) => step('calm', NOW - HOUR + second * 1000));
  const flood = Array.from({ length: 15 }, (_, at) => step(`f${at}`, NOW - 50 * HOUR + at * 60_000));
  const stands = (name: string, since: number) => ({ alarm: name, text: name, active: true, since }) as unknown as Alarm;
  const found = figuresOf(newestFirst([...chattering, ...calm, ...flood]), [stands('old', NOW - 25 * HOUR), stands('new', NOW - 23 * HOUR)], NOW, WEEK);
  expect(found.chattering.map((one) => one.alarm)).toEqual(['noisy']);
  expect(found.stale.map((one) => one.alarm)).toEqual(['old']);
  expect(found.floods, '15 alarms a minute apart are one flood; what is left of it is no other').toBe(1);
});

test('days of a kiosk are joined into weeks that begin on a Monday', () => {
  const none = { in_service: 0, degraded: 0, out_of_service: 0, maintenance: 0, offline: 0 };
  const day = (date: string, hours: Partial<KioskDay['hours']>) => ({ kiosk: 'k', day: date, availability: null, hours: { ...none, ...hours } }) as KioskDay;
  expect(['2026-11-23', '2026-11-29', '2026-11-30', '2027-01-01'].map(monday)).toEqual(['2026-11-23', '2026-11-23', '2026-11-30', '2026-12-28']);
  const found = weeks([day('2026-11-29', { in_service: HOUR, offline: HOUR }), day('2026-11-23', { degraded: HOUR, maintenance: HOUR }), day('2026-11-30', {})]);
  expect(found.map((week) => [week.from, week.days, week.share])).toEqual([['2026-11-30', 1, null], ['2026-11-23', 2, 50]]);
  expect([found[1]?.offlineMs, found[1]?.maintenanceMs, found[1]?.outMs]).toEqual([HOUR, HOUR, 0]);
});
