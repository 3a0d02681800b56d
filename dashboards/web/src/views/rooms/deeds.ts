/** What people can do for a room as it is now: each with what it leads to, and what it asks for. */
import type { Asked, RoomMode } from '../../api/mode.ts';

export type DeedName = 'commit' | 'confirm' | 'cannot' | 'retry' | 'waive' | 'resume' | 'reject';

export interface Deed {
  deed: DeedName;
  /** The step it is about. */
  step?: string;
  /** What the step asks for, in words. */
  prompt?: string;
  /** Of several, the one that people usually want. */
  isMain: boolean;
}

/** Deeds that need a reason: whoever comes next reads it. */
export const WITH_REASON: readonly DeedName[] = ['cannot', 'waive', 'resume', 'reject'];

/** How long a waiver holds. */
export const SPANS = ['1h', '2h', '8h', '24h'] as const;

function ofAsked(asked: Asked): Deed[] {
  const of = { step: asked.step, prompt: asked.prompt || asked.step };
  // A step that failed: the leader tries again, or does without it for a while.
  if (asked.decide) return [{ deed: 'retry', isMain: true, ...of }, { deed: 'waive', isMain: false, ...of }];
  return [{ deed: 'confirm', isMain: true, ...of }, { deed: 'cannot', isMain: false, ...of }];
}

export function deedsOf(room: RoomMode): Deed[] {
  if (room.stage === 'peace') return [];
  if (room.stage === 'preview') return [{ deed: 'commit', isMain: true }];
  if (room.stage === 'held') return [{ deed: 'resume', isMain: true }];
  const failed = room.stage === 'degraded' ? (room.steps ?? []).filter((step) => step.state === 'failed') : [];
  // What was made ready is accepted, or all of it looked at again.
  const again: Deed[] = room.stage === 'checking' ? [{ deed: 'reject', isMain: false }] : [];
  return [
    ...(room.asked ?? []).flatMap(ofAsked),
    ...failed.flatMap((step) => ofAsked({ step: step.step, prompt: step.prompt ?? step.step, decide: true } as Asked)),
    ...again,
  ];
}
