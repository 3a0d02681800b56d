/** What the gateway answers (docs/http.md), as far as the screens read it. */

export type Scalar = number | boolean | string | null;

export interface Point {
  point: string;
  unit: string;
  value: Scalar;
  quality: string;
  at?: number;
  writable: boolean;
}

export interface Device {
  device: string;
  name: string;
  room?: string;
  class: string;
  line: string;
  profile: string;
  state: 'online' | 'offline' | 'unknown';
  reason?: string;
  detail?: string;
  since?: number;
  stale_after_ms: number;
  points: Point[];
}

export type Corner = [number, number];

export interface Area {
  name: string;
  site: string | null;
  floor: number;
  outline: Corner[];
}

export interface Room extends Area {
  room: string;
  peace_role: string | null;
  emergency_roles: string[];
}

export interface Cabinet {
  device: string;
  name: string;
  keeps: string;
  low: number | null;
  high: number | null;
}

export interface RoomStage {
  room: string;
  stage: Stage;
  in_stage_s: number;
  is_exercise: boolean;
  is_in_service: boolean;
}

export interface PlanName {
  plan: string;
  room: string;
  role: string;
  direction: string;
}

export interface Centre {
  centre: string;
  name: string;
  timezone: string;
  sites: { site: string; name: string }[];
  rooms: Room[];
  areas: Area[];
  cabinets: Cabinet[];
  plans: PlanName[];
  stages: RoomStage[];
  open_visits: number;
}

export const STAGES = ['preview', 'notice', 'clearing', 'acting', 'checking', 'ready'] as const;
export type Stage = (typeof STAGES)[number] | 'peace' | 'degraded' | 'proving' | 'held';

export type Priority = 'high' | 'medium' | 'low';

export interface Alarm {
  alarm: string;
  text: string;
  device: string;
  point: string;
  priority: Priority;
  state: string;
  active: boolean;
  since?: number;
  value?: number;
  limit?: number;
  shelved_for?: number;
  by?: string;
  why?: string;
}

export interface AlarmStep {
  alarm: string;
  text: string;
  priority: Priority;
  event: string;
  to: string;
  at: number;
  by?: string;
  why?: string;
  first_out?: boolean;
}

export type Service = 'in_service' | 'degraded' | 'out_of_service' | 'maintenance' | 'offline';

export interface Kiosk {
  kiosk: string;
  name: string;
  service: Service;
  parts: Record<string, string>;
  message: string;
  busy: boolean;
  availability_today: number | null;
  matters: number;
  matters_offered: number;
}

export interface KioskDay {
  kiosk: string;
  day: string;
  availability: number | null;
}

export interface Matter {
  id: string;
  name: string;
  department: string;
  lacks: string | null;
}

export interface LineStatus {
  line: string;
  up: boolean;
  requests: number;
  busy_us: number;
  opens: number;
  resync_bytes: number;
  devices: { device: string; online: boolean; ok: number; timeouts: number; refusals: number; garbled: number; latency_us: number }[];
}

export interface Status {
  version: string;
  ready: boolean;
  findings: string[];
  lines: LineStatus[];
  uplink: { connected: boolean };
  store: { lanes?: unknown };
}

export interface Minute {
  t: number;
  min: number;
  max: number;
  mean: number;
}
