/** Outlines as a technician draws them: corners in metres, snapped, judged as `linli check` does, written as TOML. */
import type { Corner } from '../../design/plan.ts';

/** The grid that corners snap to, metres. */
export const GRID = 0.5;
/** A corner of a neighbour nearer than this is taken, metres. */
const NEAR = 0.6;
/** What `linli check` accepts: 0 to 1000 m, 3 to 64 corners, 1 m² or more. */
const LONGEST = 1000;
export const FEWEST = 3;
export const MOST = 64;
const SMALLEST = 1;
const SAME = 0.01;

const bounded = (value: number) => Math.min(LONGEST, Math.max(0, Math.round(value / GRID) * GRID));

/** A corner of a neighbour, or one of the grid. */
export function snapped([x, y]: Corner, neighbours: Corner[][]): Corner {
  const near = neighbours.flat().map((corner) => ({ corner, far: Math.hypot(corner[0] - x, corner[1] - y) })).sort((a, b) => a.far - b.far)[0];
  return near && near.far < NEAR ? [...near.corner] : [bounded(x), bounded(y)];
}

/** The whole outline moved by so much; it stays within the site. */
export function moved(outline: Corner[], [dx, dy]: Corner): Corner[] {
  const least = [Math.min(...outline.map((corner) => corner[0])), Math.min(...outline.map((corner) => corner[1]))];
  const [x, y] = [Math.max(Math.round(dx / GRID) * GRID, -(least[0] ?? 0)), Math.max(Math.round(dy / GRID) * GRID, -(least[1] ?? 0))];
  return outline.map((corner) => [corner[0] + x, corner[1] + y]);
}

export function withCorner(outline: Corner[], after: number): Corner[] {
  const [a, b] = [outline[after], outline[(after + 1) % outline.length]];
  if (!a || !b || outline.length >= MOST) return outline;
  const middle: Corner = [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2];
  return [...outline.slice(0, after + 1), middle, ...outline.slice(after + 1)];
}

export const withoutCorner = (outline: Corner[], at: number): Corner[] => (outline.length > FEWEST ? outline.filter((_, index) => index !== at) : outline);

type Edge = [Corner, Corner];
const edges = (outline: Corner[]): Edge[] => outline.map((corner, at) => [corner, outline[(at + 1) % outline.length] ?? corner]);
const side = (a: Corner, b: Corner, c: Corner) => (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]);
const area = (outline: Corner[]) => Math.abs(edges(outline).reduce((sum, [a, b]) => sum + a[0] * b[1] - b[0] * a[1], 0)) / 2;

/** Whether two edges cross; those that touch do not. */
function cross([a, b]: Edge, [c, d]: Edge): boolean {
  const [p, q, r, s] = [side(a, b, c), side(a, b, d), side(c, d, a), side(c, d, b)];
  return ((p > SAME && q < -SAME) || (p < -SAME && q > SAME)) && ((r > SAME && s < -SAME) || (r < -SAME && s > SAME));
}
function isOn([a, b]: Edge, point: Corner): boolean {
  const length = Math.hypot(b[0] - a[0], b[1] - a[1]) || 1;
  const along = ((point[0] - a[0]) * (b[0] - a[0]) + (point[1] - a[1]) * (b[1] - a[1])) / length;
  return Math.abs(side(a, b, point)) / length < SAME && along > -SAME && along < length + SAME;
}
function isInside(outline: Corner[], point: Corner): boolean {
  if (edges(outline).some((edge) => isOn(edge, point))) return false;
  return edges(outline).filter(([a, b]) => a[1] > point[1] !== b[1] > point[1] && point[0] < ((b[0] - a[0]) * (point[1] - a[1])) / (b[1] - a[1]) + a[0]).length % 2 === 1;
}
/** Corners, middles of edges, and points just beside them on both sides: one of them is inside where two overlap. */
function probes(outline: Corner[]): Corner[] {
  return edges(outline).flatMap(([a, b]) => {
    const middle: Corner = [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2];
    const length = Math.hypot(b[0] - a[0], b[1] - a[1]) || 1;
    const [nx, ny] = [((a[1] - b[1]) / length) * 0.05, ((b[0] - a[0]) / length) * 0.05];
    const beside: Corner[] = [[middle[0] + nx, middle[1] + ny], [middle[0] - nx, middle[1] - ny]];
    return [a, middle, ...beside.filter((point) => isInside(outline, point))];
  });
}
const overlap = (a: Corner[], b: Corner[]) => edges(a).some((one) => edges(b).some((other) => cross(one, other))) || probes(a).some((point) => isInside(b, point)) || probes(b).some((point) => isInside(a, point));

export type Problem = 'crosses' | 'small' | 'overlaps';

/** What `linli check` would say about it. */
export function problemOf(outline: Corner[], neighbours: Corner[][]): Problem | null {
  const own = edges(outline);
  const isCrossed = own.some((one, at) => own.some((other, index) => index > at + 1 && !(at === 0 && index === own.length - 1) && (cross(one, other) || isOn(one, other[0]))));
  if (isCrossed) return 'crosses';
  if (area(outline) < SMALLEST) return 'small';
  return neighbours.some((other) => other.length > 0 && overlap(outline, other)) ? 'overlaps' : null;
}

/** The line for `[[room]]` of facility.toml. */
export const line = (outline: Corner[]) => `outline = [${outline.map(([x, y]) => `[${+x.toFixed(2)}, ${+y.toFixed(2)}]`).join(', ')}]`;
export const proposal = (rooms: { room: string; floor: number; outline: Corner[] }[]) => rooms.map((one) => `# [[room]] id = "${one.room}"\nfloor = ${one.floor}\n${line(one.outline)}\n`).join('\n');
