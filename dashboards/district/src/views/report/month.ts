import type { Day } from '../../api/types.ts';

/** Months as people write them: 2026-11. */
export function monthOf(at: number): string {
  const date = new Date(at);
  return `${date.getFullYear()}-${String(date.getMonth() + 1).padStart(2, '0')}`;
}

export function monthAfter(month: string, by: number): string {
  const [year = 0, number = 1] = month.split('-').map(Number);
  return monthOf(new Date(year, number - 1 + by, 1).getTime());
}

/** The days that have come: each with data by itself, those without joined with their neighbours. */
export function runs(days: Day[]): { first: Day; last: Day }[] {
  const found: { first: Day; last: Day }[] = [];
  for (const day of days.filter((one) => one.state !== 'future')) {
    const before = found.at(-1);
    if (day.state === 'none' && before?.last.state === 'none') before.last = day;
    else found.push({ first: day, last: day });
  }
  return found;
}
