/** The gateway's certificate, clock, store and copies, as technicians see them. Read again while a copy is made. */
import { ask, Refused } from '../../api/client.ts';
import type { components } from '../../api/schema.d.ts';

export type Upkeep = components['schemas']['SystemState'];

/** How often it is read: often while a copy is made. */
const USUAL_MS = 30_000;
const WORKING_MS = 1_500;

class UpkeepState {
  value = $state.raw<Upkeep | null>(null);
  refused = $state('');
  /** Why no copy was begun. */
  problem = $state('');
  #timer: ReturnType<typeof setTimeout> | undefined;
  #watchers = 0;

  /** Reads until the returned function is called; several cards share one reading. */
  watch(): () => void {
    this.#watchers += 1;
    if (this.#watchers === 1) void this.#read();
    return () => {
      this.#watchers -= 1;
      if (this.#watchers === 0) clearTimeout(this.#timer);
    };
  }

  async backUp(): Promise<void> {
    this.problem = '';
    try {
      await ask('POST', '/api/v1/system/backup');
    } catch (error) {
      this.problem = (error instanceof Refused && error.message) || ' ';
    }
    clearTimeout(this.#timer);
    await this.#read();
  }

  async #read(): Promise<void> {
    try {
      this.value = (await (await ask('GET', '/api/v1/system')).json()) as Upkeep;
      this.refused = '';
    } catch (error) {
      this.refused = (error instanceof Refused && error.message) || ' ';
    }
    clearTimeout(this.#timer);
    if (this.#watchers > 0) this.#timer = setTimeout(() => void this.#read(), this.value?.backup.state === 'running' ? WORKING_MS : USUAL_MS);
  }
}

export const upkeep = new UpkeepState();
