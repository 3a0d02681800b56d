// Outlines as they are drawn: snapping, and the judgement that `linli check` makes.
import { expect, test } from 'vitest';
import type { Corner } from '../../src/design/plan.ts';
import { line, moved, problemOf, proposal, snapped, withCorner, withoutCorner } from '../../src/views/overview/outline.ts';

const box = (x: number, y: number, w: number, h: number): Corner[] => [[x, y], [x + w, y], [x + w, y + h], [x, y + h]];

test('a corner snaps to a neighbour nearby, else to the grid, and stays on the site', () => {
  const hall = [[[4.2, 3.3], [9, 3.3], [9, 8]] as Corner[]];
  expect(snapped([4.5, 3.6], hall)).toEqual([4.2, 3.3]);
  expect(snapped([6.2, 0.1], hall)).toEqual([6, 0]);
  expect(snapped([-3, 4000], hall)).toEqual([0, 1000]);
  expect(moved(box(1, 1, 2, 2), [-5, 0.6])).toEqual(box(0, 1.5, 2, 2));
});

test.each<[string, Corner[], Corner[][], string | null]>([
  ['rooms that touch', box(0, 0, 4, 4), [box(4, 0, 4, 4), box(0, 4, 8, 2)], null],
  ['a room inside another', box(1, 1, 1, 1), [box(0, 0, 4, 4)], 'overlaps'],
  ['a room around another', box(0, 0, 9, 9), [box(2, 2, 2, 2)], 'overlaps'],
  ['the same room twice', box(0, 0, 4, 4), [box(0, 0, 4, 4)], 'overlaps'],
  ['a cross of two', box(0, 2, 9, 2), [box(3, 0, 2, 9)], 'overlaps'],
  ['a half of the same', box(0, 0, 4, 4), [box(0, 0, 4, 2)], 'overlaps'],
  ['a room that crosses itself', [[0, 0], [4, 4], [4, 0], [0, 4]], [], 'crosses'],
  ['a spike back to its own wall', [[0, 0], [4, 0], [4, 4], [2, 0], [0, 4]], [], 'crosses'],
  ['a cupboard', box(0, 0, 0.5, 0.5), [], 'small'],
  ['an L beside a square in its bend', [[0, 0], [6, 0], [6, 2], [2, 2], [2, 6], [0, 6]], [box(2, 2, 4, 4)], null],
])('%s', (_, outline, neighbours, expected) => {
  expect(problemOf(outline, neighbours)).toBe(expected);
});

test('corners are added in the middle of a wall, and a triangle keeps its three', () => {
  expect(withCorner(box(0, 0, 4, 4), 3)).toEqual([...box(0, 0, 4, 4), [0, 2]]);
  expect(withoutCorner(withCorner(box(0, 0, 4, 4), 0), 1)).toEqual(box(0, 0, 4, 4));
  expect(withoutCorner([[0, 0], [4, 0], [0, 4]], 1)).toHaveLength(3);
});

test('the proposal is TOML', () => {
  expect(line(box(0, 0, 4.25, 3))).toBe('outline = [[0, 0], [4.25, 0], [4.25, 3], [0, 3]]');
  expect(proposal([{ room: 'hall', floor: 2, outline: box(0, 0, 1, 1) }])).toContain('# [[room]] id = "hall"\nfloor = 2\noutline');
});
