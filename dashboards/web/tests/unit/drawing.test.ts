// The map and the charts: what is drawn from which data.
import { expect, test } from 'vitest';
import type { Centre, Minute } from '../../src/api/types.ts';
import { box, grid } from '../../src/design/plan.ts';
import { floorsOf } from '../../src/parts/floors.ts';
import { series, thinned } from '../../src/parts/trend.ts';

const minutes = (count: number, from = 0): Minute[] => Array.from({ length: count }, (_, at) => ({ t: (from + at) * 60_000, min: at, max: at + 2, mean: at + 1 }));

test('a pause is a gap in the line', () => {
  const drawn = series([...minutes(5), ...minutes(5, 30)]);
  expect(drawn.mean.filter((value) => value === null)).toHaveLength(1);
  expect(drawn.times).toHaveLength(11);
  expect([...drawn.times].sort((a, b) => a - b), 'times rise').toEqual(drawn.times);
  expect(series(minutes(50)).mean).not.toContain(null);
});

test('thinned minutes keep the lowest and the highest', () => {
  const all = minutes(10_080);
  all[5_000] = { t: 5_000 * 60_000, min: -99, max: 99_999, mean: 1 };
  const few = thinned(all);
  expect(few.length).toBeLessThanOrEqual(1500);
  expect(Math.min(...few.map((one) => one.min))).toBe(-99);
  expect(Math.max(...few.map((one) => one.max))).toBe(99_999);
});

test.each([1, 2, 3, 4, 5, 7, 30])('%i rooms without an outline fill a tidy grid', (count) => {
  const cells = grid(count, 4).map(box);
  const whole = box(grid(count, 4).flat());
  expect(cells).toHaveLength(count);
  const area = cells.reduce((sum, cell) => sum + cell.w * cell.h, 0);
  expect(area, 'no holes, no overlap').toBeCloseTo(whole.w * whole.h);
});

test('floors go from the ground up, and a floor with one undrawn room is a grid', () => {
  const room = (name: string, site: string, floor: number, outline: [number, number][]) => ({ room: name, name, site, floor, outline, peace_role: null, emergency_roles: [] });
  const square: [number, number][] = [[0, 0], [4, 0], [4, 4], [0, 4]];
  const centre: Centre = {
    centre: 'c', name: 'c', timezone: 'UTC', sites: [{ site: 'n', name: 'N' }, { site: 's', name: 'S' }], cabinets: [], plans: [], stages: [], open_visits: 0,
    rooms: [room('up', 'n', 2, square), room('down', 'n', 1, square), room('a', 's', 1, square), room('b', 's', 1, [])],
    areas: [{ name: 'hall', site: 's', floor: 1, outline: square }],
  };
  const floors = floorsOf(centre, 4);
  expect(floors.map((floor) => floor.key)).toEqual(['n/1', 'n/2', 's/1']);
  expect(floors.map((floor) => floor.hasFloors)).toEqual([true, true, false]);
  expect(floors[2]?.areas, 'areas belong to outlines').toEqual([]);
  expect(floors[2]?.rooms.every((one) => one.outline.length === 4)).toBe(true);
});
