/** The weekly figures of ISA-18.2 (clause 16), from the journal: how many an hour, which stand for long, which chatter. */
import type { Alarm, AlarmStep } from '../../api/types.ts';

const HOUR = 3_600_000;
/** An alarm that stands longer than this is stale (ISA-18.2: 24 hours). */
const STALE_MS = 24 * HOUR;
/** Raised so often within `CHATTER_MS`, an alarm chatters. */
const CHATTER = 3;
const CHATTER_MS = 60_000;
/** So many within ten minutes are a flood. */
const FLOOD = 10;
const FLOOD_MS = 600_000;

export interface Figures {
  hours: number; raised: number; perHour: number; floods: number;
  often: { alarm: string; text: string; count: number }[]; chattering: { alarm: string; text: string }[]; stale: { alarm: string; text: string; hours: number }[];
  priorities: Record<'high' | 'medium' | 'low', number>;
}

/** The journal is newest first; it may reach back less than `span`. */
export function figuresOf(steps: AlarmStep[], alarms: Alarm[], now: number, span: number): Figures {
  const raised = steps.filter((step) => step.event === 'raised' && !step.test && step.at > now - span).sort((a, b) => a.at - b.at);
  const oldest = Math.min(now - HOUR, Math.max(now - span, steps.at(-1)?.at ?? now));
  const hours = (now - oldest) / HOUR;
  const of = new Map<string, AlarmStep[]>();
  for (const step of raised) of.set(step.alarm, [...(of.get(step.alarm) ?? []), step]);
  const text = (all: AlarmStep[]) => all[0]?.text ?? '';
  const often = [...of].map(([alarm, all]) => ({ alarm, text: text(all), count: all.length })).sort((a, b) => b.count - a.count).slice(0, 10);
  const isClose = (all: AlarmStep[]) => all.some((step, at) => (all[at + CHATTER - 1]?.at ?? Infinity) - step.at <= CHATTER_MS);
  let floods = 0;
  for (let at = 0, until = -Infinity; at < raised.length; at += 1) {
    const begin = raised[at]?.at ?? 0;
    if (begin <= until || (raised[at + FLOOD - 1]?.at ?? Infinity) - begin > FLOOD_MS) continue;
    floods += 1;
    until = begin + FLOOD_MS;
  }
  const stale = alarms.filter((alarm) => alarm.active && alarm.since !== undefined && now - alarm.since > STALE_MS);
  return {
    hours, raised: raised.length, perHour: raised.length / hours, floods, often,
    chattering: [...of].filter(([, all]) => isClose(all)).map(([alarm, all]) => ({ alarm, text: text(all) })),
    stale: stale.map((alarm) => ({ alarm: alarm.alarm, text: alarm.text, hours: (now - (alarm.since ?? now)) / HOUR })),
    priorities: { high: 0, medium: 0, low: 0, ...Object.fromEntries((['high', 'medium', 'low'] as const).map((priority) => [priority, raised.filter((step) => step.priority === priority).length])) },
  };
}
