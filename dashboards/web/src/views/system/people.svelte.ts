/** Accounts, enrolled screens and sealed codes, as the administrator sees them. Codes are shown once. */
import { ask, Refused } from '../../api/client.ts';
import type { Users } from '../../api/types.ts';

/** Codes that were just made, and whom they are for. */
export interface Issued { for: string; codes: string[]; kind: 'account' | 'screen' | 'sealed' }

class People {
  list = $state.raw<Users | null>(null);
  refused = $state('');
  issued = $state.raw<Issued | null>(null);

  async read(): Promise<void> {
    try {
      this.list = (await (await ask('GET', '/api/v1/users')).json()) as Users;
      this.refused = '';
    } catch (error) {
      this.refused = error instanceof Refused && error.status !== 0 ? error.message : ' ';
    }
  }

  async add(account: string, roles: string[]): Promise<void> {
    await this.#issue('account', 'POST', '/api/v1/users', { account, roles });
  }

  async reset(account: string): Promise<void> {
    await this.#issue('account', 'POST', `/api/v1/users/${encodeURIComponent(account)}/reset`);
  }

  async enable(account: string, isOn: boolean): Promise<void> {
    await ask('POST', `/api/v1/users/${encodeURIComponent(account)}/${isOn ? 'enable' : 'disable'}`);
    await this.read();
  }

  async enrol(screen: string, room: string): Promise<void> {
    await this.#issue('screen', 'POST', '/api/v1/screens', { screen, room });
  }

  async remove(screen: string): Promise<void> {
    await ask('DELETE', `/api/v1/screens/${encodeURIComponent(screen)}`);
    await this.read();
  }

  /** Earlier sealed codes no longer count. */
  async seal(count: number): Promise<void> {
    await this.#issue('sealed', 'POST', '/api/v1/break-glass', { count });
  }

  async #issue(kind: Issued['kind'], method: string, path: string, body?: unknown): Promise<void> {
    const told = (await (await ask(method, path, body)).json()) as { for?: string; code?: string; codes?: string[] };
    await this.read();
    this.issued = { kind, for: told.for ?? '', codes: told.codes ?? [told.code ?? ''] };
  }
}

export const people = new People();
