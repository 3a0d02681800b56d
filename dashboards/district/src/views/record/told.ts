/** Lines of the record in words: who, what, about whom. */
import type { Words } from '../../words/zh.ts';

export interface Entry {
  n: number; at: number; event: string; account?: string; by?: string; what?: string; from?: string; why?: string; order?: string; nth?: number; of?: string;
  centre?: string; gateway?: string; roles?: string[]; lines?: number; session?: string;
}

/** Filters, each some events. */
export const KINDS = {
  all: '', orders: 'order', accounts: 'account,enrolled', centres: 'centre,centre_refused', logins: 'logged_in,logged_out', refused: 'refused,centre_refused', exported: 'exported',
} as const;
export type Kind = keyof typeof KINDS;

const named = (table: Record<string, string>, word: string | undefined) => (word === undefined ? '' : (table[word] ?? word));

/** Who did it. */
export function who(entry: Entry): string {
  return entry.by ?? entry.account ?? '';
}

/** What was done, and to whom. */
export function what(entry: Entry, t: Words): string {
  const r = t.record;
  const gateway = entry.centre ? `${entry.centre}/${entry.gateway ?? ''}` : '';
  switch (entry.event) {
    case 'order':
      return [named(r.orders, entry.what), entry.nth === undefined ? '' : r.nth(entry.what === 'approved' ? 'person' : 'stage', entry.nth), entry.of ?? '', entry.order ?? ''].filter(Boolean).join(' · ');
    case 'account':
      return [named(r.accounts, entry.what), entry.account ?? '', (entry.roles ?? []).map((role) => named(t.accounts.roles, role)).join(t.and)].filter(Boolean).join(' · ');
    case 'centre':
      return [named(r.centres, entry.what), gateway].join(' · ');
    case 'centre_refused':
      return [r.events.centre_refused ?? '', gateway, entry.why ?? ''].filter(Boolean).join(' · ');
    case 'exported':
      return r.exported(entry.lines ?? 0);
    default:
      return [named(r.events, entry.event), entry.why ?? ''].filter(Boolean).join(' · ');
  }
}

/** The day of a date field in this machine's zone, Unix milliseconds; `after` is the day after it. */
export function dayOf(text: string, after = 0): number | null {
  const [year, month, day] = text.split('-').map(Number);
  return year && month && day ? new Date(year, month - 1, day + after).getTime() : null;
}

/** The query of a filter. */
export function query(filter: { kind: Kind; who: string; from: string; to: string }): string {
  const [from, to] = [dayOf(filter.from), dayOf(filter.to, 1)];
  const parts = { event: KINDS[filter.kind], who: filter.who.trim(), from: from === null ? '' : String(from), to: to === null ? '' : String(to) };
  return Object.entries(parts).filter(([, value]) => value).map(([key, value]) => `${key}=${encodeURIComponent(value)}`).join('&');
}
