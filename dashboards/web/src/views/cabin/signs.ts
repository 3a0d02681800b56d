/** The tiles of a visit: what was measured, what it means, what it was before. */
import type { PreviousValue, Quantity, Reading, Version, Visit } from '../../api/cabin.ts';

export interface Sign { id: string; quantities: Quantity[]; decimals: number; unit: string }

/** The six tiles, in the order of reading. */
export const SIGNS: Sign[] = [
  { id: 'pressure', quantities: ['systolic', 'diastolic'], decimals: 0, unit: 'mmHg' },
  { id: 'pulse', quantities: ['pulse_rate'], decimals: 0, unit: '/min' },
  { id: 'saturation', quantities: ['oxygen_saturation'], decimals: 0, unit: '%' },
  { id: 'temperature', quantities: ['temperature'], decimals: 1, unit: '°C' },
  { id: 'glucose', quantities: ['glucose'], decimals: 1, unit: 'mmol/L' },
  { id: 'body', quantities: ['body_mass_index', 'weight', 'height', 'waist_circumference'], decimals: 1, unit: 'BMI' },
];

export interface Verdict { text: string; english: string; source: string; notable: boolean }

export interface Shown {
  /** The number, or null if nothing was measured. */
  text: string | null;
  /** Weight and height beside the body mass index. */
  beside: string;
  /** The circumference of the waist, in centimetres. */
  waist: string | null;
  verdict: Verdict | null;
  /** Reasons to doubt it. */
  caveats: string[];
  /** The measurement it comes from last. */
  version: Version | null;
  /** How many pressures it is the mean of. */
  meanOf: number;
  previous: { text: string; at: number; way: '↑' | '↓' | '→' | '' } | null;
}

type Value = Pick<Reading, 'quantity' | 'value' | 'comparator' | 'upper'> & { caveats?: string[] | null };

function number(value: Value | undefined, decimals: number): string | null {
  if (!value || value.value === null) return null;
  return `${value.comparator ?? ''}${value.value.toFixed(decimals)}${value.upper ? `–${value.upper.toFixed(decimals)}` : ''}`;
}

export function sign(visit: Visit, of: Sign): Shown {
  const values = (visit.summary?.values ?? []) as Value[];
  const find = (quantity: Quantity) => values.find((value) => value.quantity === quantity);
  const parts = of.quantities.map(find);
  const of_body = of.id === 'body' ? body(parts) : null;
  const [first, second] = parts;
  const text = of_body ? of_body.text : of.id === 'pressure' && (first || second) ? `${number(first, 0) ?? '—'}/${number(second, 0) ?? '—'}` : number(first, of.decimals);
  const told = (visit.measurements ?? []).filter((version) => version.status !== 'entered-in-error' && version.measurement.readings.some((reading) => of.quantities.includes(reading.quantity) && reading.value !== null));
  const verdicts = (visit.summary?.assessment ?? []).filter((found) => of.quantities.includes(found.quantity));
  const verdict = verdicts.find((found) => found.notable) ?? verdicts[0] ?? null;
  return {
    text, verdict, beside: of_body?.beside ?? '',
    waist: of.id === 'body' ? number(parts[3], 0) : null,
    caveats: [...new Set(parts.flatMap((part) => part?.caveats ?? []))],
    version: told.at(-1) ?? null,
    meanOf: of.id === 'pressure' ? (visit.summary?.blood_pressure_of ?? 0) : 0,
    previous: previous(visit.previous ?? [], of, first?.value ?? null),
  };
}

function body(parts: (Value | undefined)[]): { text: string | null; beside: string } {
  const [index, weight, height] = parts;
  const beside = [height?.value ? `${height.value.toFixed(0)} cm` : '', weight?.value ? `${weight.value.toFixed(1)} kg` : ''].filter(Boolean).join(' · ');
  const computed = weight?.value && height?.value ? weight.value / (height.value / 100) ** 2 : null;
  const value = index?.value ?? computed;
  return { text: value === null || value === undefined ? null : value.toFixed(1), beside };
}

function previous(all: PreviousValue[], of: Sign, now: number | null): Shown['previous'] {
  const [first, second] = of.quantities.map((quantity) => all.find((value) => value.quantity === quantity));
  if (!first) return null;
  const text = of.id === 'pressure' && second ? `${first.value.toFixed(0)}/${second.value.toFixed(0)}` : first.value.toFixed(of.decimals);
  const way = now === null ? '' : Math.abs(now - first.value) < 0.5 * 10 ** -of.decimals ? '→' : now > first.value ? '↑' : '↓';
  return { text, at: first.at, way };
}

/** Readings of a measurement in a line. */
export function line(readings: Reading[]): string {
  const value = (quantity: Quantity) => readings.find((reading) => reading.quantity === quantity);
  const parts: string[] = [];
  const [high, low] = [value('systolic'), value('diastolic')];
  if (high || low) parts.push(`${number(high, 0) ?? '—'}/${number(low, 0) ?? '—'}\u00a0mmHg`);
  for (const reading of readings) {
    if (reading.quantity === 'systolic' || reading.quantity === 'diastolic') continue;
    const found = SIGNS.find((one) => one.quantities.includes(reading.quantity));
    const unit = reading.quantity === 'weight' ? 'kg' : reading.quantity === 'height' || reading.quantity === 'waist_circumference' ? 'cm' : (found?.unit ?? '');
    parts.push(`${number(reading, found?.decimals ?? 0) ?? '—'}\u00a0${unit}`);
  }
  return parts.join(' · ');
}

/** Where a value of an adult is usually, for the band of a trend. */
export const USUAL: Partial<Record<Quantity, [number, number]>> = {
  systolic: [90, 140], diastolic: [60, 90], pulse_rate: [60, 100], oxygen_saturation: [95, 100], temperature: [36, 37.3], glucose: [3.9, 7], body_mass_index: [18.5, 24],
};

/** Where a visit of an outreach comes from, and how far the clock of its box was ahead; null for a visit of this centre. */
export function outreachOf(visit: object): { from: string; ahead: number | null } | null {
  const { progress } = visit as { progress?: { outreach?: { from: string; clock_ahead_ms?: number } } | null };
  return progress?.outreach ? { from: progress.outreach.from, ahead: progress.outreach.clock_ahead_ms ?? null } : null;
}
