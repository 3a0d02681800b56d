/** Days of a kiosk, joined into weeks that begin on a Monday. */
import type { KioskDay } from '../../api/types.ts';

export interface Week { from: string; days: number; share: number | null; outMs: number; maintenanceMs: number; offlineMs: number }

const DAY = 86_400_000;

/** The Monday of a day of the calendar. */
export function monday(day: string): string {
  const at = Date.parse(day);
  return new Date(at - ((new Date(at).getUTCDay() + 6) % 7) * DAY).toISOString().slice(0, 10);
}

/** The newest week first. Opening hours count, not the clock. */
export function weeks(days: KioskDay[]): Week[] {
  const found = new Map<string, KioskDay[]>();
  for (const day of days) found.set(monday(day.day), [...(found.get(monday(day.day)) ?? []), day]);
  return [...found].sort(([a], [b]) => b.localeCompare(a)).map(([from, rows]) => {
    const sum = (of: (hours: KioskDay['hours']) => number) => rows.reduce((all, row) => all + of(row.hours), 0);
    const good = sum((hours) => hours.in_service + hours.degraded);
    const [outMs, maintenanceMs, offlineMs] = [sum((hours) => hours.out_of_service), sum((hours) => hours.maintenance), sum((hours) => hours.offline)];
    const all = good + outMs + maintenanceMs + offlineMs;
    return { from, days: rows.length, share: all > 0 ? (100 * good) / all : null, outMs, maintenanceMs, offlineMs };
  });
}
