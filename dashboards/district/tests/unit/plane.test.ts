import { expect, test } from 'vitest';
import { APART, fit, grouped, gridStep, labels, lines, onScreen, projection, zoomed } from '../../src/views/map/plane.ts';

const size = { w: 800, h: 600 };
const marks = Array.from({ length: 300 }, (_, n) => ({ id: String(n), rank: n, x: Math.sin(n) * Math.sqrt(n), y: Math.cos(n) * Math.sqrt(n) }));

test('the camera shows every spot', () => {
  const camera = fit(marks, size);
  for (const mark of marks) {
    const at = onScreen(mark, camera, size);
    expect(at.x).toBeGreaterThanOrEqual(0);
    expect(at.x).toBeLessThanOrEqual(size.w);
    expect(at.y).toBeGreaterThanOrEqual(0);
    expect(at.y).toBeLessThanOrEqual(size.h);
  }
});

test('one spot, and none, are shown without an error', () => {
  expect(onScreen({ x: 3, y: 4 }, fit([{ x: 3, y: 4 }], size), size)).toEqual({ x: 400, y: 300 });
  expect(fit([], size).scale).toBeGreaterThan(0);
});

test('every mark is in one group, groups do not touch, and the most urgent keeps its place', () => {
  const camera = fit(marks, size);
  const groups = grouped(marks, camera, size);
  expect(groups.flatMap((group) => group.marks.map((mark) => mark.id)).sort()).toEqual(marks.map((mark) => mark.id).sort());
  groups.forEach((a, at) => groups.slice(at + 1).forEach((b) => expect(Math.max(Math.abs(a.x - b.x), Math.abs(a.y - b.y))).toBeGreaterThanOrEqual(APART)));
  expect(onScreen(marks[0] ?? { x: 0, y: 0 }, camera, size)).toMatchObject({ x: groups[0]?.x, y: groups[0]?.y });
});

test('zooming keeps what is below the finger', () => {
  const camera = fit(marks, size);
  const at = { x: 123, y: 456 };
  const before = { x: (at.x - 400) / camera.scale + camera.x, y: (at.y - 300) / camera.scale + camera.y };
  const after = onScreen(before, zoomed(camera, 1.5, at, size), size);
  expect(after.x).toBeCloseTo(at.x);
  expect(after.y).toBeCloseTo(at.y);
});

test('names are written where there is room, and never over each other', () => {
  const found = labels(Array.from({ length: 30 }, (_, n) => ({ x: 40 + (n % 6) * 60, y: 40 + Math.floor(n / 6) * 60, name: '星河邻里中心' })), size);
  expect(found.length).toBeGreaterThan(2);
  found.forEach((a, at) => found.slice(at + 1).forEach((b) => expect(Math.abs(a.y - b.y) >= 22 || Math.abs(a.x - b.x) >= 90).toBe(true)));
});

test('outlines are read from GeoJSON of every depth', () => {
  const project = projection([{ lat: 0, lon: 0 }]);
  const ring = [[0, 0], [1, 0], [1, 1], [0, 0]];
  expect(lines({ type: 'FeatureCollection', features: [{ type: 'Feature', geometry: { type: 'Polygon', coordinates: [ring] } }, { type: 'Feature', geometry: { type: 'MultiPolygon', coordinates: [[ring], [ring, ring]] } }, { type: 'Feature', geometry: null }] }, project)).toHaveLength(4);
  expect(lines({ type: 'LineString', coordinates: ring }, project)[0]?.[1]).toEqual({ x: 1, y: -0 });
});

test('the plain ground has lines 100 to 250 px apart', () => {
  for (let scale = 2; scale < 2e6; scale *= 1.7) {
    expect(gridStep(scale) * scale).toBeGreaterThanOrEqual(99.9);
    expect(gridStep(scale) * scale).toBeLessThanOrEqual(251);
  }
});
