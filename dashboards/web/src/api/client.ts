/** Asks the gateway. Every failure is a `Refused` with words; every request ends. */
import type { Mode, PlanPreview } from './mode.ts';
import type { Drafts } from './orders.ts';
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
  const isBytes = body instanceof Blob;
  if (body !== undefined) headers['content-type'] = isBytes ? 'application/octet-stream' : 'application/json';
  const isAct = method !== 'GET' && !path.startsWith('/api/v1/session');
  // With a key, what is sent again because its answer was lost is done once.
  if (isAct) headers['idempotency-key'] = newKey();
  const send = () => fetch(path, {
    method,
    headers,
    credentials: 'same-origin',
    signal: AbortSignal.timeout(PATIENCE_MS),
    ...(body === undefined ? {} : { body: isBytes ? body : JSON.stringify(body) }),
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

/** The gateway sends a step at least this often while it works. */
const STEP_MS = 60_000;

/** Asks for something that takes long: `onStep` gets each line of the answer as it comes. Aborting `end` stops it. */
export async function askSteps(method: string, path: string, body: Blob | undefined, onStep: (step: Record<string, unknown>) => void, end: AbortSignal): Promise<void> {
  const stop = new AbortController();
  end.addEventListener('abort', () => stop.abort());
  let timer = setTimeout(() => stop.abort(), STEP_MS);
  try {
    const headers = { accept: 'application/jsonl', ...(body ? { 'content-type': 'application/octet-stream', 'idempotency-key': newKey() } : {}) };
    const answer = await fetch(path, { method, headers, credentials: 'same-origin', signal: stop.signal, ...(body ? { body } : {}) });
    if (!answer.ok || !answer.body) {
      const problem = (await answer.json().catch(() => ({}))) as { detail?: string };
      throw new Refused(answer.status, problem.detail ?? '');
    }
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    for (let rest = ''; ; ) {
      const { done, value } = await reader.read();
      if (done) return;
      clearTimeout(timer);
      timer = setTimeout(() => stop.abort(), STEP_MS);
      const lines = (rest + value).split('\n');
      rest = lines.pop() ?? '';
      lines.filter(Boolean).forEach((line) => onStep(JSON.parse(line) as Record<string, unknown>));
    }
  } catch (error) {
    if (end.aborted) return;
    throw error instanceof Refused ? error : new Refused(0, '');
  } finally {
    clearTimeout(timer);
  }
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
  journal: (limit = 200) => json<AlarmStep[]>('GET', `/api/v1/alarms/journal?limit=${limit}`),
  alarm: (alarm: string, operation: string, how?: { for?: string; why?: string }) =>
    json<Alarm[]>('POST', `/api/v1/alarms/${part(alarm)}/${operation}`, how),
  kiosks: () => json<Kiosk[]>('GET', '/api/v1/kiosks'),
  kioskDays: () => json<KioskDay[]>('GET', '/api/v1/kiosks/days?days=30'),
  matters: (kiosk: string) => json<Matter[]>('GET', `/api/v1/kiosks/${part(kiosk)}/matters`),
  mode: () => json<Mode>('GET', '/api/v1/mode'),
  drafts: () => json<Drafts>('GET', '/api/v1/mode/drafts'),
  plan: (plan: string) => json<PlanPreview>('GET', `/api/v1/mode/plans/${part(plan)}`),
  stop: (room: string) => json<{ stop?: { text: string; is_safe: boolean } }>('POST', `/api/v1/mode/rooms/${part(room)}/stop`),
  operation: (room: string, operation: string, how: { step?: string; why?: string; for?: string }) =>
    json<unknown>('POST', `/api/v1/mode/rooms/${part(room)}/${operation}`, how),
  note: (text: string, by: string) => json<unknown>('POST', '/api/v1/food', { do: 'note', text, by }),
  record: async () => (await ask('GET', '/api/v1/food/record?form=pdf')).blob(),
  /** Joined into spans of `step` minutes. */
  trend: (device: string, point: string, from: number, to: number, step = 1) =>
    json<{ unit: string; minutes: Minute[] }>(
      'GET',
      `/api/v1/devices/${part(device)}/points/${part(point)}/trend?from=${Math.round(from)}&to=${Math.round(to)}&step=${step}`,
    ),
};
