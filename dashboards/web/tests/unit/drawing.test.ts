// The map and the charts: what is drawn from which data.
import { expect, test } from 'vitest';
import type { Alarm, Centre, Minute } from '../../src/api/types.ts';
import { box, grid } from '../../src/design/plan.ts';
import { floorsOf } from '../../src/parts/floors.ts';
import { csv, limitsOf, series, SPANS } from '../../src/parts/trend.ts';

const minutes = (count: number, from = 0): Minute[] => Array.from({ length: count }, (_, at) => ({ t: (from + at) * 60_000, min: at, max: at + 2, mean: at + 1 }));

test('a pause is a gap in the line', () => {
  const drawn = series([...minutes(5), ...minutes(5, 30)]);
  expect(drawn.mean.filter((value) => value === null)).toHaveLength(1);
  expect(drawn.times).toHaveLength(11);
  expect([...drawn.times].sort((a, b) => a - b), 'times rise').toEqual(drawn.times);
  expect(series(minutes(50)).mean).not.toContain(null);
});

test('the limits of a point are those of its cabinet and of its alarms', () => {
  const centre = { cabinets: [{ device: 'fridge-1', name: '', keeps: 'cold', low: null, high: 8 }] } as unknown as Centre;
  const alarm = { alarm: 'a', device: 'fridge-1', point: 'temperature', limit: 10 } as unknown as Alarm;
  expect(limitsOf('fridge-1', 'temperature', centre, [alarm, { ...alarm, limit: 8 }])).toEqual([8, 10]);
  expect(limitsOf('fridge-1', 'humidity', centre, [alarm])).toEqual([]);
  expect(limitsOf('fridge-2', 'temperature', null, [])).toEqual([]);
});

test('what is seen is a table for others, with the second point where it has a value', () => {
  const head = ['Time', 'A "quoted"', 'Lowest', 'Highest', 'B'];
  const time = (at: number) => `t${at}`;
  expect(csv(minutes(2), null, head, time)).toBe('"Time","A ""quoted""","Lowest","Highest"\r\n"t0",1,0,2\r\n"t60000",2,1,3\r\n');
  expect(csv(minutes(1), minutes(1, 1), head, time).split('\r\n').slice(1, 3)).toEqual(['"t0",1,0,2,', '"t60000",,,,1']);
});

test('no span has more steps than a screen has columns', () => {
  for (const { hours, step } of Object.values(SPANS)) expect((hours * 60) / step).toBeLessThanOrEqual(1500);
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
    backgrounds: ['n', 's'].map((site) => ({ background: `0123456789abcde${site}`, site, floor: 1, corner: [1, 2], size: [18, 8] })),
  };
  const floors = floorsOf(centre, 4);
  expect(floors.map((floor) => floor.key)).toEqual(['n/1', 'n/2', 's/1']);
  expect(floors.map((floor) => floor.hasFloors)).toEqual([true, true, false]);
  expect(floors[2]?.areas, 'areas belong to outlines').toEqual([]);
  expect(floors.map((floor) => floor.underlay?.href ?? null), 'a drawing belongs to outlines').toEqual(['/api/v1/centre/backgrounds/0123456789abcden', null, null]);
  expect(floors[0]?.underlay?.box).toEqual({ x: 1, y: 2, w: 18, h: 8 });
  expect(floors[2]?.rooms.every((one) => one.outline.length === 4)).toBe(true);
});
