/** Geometry of the map: boxes, and a tidy grid for rooms that have no outline. */
export type Corner = [number, number];

export interface Box { x: number; y: number; w: number; h: number }

export function box(corners: Corner[]): Box {
  if (corners.length === 0) return { x: 0, y: 0, w: 1, h: 1 };
  const xs = corners.map((corner) => corner[0]);
  const ys = corners.map((corner) => corner[1]);
  const [x, y] = [Math.min(...xs), Math.min(...ys)];
  return { x, y, w: Math.max(...xs) - x || 1, h: Math.max(...ys) - y || 1 };
}

/** A drawing below the outlines: where it is loaded from, and the box that it fills, metres. */
export interface Underlay { href: string; box: Box }

export const corners = ({ x, y, w, h }: Box): Corner[] => [[x, y], [x + w, y], [x + w, y + h], [x, y + h]];

/** Width and depth of a room in the grid, metres. */
const CELL: Corner = [6, 5];

/** Corners of `count` rooms side by side, in rows of nearly equal length, at most `most` in a row. */
export function grid(count: number, most: number): Corner[][] {
  const rows = Math.ceil(count / Math.max(1, most));
  const perRow = Math.ceil(count / Math.max(1, rows));
  return Array.from({ length: count }, (_, at) => {
    const row = Math.floor(at / perRow);
    const inRow = Math.min(perRow, count - row * perRow);
    const w = (perRow * CELL[0]) / inRow;
    const [x, y] = [(at % perRow) * w, row * CELL[1]];
    return [[x, y], [x + w, y], [x + w, y + CELL[1]], [x, y + CELL[1]]];
  });
}
