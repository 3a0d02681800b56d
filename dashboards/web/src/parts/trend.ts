/** Roll-ups as a chart needs them: gaps as gaps, and no more points than a screen has columns. */
import type { Series } from '../design/Chart.svelte';
import type { Minute } from '../api/types.ts';

/** More points than this show nothing more. */
const MOST = 1500;

/** A pause longer than this many intervals is a gap. */
const GAP = 3.5;

/** Joins neighbouring minutes; the band keeps every lowest and highest value. */
export function thinned(minutes: Minute[]): Minute[] {
  const by = Math.ceil(minutes.length / MOST);
  if (by <= 1) return minutes;
  const joined: Minute[] = [];
  for (let at = 0; at < minutes.length; at += by) {
    const group = minutes.slice(at, at + by);
    const first = group[0];
    if (!first) continue;
    joined.push({
      t: first.t,
      min: Math.min(...group.map((minute) => minute.min)),
      max: Math.max(...group.map((minute) => minute.max)),
      mean: group.reduce((sum, minute) => sum + minute.mean, 0) / group.length,
    });
  }
  return joined;
}

export function series(minutes: Minute[]): Series {
  const found: Series = { times: [], mean: [], min: [], max: [] };
  const steps = minutes.slice(1).map((minute, at) => minute.t - (minutes[at]?.t ?? 0)).sort((a, b) => a - b);
  const usual = steps[Math.floor(steps.length / 2)] ?? 60_000;
  minutes.forEach((minute, at) => {
    const before = minutes[at - 1];
    if (before && minute.t - before.t > usual * GAP) add(found, before.t + usual, null);
    add(found, minute.t, minute);
  });
  return found;
}

function add(to: Series, t: number, minute: Minute | null): void {
  to.times.push(t / 1000);
  to.mean.push(minute?.mean ?? null);
  to.min.push(minute?.min ?? null);
  to.max.push(minute?.max ?? null);
}
