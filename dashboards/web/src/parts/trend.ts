/** Roll-ups as a chart needs them: gaps as gaps, limits, and what is seen as a table for others. */
import type { Series } from '../design/Chart.svelte';
import type { Alarm, Centre, Minute } from '../api/types.ts';

/** What can be looked at: so many hours in spans of so many minutes, at most some 1500 of them. */
export const SPANS = {
  '1': { hours: 1, step: 1, word: 'hours1' },
  '24': { hours: 24, step: 2, word: 'hours24' },
  '168': { hours: 168, step: 10, word: 'days7' },
  '720': { hours: 720, step: 30, word: 'days30' },
  '2160': { hours: 2160, step: 90, word: 'days90' },
} as const;
export type Span = keyof typeof SPANS;

/** A pause longer than this many intervals is a gap. */
const GAP = 3.5;

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

/** The limits of a point that are known: those of a cabinet, and those of its alarms. */
export function limitsOf(device: string, point: string, centre: Centre | null, alarms: Alarm[]): number[] {
  const cabinet = point === 'temperature' ? centre?.cabinets.find((one) => one.device === device) : undefined;
  const own = alarms.filter((alarm) => alarm.device === device && alarm.point === point).map((alarm) => alarm.limit);
  return [...new Set([cabinet?.low, cabinet?.high, ...own].filter((limit) => typeof limit === 'number'))];
}

/** What is seen, one line a span (RFC 4180). */
export function csv(minutes: Minute[], other: Minute[] | null, head: string[], time: (at: number) => string): string {
  const second = new Map((other ?? []).map((minute) => [minute.t, minute.mean]));
  const times = [...new Set([...minutes.map((minute) => minute.t), ...second.keys()])].sort((a, b) => a - b);
  const first = new Map(minutes.map((minute) => [minute.t, minute]));
  const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`;
  const rows = times.map((at) => {
    const minute = first.get(at);
    return [quoted(time(at)), minute?.mean, minute?.min, minute?.max, ...(other ? [second.get(at)] : [])].map((cell) => cell ?? '').join(',');
  });
  return [head.slice(0, other ? 5 : 4).map(quoted).join(','), ...rows, ''].join('\r\n');
}
