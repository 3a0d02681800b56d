/** Where a room stands in the row of its stages, and its messages for people without a terminal. */
import type { RoomMode } from '../../api/mode.ts';
import { STAGES } from '../../api/types.ts';

/** Index in `STAGES`; -1 at peace. A held room stands where its steps are. */
export function stageIndex(room: RoomMode): number {
  const direct = (STAGES as readonly string[]).indexOf(room.stage);
  if (direct >= 0) return direct;
  if (room.stage === 'degraded' || room.stage === 'proving') return STAGES.length - 1;
  if (room.stage !== 'held') return -1;
  const steps = room.steps ?? [];
  const settled = steps.filter((step) => ['verified', 'confirmed', 'waived', 'done'].includes(step.state)).length;
  // Between notice and checking, by the share of steps that are settled.
  return steps.length === 0 ? 0 : Math.min(4, 1 + Math.floor((settled / steps.length) * 4));
}

/** A message without the command that the command line would need, and with roles by their names. */
export function plainly(text: string, people: Record<string, string>): string {
  const spoken = text.replace(/\s*[:：(（]?\s*`?linli [a-z]+[^；;。）)]*/g, '');
  return Object.entries(people).reduce((said, [role, name]) => said.replaceAll(new RegExp(`\\b${role}\\b`, 'g'), name), spoken).trim();
}
