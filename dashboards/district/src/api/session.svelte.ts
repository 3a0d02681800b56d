/** Who is here. */
import { ask, get, post, Refused, whenRefused } from './client.ts';

export type Permission = 'view' | 'prepare' | 'approve' | 'stop' | 'accounts' | 'centres' | 'record' | 'own';

interface Who { account: string; name: string; roles: string[]; permissions: Permission[] }

class Session {
  who = $state.raw<Who | null>(null);
  isKnown = $state(false);
  readonly isIn = $derived(this.who !== null);

  constructor() {
    whenRefused(() => (this.who = null));
  }

  may(what: Permission): boolean {
    return this.who?.permissions.includes(what) ?? false;
  }

  /** Asks who is here, until there is an answer. */
  async start(): Promise<void> {
    try {
      this.who = await get<Who>('/api/v1/session');
    } catch (error) {
      if (!(error instanceof Refused) || error.status !== 401) {
        setTimeout(() => void this.start(), 2000);
        return;
      }
    }
    this.isKnown = true;
  }

  async logIn(account: string, password: string, code: string): Promise<void> {
    this.who = await post<Who>('/api/v1/session', { account, password, code });
  }

  async leave(): Promise<void> {
    await ask('DELETE', '/api/v1/session').catch(() => null);
    this.who = null;
  }
}

export const session = new Session();
