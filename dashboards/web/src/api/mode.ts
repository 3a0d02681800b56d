/** What the mode switch answers, as far as the screens read it. */
import type { Stage } from './types.ts';

/** A message of the mode switch, in both languages. */
export interface Message {
  zh: string;
  en: string;
}

export interface RoomMode {
  room: string;
  name: string;
  stage: Stage;
  fire: string;
  fire_panel: { state: string; zh: string; en: string; age_s: number | null } | null;
  verified: boolean;
  plan?: string;
  role?: string;
  order?: string;
  class?: 'Actual' | 'Exercise';
  direction?: string;
  since?: number;
  ready_by?: number;
  unproven?: string[];
  held?: { cause: string; why: Message; ends: Message }[];
  asked?: Asked[];
  waits?: Message | null;
  steps?: { step: string; state: string; prompt?: string; waits_for?: string[]; left_s?: number }[];
  notice?: string;
}

export interface Asked {
  step: string;
  role: string;
  count: number;
  done: number;
  prompt: string;
  left_s: number | null;
}

export interface Mode {
  rooms: RoomMode[];
}

export interface PlanStep {
  step: string;
  kind: string;
  prompt?: string;
  role?: string;
  count?: number;
  ends_s: number;
  critical: boolean;
}

export interface PlanPreview {
  plan: string;
  role: string;
  at_most_s: number;
  hash: string;
  basis: string[];
  steps: PlanStep[];
  unknown: string[];
  not_so_now: string[];
}
