/** What a centre is worth now: one rule for map, list, grid and ranking. What was not read is never calm. */
import type { Gateway } from './types.ts';

/** Each gateway delivers at least once a minute; one that was silent for longer than this is silent. */
export const HEARD_MS = 180_000;
/** Points that keep their value are delivered every 10 minutes: older is old, and after an hour void. */
export const OLD_MS = 12 * 60_000;
export const VOID_MS = 60 * 60_000;

export type Tone = 'high' | 'medium' | 'low' | 'silent' | 'gaps' | 'never' | 'calm';
export type Mode = 'actual' | 'drill' | 'peace' | 'unknown';

export const keyOf = (of: { centre: string; gateway: string }) => `${of.centre}/${of.gateway}`;
export const titleOf = (of: { centre: string; name: string | null }) => of.name ?? of.centre;

export function isSilent(of: Gateway, now: number): boolean {
  return of.online !== true || of.heard_at === null || now - of.heard_at > HEARD_MS;
}

/** The worst that is known. A silent one keeps its alarms: they were not taken back. */
export function toneOf(of: Gateway, now: number): Tone {
  if (of.high) return 'high';
  if (of.medium || of.doubled) return 'medium';
  if (of.heard_at === null && of.online === null) return 'never';
  if (isSilent(of, now)) return 'silent';
  if (of.low) return 'low';
  // What has not arrived may be an alarm: who misses data is not known to be calm.
  return completeness(of) === null ? 'never' : of.missing > 0 ? 'gaps' : 'calm';
}

export function modeOf(of: Gateway): Mode {
  if (of.actual) return 'actual';
  if (of.drill) return 'drill';
  if (of.mode === null) return 'unknown';
  return of.mode === 'peace' ? 'peace' : of.mode.startsWith('drill') || of.mode === 'exercise' ? 'drill' : 'actual';
}

const RANK: Record<Tone, number> = { high: 0, medium: 1, silent: 2, low: 3, gaps: 4, never: 5, calm: 6 };

/** The most urgent first, then by name. */
export function byUrgency(list: Gateway[], now: number): Gateway[] {
  const rank = new Map(list.map((one) => [one, RANK[toneOf(one, now)]]));
  return [...list].sort((a, b) => (rank.get(a) ?? 9) - (rank.get(b) ?? 9) || b.high - a.high || titleOf(a).localeCompare(titleOf(b), 'zh-CN'));
}

export function worst(tones: Tone[]): Tone {
  return tones.reduce((a, b) => (RANK[a] <= RANK[b] ? a : b), 'calm');
}

/** Share of what was numbered and has arrived, 0 to 1; null before anything has. */
export function completeness(of: { arrived: number; missing: number; lost: number }): number | null {
  const all = of.arrived + of.missing + of.lost;
  return all === 0 ? null : of.arrived / all;
}

export function alarmsOf(of: Gateway): number {
  return of.high + of.medium + of.low;
}

/** What people type to find a centre: parts of its name, its id or its telephone number, in any order. */
export function matches(of: Gateway, wanted: string): boolean {
  const text = `${of.name ?? ''} ${of.centre} ${of.gateway} ${of.phone ?? ''}`.toLowerCase();
  return wanted.toLowerCase().split(/\s+/).every((part) => text.includes(part));
}

/** What is shelved or suppressed is no work for anybody now: quiet, and last. */
const QUIET = ['shelved', 'suppressed', 'out_of_service'];

export function isQuiet(alarm: { state: string }): boolean {
  return QUIET.includes(alarm.state);
}

export function quietLast<T extends { state: string }>(alarms: T[]): T[] {
  return [...alarms].sort((a, b) => Number(isQuiet(a)) - Number(isQuiet(b)));
}
