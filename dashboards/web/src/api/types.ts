/**
 * What the gateway answers, as far as the screens read it. The shapes are those of its OpenAPI document, which
 * `npm run types` writes anew (docs/api.md).
 */
import type { components } from './schema.d.ts';

type Schemas = components['schemas'];

export type Point = Schemas['Point'];
export type Scalar = Point['value'];
export type Device = Schemas['Device'];

export type Area = Schemas['Area'];
export type Background = Schemas['Background'];
export type Room = Schemas['Room'];
export type Corner = Room['outline'][number];
export type Cabinet = Schemas['Cabinet'];
export type RoomStage = Schemas['RoomStage'];
export type PlanName = Schemas['PlanName'];
export type Centre = Omit<Schemas['Centre'], 'alarms'>;

export type Stage = Schemas['Stage'];
/** Stages of a switch, in their order. */
export const STAGES = ['preview', 'notice', 'clearing', 'acting', 'checking', 'ready'] as const satisfies Stage[];

export type Priority = Schemas['Priority'];
export type Alarm = Schemas['Alarm'];
export type AlarmStep = Schemas['AlarmStep'];

export type Service = Schemas['KioskService'];
export type Kiosk = Schemas['Kiosk'];
export type KioskDay = Schemas['KioskDay'];
export type Matter = Schemas['Matter'];

export type LineStatus = Schemas['LineStatus'];
export type Status = Schemas['Status'];
export type Minute = Pick<Schemas['Minute'], 't' | 'min' | 'max' | 'mean'>;

export type Users = Schemas['Users'];
export type Account = Schemas['Account'];
export type DemoFault = Schemas['DemoFault'];
