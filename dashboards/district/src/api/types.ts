/** What the district answers (docs/district.md). Times are Unix milliseconds. */
export type Priority = 'high' | 'medium' | 'low';
export type Range = [number, number];

/** A gateway of a centre, as the map has it. */
export interface Gateway {
  centre: string; gateway: string; name: string | null; phone: string | null; lat: number | null; lon: number | null;
  /** Null until it was heard. */
  online: boolean | null; mode: string | null; version: string | null; state_at: number | null; heard_at: number | null;
  arrived: number; missing: number; lost: number; doubled: boolean; high: number; medium: number; low: number;
  kiosks: number; kiosks_offline: number; food: number; food_abnormal: number; drill: number; actual: number; vitals_today: number;
  /** Highest number of its present epoch, and the widest gaps below it, both ends included. */
  highest: number; gaps: Range[];
}

export interface Value { point: string; value: number | null; text: string | null; at: number; quality: string | null; unit: string | null }
export interface Device { device: string; name: string | null; room: string | null; room_name: string | null; class: string | null; online: boolean | null; reason: string | null; state_at: number | null; values: Value[] }
export interface Room { room: string; name: string | null; stage: string | null; role: string | null; class: string | null; text: string | null; at: number | null }
export interface Alarm { alarm: string; state: string; priority: Priority | null; device: string | null; text: string | null; at: number }
export interface Epoch { epoch: string; heard_at: number; missing: number; highest: number; gaps: Range[] }

/** A gateway of the centre page. */
export interface Detail {
  centre: string; gateway: string; name: string | null; phone: string | null; online: boolean | null; mode: string | null; version: string | null;
  devices: Device[]; rooms: Room[]; alarms: Alarm[]; epochs: Epoch[]; vital_signs_today: number;
}

export interface DistrictAlarm extends Alarm { centre: string; gateway: string; name: string | null }
export interface Aside { id: number; at: number; topic: string; reason: string; detail: string; bytes: number }

export type OrderState = 'prepared' | 'approved_once' | 'released' | 'complete' | 'stopped' | 'expired';

export interface OrderRow {
  id: string; number: number; kind: string; class: string; state: OrderState; stage: number; made_by: string; made_at: number; expires: number;
  gateways: number; sent: number; accepted: number; not_accepted: number; silent: number;
}

export interface Target {
  centre: string; gateway: string; name: string | null; ramp: number; preview: { ready: boolean; hindrances: string[] };
  state: 'waits' | 'due' | 'silent' | 'offline' | 'answered'; result: string | null; reason: string | null;
  sent: number; sent_at: number | null; answered_at: number | null; phone: string | null; rooms: Record<string, string> | null; room_names: Record<string, string | null> | null;
  /** When its people were rung, and who did it. */
  called_at: number | null; called_by: string | null;
}

export interface Approval { account: string; at: number }

export interface Order {
  id: string; number: number; kind: string; class: string; state: OrderState; stage: number; stages: number; seen: string; seen_at: number;
  made_by: string; made_at: number; expires: number; first: Approval | null; second: Approval | null; stopped_by: string | null; stopped_at: number | null;
  ready: number; gateways: Target[];
  sums: Record<'gateways' | 'ready' | 'waits' | 'due' | 'silent' | 'offline' | 'answered' | 'accepted' | 'not_accepted', number>;
}

/** A day of which nothing arrived, or that is to come, has no counts: null is not zero. */
export interface Day {
  day: string; state: 'data' | 'none' | 'future'; messages: number | null; samples: number | null; alarms_high: number | null; alarms_medium: number | null; alarms_low: number | null;
  food_alarms: number | null; mode_changes: number | null; orders: number | null; vital_signs: number | null;
}
export interface Report {
  centre: string; month: string; zone: string; made_at: number;
  gateways: { gateway: string; name: string | null; days: Day[]; arrived: number; missing: number; lost: number; online_now: boolean | null; orders: { id: string; class: string; result: string | null; answered_at: number | null }[] }[];
}
