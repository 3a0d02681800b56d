/**
 * Who is logged in. The gateway keeps sessions in a cookie (`GET`, `POST`, `DELETE /api/v1/session`); one that has no
 * accounts answers 404 there and takes a worker's token instead. Nothing else on the screens knows the difference.
 */
import { api, ask, authorize, Refused, whenUnknown } from './client.ts';

const TOKEN = 'linli.token';

export interface Credentials { name: string; password: string; token: string }

class Session {
  /** What the gateway takes: an account's name and password, or a token. */
  kind = $state<'unknown' | 'account' | 'token'>('unknown');
  isIn = $state(false);
  name = $state('');
  /** Whether the log-in dialog is open, and what is done after it. */
  isAsking = $state(false);
  #then: (() => void) | null = null;
  #changed: (() => void)[] = [];

  whenChanged(call: () => void): void {
    this.#changed.push(call);
  }

  async start(): Promise<void> {
    whenUnknown(() => this.#out());
    try {
      const answer: unknown = await (await ask('GET', '/api/v1/session')).json();
      this.kind = 'account';
      this.#in(nameOf(answer));
    } catch (error) {
      const status = error instanceof Refused ? error.status : 0;
      this.kind = status === 404 ? 'token' : status === 0 ? 'unknown' : 'account';
      const token = sessionStorage.getItem(TOKEN);
      if (this.kind === 'token' && token) await this.logIn({ name: '', password: '', token }).catch(() => {});
    }
  }

  /** Throws `Refused` when it was wrong. */
  async logIn({ name, password, token }: Credentials): Promise<void> {
    if (this.kind === 'token') {
      authorize(`Bearer ${token.trim()}`);
      try {
        await api.mode();
      } catch (error) {
        authorize(null);
        sessionStorage.removeItem(TOKEN);
        throw error;
      }
      sessionStorage.setItem(TOKEN, token.trim());
      this.#in('');
    } else {
      const answer: unknown = await (await ask('POST', '/api/v1/session', { name, password })).json().catch(() => null);
      this.kind = 'account';
      this.#in(nameOf(answer) || name);
    }
    this.isAsking = false;
    const then = this.#then;
    this.#then = null;
    then?.();
  }

  async logOut(): Promise<void> {
    if (this.kind === 'account') await ask('DELETE', '/api/v1/session').catch(() => {});
    this.#out();
  }

  /** Does it if somebody is logged in, else asks first. */
  need(then: () => void): void {
    if (this.isIn) return then();
    this.#then = then;
    // The gateway did not answer when the page was opened.
    if (this.kind === 'unknown') void this.start();
    this.isAsking = true;
  }

  cancel(): void {
    this.isAsking = false;
    this.#then = null;
  }

  #in(name: string): void {
    this.isIn = true;
    this.name = name;
    this.#changed.forEach((call) => call());
  }

  #out(): void {
    if (!this.isIn) return;
    authorize(null);
    sessionStorage.removeItem(TOKEN);
    this.isIn = false;
    this.name = '';
    this.#changed.forEach((call) => call());
  }
}

function nameOf(answer: unknown): string {
  if (!answer || typeof answer !== 'object') return '';
  const { name, account } = answer as { name?: unknown; account?: unknown };
  return typeof name === 'string' ? name : typeof account === 'string' ? account : '';
}

export const session = new Session();
