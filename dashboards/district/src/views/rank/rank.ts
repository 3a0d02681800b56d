/** Figures by which centres are ranked, the one to look at first on top. */
import { alarmsOf, completeness, isSilent } from '../../api/state.ts';
import type { Gateway } from '../../api/types.ts';

export type Figure = 'alarms' | 'silence' | 'missing' | 'kiosks' | 'food' | 'vitals';
export const FIGURES: Figure[] = ['alarms', 'silence', 'missing', 'kiosks', 'food', 'vitals'];

/** The figure of a centre; null where it is not known, which is never a good place in the ranking. */
export function figureOf(of: Gateway, figure: Figure, now: number): number | null {
  if (of.heard_at === null) return null;
  const share = completeness(of);
  return {
    alarms: alarmsOf(of), silence: Math.max(0, (now - of.heard_at) / 1000), missing: share === null ? null : (1 - share) * 100,
    kiosks: of.kiosks ? of.kiosks_offline : null, food: of.food ? of.food_abnormal : null, vitals: of.vitals_today,
  }[figure];
}

export interface Place { of: Gateway; value: number; place: number; isOld: boolean }

/** Equal figures share a place. */
export function ranked(all: Gateway[], figure: Figure, now: number): { places: Place[]; unknown: Gateway[]; median: number | null } {
  const known = all.map((of) => ({ of, value: figureOf(of, figure, now) }));
  const list = known.flatMap((one) => (one.value === null ? [] : [{ of: one.of, value: one.value }])).sort((a, b) => b.value - a.value);
  const places: Place[] = [];
  list.forEach((one, at) => {
    const before = places.at(-1);
    places.push({ ...one, place: before && before.value === one.value ? before.place : at + 1, isOld: isSilent(one.of, now) });
  });
  const sorted = list.map((one) => one.value).reverse();
  const half = Math.floor(sorted.length / 2);
  const median = sorted.length === 0 ? null : sorted.length % 2 ? (sorted[half] ?? null) : ((sorted[half - 1] ?? 0) + (sorted[half] ?? 0)) / 2;
  return { places, unknown: known.filter((one) => one.value === null).map((one) => one.of), median };
}
