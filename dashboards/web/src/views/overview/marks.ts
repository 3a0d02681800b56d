/** What each room of the map says: use or stage, worst alarm, the values people ask for. */
import { worst } from '../../api/sum.ts';
import type { Alarm, Centre, Device } from '../../api/types.ts';
import { digits, shown, symbol } from '../../api/values.ts';
import type { PlanRoom } from '../../design/FloorPlan.svelte';
import type { words as Texts } from '../../words/words.svelte.ts';

/** Points of the air that a room shows. */
const AIR = ['temperature', 'co2'];

/** Lines of values that fit into a room. */
const MOST = 3;

export function marked(centre: Centre, devices: Map<string, Device>, alarms: Alarm[], now: number, isBroken: boolean, words: typeof Texts): Omit<PlanRoom, 'corners'>[] {
  const t = words.t;
  return centre.rooms.map((room) => {
    const here = [...devices.values()].filter((device) => device.room === room.room);
    const names = new Set(here.map((device) => device.device));
    const alarm = worst(alarms.filter((one) => names.has(one.device)));
    const stage = centre.stages.find((one) => one.room === room.room);
    const isMoved = stage !== undefined && stage.stage !== 'peace';
    const lines: PlanRoom['lines'] = [];
    if (alarm) lines.push({ text: `${{ high: '***', medium: '**', low: '*' }[alarm.priority]} ${alarm.text.split(/[：:]/).pop()?.trim() ?? alarm.text}`, tone: alarm.priority });
    if (isMoved) {
      const tone = stage.stage === 'held' ? 'held' : stage.is_exercise ? 'drill' : 'high';
      lines.push({ text: `${stage.is_exercise ? t.app.drill : t.app.actual} · ${t.rooms.stages[stage.stage] ?? stage.stage}`, tone });
    }
    const values = valuesOf(here, now, isBroken, t.points);
    lines.push(...values.slice(0, MOST - (alarm ? 1 : 0)));
    const measuring = here.filter((device) => device.class === 'vital');
    if (measuring.length > 0) lines.push({ text: t.devices.devicesOn(measuring.filter((device) => device.state !== 'offline').length, measuring.length) });
    const occupied = here.map((device) => shown(device, 'occupied', now, isBroken)).find((value) => typeof value.value === 'boolean');
    if (occupied) lines.push({ text: occupied.value ? t.overview.people : t.overview.nobody });
    const mark = alarm ? alarm.priority : isMoved ? (stage.stage === 'held' ? 'held' : stage.is_exercise ? 'drill' : 'actual') : '';
    return { id: room.room, name: room.name, lines, mark, label: [room.name, ...lines.map((line) => line.text)].join(', ') };
  });
}

interface Line { text: string; tone: string }

/** What is kept cold or hot, each by its name; then the air. What is old says so instead of a number. */
function valuesOf(here: Device[], now: number, isBroken: boolean, points: Record<string, string>): Line[] {
  const read = (device: Device, point: string, name: string): Line[] => {
    if (!device.points.some((one) => one.point === point)) return [];
    const value = shown(device, point, now, isBroken);
    const isFresh = typeof value.value === 'number' && value.worth === 'fresh';
    return [{ text: isFresh ? `${name} ${digits(value.value as number)} ${symbol(value.unit)}` : `${name} ——`, tone: isFresh ? 'value' : 'stale' }];
  };
  const food = here.filter((device) => device.class === 'food_safety').flatMap((device) => read(device, 'temperature', device.name));
  const air = AIR.flatMap((point) => here.filter((device) => device.class === 'telemetry').flatMap((device) => read(device, point, points[point] ?? point)).slice(0, 1));
  const joined = { text: air.map((line) => line.text).join(' · '), tone: air.every((line) => line.tone === 'value') ? 'value' : 'stale' };
  return air.length > 0 ? [...food, joined] : food;
}
