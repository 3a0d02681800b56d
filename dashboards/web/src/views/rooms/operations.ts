/** What people can do for a room as it is now: each with what it leads to, and what it asks for. */
import type { Asked, RoomMode } from '../../api/mode.ts';

export type OperationName = 'commit' | 'confirm' | 'cannot' | 'retry' | 'waive' | 'resume' | 'reject';

export interface Operation {
  operation: OperationName;
  /** The step it is about. */
  step?: string;
  /** What the step asks for, in words. */
  prompt?: string;
  /** Of several, the one that people usually want. */
  isMain: boolean;
}

/** Deeds that need a reason: whoever comes next reads it. */
export const WITH_REASON: readonly OperationName[] = ['cannot', 'waive', 'resume', 'reject'];

/** How long a waiver holds. */
export const SPANS = ['1h', '2h', '8h', '24h'] as const;

function ofAsked(asked: Asked): Operation[] {
  const of = { step: asked.step, prompt: asked.prompt || asked.step };
  // A step that failed: the leader tries again, or does without it for a while.
  if (asked.decide) return [{ operation: 'retry', isMain: true, ...of }, { operation: 'waive', isMain: false, ...of }];
  return [{ operation: 'confirm', isMain: true, ...of }, { operation: 'cannot', isMain: false, ...of }];
}

export function operationsOf(room: RoomMode): Operation[] {
  if (room.stage === 'peace') return [];
  if (room.stage === 'preview') return [{ operation: 'commit', isMain: true }];
  if (room.stage === 'held') return [{ operation: 'resume', isMain: true }];
  const failed = room.stage === 'degraded' ? (room.steps ?? []).filter((step) => step.state === 'failed') : [];
  // What was made ready is accepted, or all of it looked at again.
  const again: Operation[] = room.stage === 'checking' ? [{ operation: 'reject', isMain: false }] : [];
  return [
    ...(room.asked ?? []).flatMap(ofAsked),
    ...failed.flatMap((step) => ofAsked({ step: step.step, prompt: step.prompt ?? step.step, decide: true } as Asked)),
    ...again,
  ];
}
