/** Asks the gateway. Every failure is a `Refused` with words; every request ends. */
import type { Mode, PlanPreview } from './mode.ts';
import type { Alarm, AlarmStep, Centre, Device, Kiosk, KioskDay, Matter, Minute, Status } from './types.ts';

/** A request that takes longer has failed: nobody looks at a spinner for ever. */
const PATIENCE_MS = 10_000;

/** What went wrong: `status` 0 means that no answer came. */
export class Refused extends Error {
  readonly status: number;
  constructor(status: number, detail: string) {
    super(detail);
    this.status = status;
  }
}

/** Called when the gateway refuses the caller: whoever was logged in may be no more. */
let onRefused: () => void = () => {};
/** Whether a person is at the page. What it asks by itself keeps no log-in alive. */
let isAttended: () => boolean = () => true;

export function whenRefused(call: () => void): void {
  onRefused = call;
}

export function attendedBy(answer: () => boolean): void {
  isAttended = answer;
}

/** A name for one act, also where the page is not secure and `crypto.randomUUID` is missing. */
function newKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

export async function ask(method: string, path: string, body?: unknown): Promise<Response> {
  const headers: Record<string, string> = { accept: 'application/json' };
  if (!isAttended()) headers['linli-unattended'] = '1';
  if (body !== undefined) headers['content-type'] = 'application/json';
  const isAct = method !== 'GET' && !path.startsWith('/api/v1/session');
  // With a key, what is sent again because its answer was lost is done once.
  if (isAct) headers['idempotency-key'] = newKey();
  const send = () => fetch(path, {
    method,
    headers,
    credentials: 'same-origin',
    signal: AbortSignal.timeout(PATIENCE_MS),
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  let answer: Response;
  try {
    answer = await send().catch((error: unknown) => (isAct && error instanceof TypeError ? send() : Promise.reject(error)));
  } catch {
    throw new Refused(0, '');
  }
  if (answer.ok) return answer;
  if ((answer.status === 401 || answer.status === 403) && !path.startsWith('/api/v1/session')) onRefused();
  const problem: unknown = await answer.json().catch(() => null);
  const detail = problem && typeof problem === 'object' && 'detail' in problem ? String(problem.detail) : '';
  throw new Refused(answer.status, detail);
}

async function json<T>(method: string, path: string, body?: unknown): Promise<T> {
  return (await ask(method, path, body)).json() as Promise<T>;
}

const part = encodeURIComponent;

export const api = {
  centre: () => json<Centre>('GET', '/api/v1/centre'),
  devices: () => json<Device[]>('GET', '/api/v1/devices'),
  status: () => json<Status>('GET', '/api/v1/status'),
  alarms: () => json<Alarm[]>('GET', '/api/v1/alarms'),
  journal: () => json<AlarmStep[]>('GET', '/api/v1/alarms/journal?limit=200'),
  alarm: (alarm: string, operation: string, how?: { for?: string; why?: string }) =>
    json<Alarm[]>('POST', `/api/v1/alarms/${part(alarm)}/${operation}`, how),
  kiosks: () => json<Kiosk[]>('GET', '/api/v1/kiosks'),
  kioskDays: () => json<KioskDay[]>('GET', '/api/v1/kiosks/days?days=30'),
  matters: (kiosk: string) => json<Matter[]>('GET', `/api/v1/kiosks/${part(kiosk)}/matters`),
  mode: () => json<Mode>('GET', '/api/v1/mode'),
  plan: (plan: string) => json<PlanPreview>('GET', `/api/v1/mode/plans/${part(plan)}`),
  stop: (room: string) => json<{ stop?: { text: string; is_safe: boolean } }>('POST', `/api/v1/mode/rooms/${part(room)}/stop`),
  operation: (room: string, operation: string, how: { step?: string; why?: string; for?: string }) =>
    json<unknown>('POST', `/api/v1/mode/rooms/${part(room)}/${operation}`, how),
  note: (text: string, by: string) => json<unknown>('POST', '/api/v1/food', { do: 'note', text, by }),
  record: async () => (await ask('GET', '/api/v1/food/record?form=pdf')).blob(),
  trend: (device: string, point: string, from: number, to: number) =>
    json<{ unit: string; minutes: Minute[] }>(
      'GET',
      `/api/v1/devices/${part(device)}/points/${part(point)}/trend?from=${Math.round(from)}&to=${Math.round(to)}`,
    ),
};
