/** What would keep a centre from following an order now, by what it has reported last. */
import { isSilent, modeOf } from '../../api/state.ts';
import type { Gateway } from '../../api/types.ts';

export function hindrances(of: Gateway, now: number): string[] {
  if (of.heard_at === null) return ['no_report'];
  const found: [boolean, string][] = [[isSilent(of, now), 'offline'], [['drill', 'actual'].includes(modeOf(of)), 'other_order'], [of.high > 0, 'high_alarm'], [of.doubled, 'doubled']];
  return found.flatMap(([is, word]) => (is ? [word] : []));
}
