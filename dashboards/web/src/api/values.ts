/** What a value is worth now: fresh, old, or none. Never a last number in full colour (screens.md, law 1). */
import type { Device, Point, Scalar } from './types.ts';

export type Worth = 'fresh' | 'old' | 'none';

export interface Shown {
  value: Scalar;
  unit: string;
  worth: Worth;
  /** Age in seconds; null if it was never read. */
  age: number | null;
  isUncertain: boolean;
}

/** A value is marked as old from this share of the age at which it is void. */
const OLD_FROM = 0.6;

export function shown(device: Device | undefined, point: string, now: number, isBroken: boolean): Shown {
  const found = device?.points.find((candidate) => candidate.point === point);
  if (!device || !found) return { value: null, unit: '', worth: 'none', age: null, isUncertain: false };
  return worthOf(found, device.stale_after_ms, now, isBroken);
}

export function worthOf(point: Point, voidMs: number, now: number, isBroken: boolean): Shown {
  const ageMs = point.at === undefined ? null : Math.max(0, now - point.at);
  const isVoid = ageMs === null || point.value === null || (!isBroken && ageMs > voidMs) || ageMs > voidMs * 10;
  const isOld = isBroken || (ageMs !== null && ageMs > voidMs * OLD_FROM);
  return {
    value: isVoid ? null : point.value,
    unit: point.unit,
    worth: isVoid ? 'none' : isOld ? 'old' : 'fresh',
    age: ageMs === null ? null : Math.floor(ageMs / 1000),
    isUncertain: point.quality.startsWith('uncertain'),
  };
}

const SYMBOLS: Record<string, string> = {
  Cel: '°C', '%': '%', '[ppm]': 'ppm', 'mm[Hg]': 'mmHg', 'kW.h': 'kWh', 'V.A': 'VA', '1': '', Ohm: 'Ω', 'm3/h': 'm³/h',
};

export function symbol(unit: string): string {
  return SYMBOLS[unit] ?? unit;
}

/** A number as people read it: enough digits, no more. */
export function digits(value: number): string {
  const size = Math.abs(value);
  const text = Number.isInteger(value) || size >= 1000 ? value.toFixed(0) : size >= 100 ? value.toFixed(0) : value.toFixed(1);
  return text.replace(/^-/, '−');
}
