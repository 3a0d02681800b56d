/** What the mode switch answers, as far as the screens read it: the shapes of the OpenAPI document. */
import type { components } from './schema.d.ts';

type Schemas = components['schemas'];

/** A message of the mode switch, in both languages. */
export type Message = Schemas['Message'];

export type Asked = Pick<Schemas['Asked'], 'step' | 'role' | 'count' | 'done' | 'prompt' | 'left_s'> &
  Partial<Pick<Schemas['Asked'], 'decide'>>;

export type StepState = Schemas['StepState'];

type Step = Pick<Schemas['Step'], 'step' | 'state' | 'prompt' | 'waits_for' | 'left_s'>;

/** A room, with what it has while an order is followed. */
export type RoomMode = Pick<
  Schemas['RoomMode'],
  | 'room' | 'name' | 'stage' | 'fire' | 'fire_panel' | 'verified' | 'plan' | 'role' | 'order' | 'class' | 'direction'
  | 'since' | 'ready_by' | 'unproven' | 'held' | 'waits' | 'notice' 
> & Partial<Pick<Schemas['RoomMode'], 'alternate'>> & { asked?: Asked[]; steps?: Step[] };

export interface Mode {
  rooms: RoomMode[];
  /** Orders that wait until two people have compared their code. */
  waiting?: Schemas['WaitingOrder'][];
}

export type PlanStep = Schemas['PlanStep'];
export type PlanPreview = Schemas['PlanPreview'];
