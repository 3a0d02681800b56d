/** What an order begins with, before anybody has signed it. */
import type { RoomMode } from '../../api/mode.ts';
import type { NewDraft } from '../../api/orders.ts';
import type { PlanName } from '../../api/types.ts';

export interface DraftStart { kind: NewDraft['kind']; class: NewDraft['class']; plan: string | null; supersedes: string[]; reference?: string }

export const entering = (plan: string, of: DraftStart['class'], reference?: string): DraftStart => ({ kind: 'enter', class: of, plan, supersedes: [], ...(reference ? { reference } : {}) });

/** The way back of a room that follows an order: what has not begun is cancelled, the rest returns by its plan. */
export function backOf(room: RoomMode, plans: PlanName[]): DraftStart | null {
  if (room.stage === 'peace' || !room.order || room.direction === 'return') return null;
  const of = room.class === 'Exercise' ? 'exercise' : 'actual';
  if (room.stage === 'preview') return { kind: 'cancel', class: of, plan: null, supersedes: [room.order] };
  const back = plans.filter((plan) => plan.direction === 'return');
  const plan = back.find((one) => one.role === room.role) ?? back[0];
  return plan ? { kind: 'return', class: of, plan: plan.plan, supersedes: [] } : null;
}

export const bodyOf = (start: DraftStart): NewDraft => ({
  kind: start.kind, class: start.class, plans: start.plan ? [start.plan] : [], supersedes: start.supersedes, ...(start.reference ? { reference: start.reference } : {}),
});
