/** The course of a mass order as lines to draw. */
export interface Act { at: number; what: string; account: string; nth: number | null }
export interface Course { from: number; to: number; gateways: number; acts: Act[]; sent: [number, number][]; answered: [number, number][]; ready: [number, number][]; called: [number, number][] }
export const CURVES = ['sent', 'answered', 'ready', 'called'] as const;
export type Curve = (typeof CURVES)[number];

/** Size of the drawing in its own units. */
export const SIZE = { wide: 720, high: 250, left: 44, below: 26, above: 38 };

export function x(course: Course, at: number): number {
  const share = (at - course.from) / Math.max(1, course.to - course.from);
  return SIZE.left + Math.min(1, Math.max(0, share)) * (SIZE.wide - SIZE.left - 8);
}

export function y(course: Course, count: number): number {
  const high = SIZE.high - SIZE.below - SIZE.above;
  return SIZE.above + high * (1 - Math.min(1, count / Math.max(1, course.gateways)));
}

/** A number in steps as a path, from its beginning to the end of the drawing. */
export function path(course: Course, steps: [number, number][]): string {
  const round = (value: number) => Math.round(value * 10) / 10;
  const at = (time: number, count: number) => `${round(x(course, time))} ${round(y(course, count))}`;
  let [text, last] = [`M${at(course.from, 0)}`, 0];
  for (const [time, count] of steps) {
    text += ` L${at(time, last)} L${at(time, count)}`;
    last = count;
  }
  return `${text} L${at(course.to, last)}`;
}

/** What lies between those it was sent to and those that answered: the silent. */
export function silent(course: Course): string {
  const back = (steps: [number, number][]) => path(course, steps).slice(1).split(' L').reverse().join(' L');
  return `${path(course, course.sent)} L${back(course.answered)} Z`;
}

/** How many there are at the end of a curve. */
export const endOf = (steps: [number, number][]): number => steps.at(-1)?.[1] ?? 0;

/** Moments that are near each other share a mark. */
export function moments(course: Course): { at: number; acts: Act[] }[] {
  const shown = course.acts.filter((act) => ['approved', 'released', 'stopped'].includes(act.what) && act.at >= course.from);
  const groups: { at: number; acts: Act[] }[] = [];
  for (const act of shown) {
    const last = groups.at(-1);
    if (last && x(course, act.at) - x(course, last.at) < 64) last.acts.push(act);
    else groups.push({ at: act.at, acts: [act] });
  }
  return groups;
}
