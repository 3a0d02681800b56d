/** Sums that several views show: alarms by priority, the mode of the whole, cabinets in limits, kiosks in service. */
import type { RoomMode } from './mode.ts';
import type { Alarm, Cabinet, Device, Kiosk, Priority, RoomStage } from './types.ts';
import { shown } from './values.ts';

const RANK: Record<Priority, number> = { high: 0, medium: 1, low: 2 };

/** States in which an alarm needs nobody. */
const CALM = ['normal', 'shelved', 'suppressed', 'out_of_service'];

/** What needs somebody, the most urgent first, then what nobody has seen, then the oldest. */
export function open(alarms: Alarm[]): Alarm[] {
  const isSeen = (alarm: Alarm) => (alarm.state.endsWith('_acknowledged') || alarm.state === 'acknowledged' ? 1 : 0);
  return alarms
    .filter((alarm) => !CALM.includes(alarm.state))
    .sort((a, b) => RANK[a.priority] - RANK[b.priority] || isSeen(a) - isSeen(b) || (a.since ?? 0) - (b.since ?? 0));
}

export function counted(alarms: Alarm[]): Record<Priority | 'all', number> {
  const count = { high: 0, medium: 0, low: 0, all: 0 };
  for (const alarm of open(alarms)) {
    count[alarm.priority] += 1;
    count.all += 1;
  }
  return count;
}

export function worst(alarms: Alarm[]): Alarm | undefined {
  return open(alarms)[0];
}

export function modeOf(stages: Pick<RoomStage, 'stage' | 'is_exercise'>[]): 'peace' | 'drill' | 'actual' {
  const moved = stages.filter((room) => room.stage !== 'peace');
  if (moved.some((room) => !room.is_exercise)) return 'actual';
  return moved.length > 0 ? 'drill' : 'peace';
}

/** The mode of the centre. What the mode switch says itself is newer than the centre's sum. */
export function modeNow(rooms: RoomMode[] | undefined, stages: RoomStage[]): ReturnType<typeof modeOf> {
  return modeOf(rooms?.length ? rooms.map((room) => ({ ...room, is_exercise: room.class === 'Exercise' })) : stages);
}

export type Verdict = 'good' | 'tooWarm' | 'tooCold' | 'notHot' | 'unknown';

/** Whether a cabinet is in its limits; a value that is too old is unknown, never good. */
export function verdict(cabinet: Cabinet, device: Device | undefined, now: number, isBroken: boolean): Verdict {
  const { value } = shown(device, 'temperature', now, isBroken);
  if (typeof value !== 'number' || isBroken) return 'unknown';
  if (cabinet.high !== null && value > cabinet.high) return 'tooWarm';
  if (cabinet.low !== null && value < cabinet.low) return cabinet.keeps === 'hot' ? 'notHot' : 'tooCold';
  return 'good';
}

export function inService(kiosks: Kiosk[]): number {
  return kiosks.filter((kiosk) => kiosk.service === 'in_service' || kiosk.service === 'degraded').length;
}
