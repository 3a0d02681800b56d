/** Asks the district. Every failure is a `Refused` with words; every request ends. */

/** A request that takes longer has failed. */
const PATIENCE_MS = 10_000;

/** What went wrong: `status` 0 means that no answer came. `code` is the word that programs rely on. */
export class Refused extends Error {
  readonly status: number;
  readonly code: string;
  readonly zh: string;
  readonly body: Record<string, unknown>;
  constructor(status: number, body: Record<string, unknown>) {
    super(String(body.en ?? body.detail ?? ''));
    this.status = status;
    this.code = String(body.code ?? '');
    this.zh = String(body.zh ?? '');
    this.body = body;
  }

  said(language: 'zh' | 'en'): string {
    return language === 'zh' && this.zh ? this.zh : this.message;
  }
}

/** The district's clock less this machine's, in milliseconds: ages are told by one clock. */
let ahead = 0;
let onRefused: () => void = () => {};

export const now = (): number => Date.now() + ahead;

/** Called when an answer says that nobody is logged in. */
export function whenRefused(call: () => void): void {
  onRefused = call;
}

/** `isByItself`: nobody asked for it, so it keeps no log-in alive. */
export async function ask(method: string, path: string, body?: unknown, isByItself = false): Promise<Response> {
  let answer: Response;
  try {
    answer = await fetch(path, {
      method,
      headers: { accept: 'application/json', ...(isByItself ? { 'linli-unattended': '1' } : {}), ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
      credentials: 'same-origin',
      signal: AbortSignal.timeout(PATIENCE_MS),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  } catch {
    throw new Refused(0, {});
  }
  const date = Date.parse(answer.headers.get('date') ?? '');
  // It has whole seconds: less than that is no difference.
  if (Number.isFinite(date)) ahead = Math.abs(date - Date.now()) < 2000 ? 0 : date - Date.now();
  if (answer.ok) return answer;
  if (answer.status === 401 && !path.startsWith('/api/v1/session')) onRefused();
  const problem: unknown = await answer.json().catch(() => null);
  throw new Refused(answer.status, problem && typeof problem === 'object' ? (problem as Record<string, unknown>) : {});
}

export async function get<T>(path: string, isByItself = false): Promise<T> {
  return (await ask('GET', path, undefined, isByItself)).json() as Promise<T>;
}

export async function post<T>(path: string, body: unknown): Promise<T> {
  const answer = await ask('POST', path, body);
  return (answer.status === 204 ? null : answer.json()) as Promise<T>;
}

/** An address below a centre or an order. */
export function path(...parts: string[]): string {
  return `/api/v1/${parts.map(encodeURIComponent).join('/')}`;
}
