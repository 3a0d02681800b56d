/** What people can do for a room as it is now: each with what it leads to, and what it asks for. */
import type { Asked, RoomMode } from '../../api/mode.ts';

export type OperationName = 'commit' | 'confirm' | 'simulate' | 'cannot' | 'retry' | 'waive' | 'resume' | 'reject' | 'alternate';

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
export const WITH_REASON: readonly OperationName[] = ['cannot', 'waive', 'resume', 'reject', 'alternate'];

/** How long a waiver holds. */
export const SPANS = ['1h', '2h', '8h', '24h'] as const;

function ofAsked(asked: Asked, isDrill = false): Operation[] {
  const of = { step: asked.step, prompt: asked.prompt || asked.step };
  // A step that failed: the leader tries again, or does without it for a while.
  if (asked.decide) return [{ operation: 'retry', isMain: true, ...of }, { operation: 'waive', isMain: false, ...of }];
  // In a drill what is only played is said to be played: it is no evidence.
  const played: Operation[] = isDrill ? [{ operation: 'simulate', isMain: false, ...of }] : [];
  return [{ operation: 'confirm', isMain: true, ...of }, ...played, { operation: 'cannot', isMain: false, ...of }];
}

export function operationsOf(room: RoomMode): Operation[] {
  if (room.stage === 'peace') return [];
  if (room.stage === 'preview') return [{ operation: 'commit', isMain: true }];
  if (room.stage === 'held') return [{ operation: 'resume', isMain: true }];
  const failed = room.stage === 'degraded' ? (room.steps ?? []).filter((step) => step.state === 'failed') : [];
  // What was made ready is accepted, or all of it looked at again.
  const again: Operation[] = room.stage === 'checking' ? [{ operation: 'reject', isMain: false }] : [];
  const other: Operation[] = room.alternate?.covered ? [{ operation: 'alternate', prompt: room.alternate.room, isMain: false }] : [];
  return [
    ...other,
    ...(room.asked ?? []).flatMap((asked) => ofAsked(asked, room.class === 'Exercise')),
    ...failed.flatMap((step) => ofAsked({ step: step.step, prompt: step.prompt ?? step.step, decide: true } as Asked)),
    ...again,
  ];
}
