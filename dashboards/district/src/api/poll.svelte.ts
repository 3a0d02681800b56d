/** What a view shows, read again and again; and whether the district still answers. */
import { touched } from 'web/parts/touched.svelte.ts';
import { get, now, Refused } from './client.ts';

/** Pause between two readings. */
const EVERY_MS = 5000;
/** Silence after which the page says so. */
const BROKEN_MS = 10_000;

class Link {
  /** The district's time, each second. */
  now = $state(now());
  answeredAt = $state(now());
  /** Seconds without an answer, once they are too many. */
  brokenFor = $derived(this.now - this.answeredAt > BROKEN_MS ? Math.floor((this.now - this.answeredAt) / 1000) : 0);

  constructor() {
    setInterval(() => (this.now = now()), 1000);
  }

  heard(): void {
    this.now = now();
    this.answeredAt = this.now;
  }
}

export const link = new Link();

export class Poll<T> {
  /** Null until the first answer. */
  value = $state.raw<T | null>(null);
  /** Status of a refusal, 0 otherwise. */
  refused = $state(0);
  /** When the value was read. */
  at = $state(0);
  readonly #path: () => string;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #turn = 0;

  constructor(path: () => string) {
    this.#path = path;
  }

  /** Begins, or begins anew at another address; returns what ends it. */
  start(): () => void {
    const turn = ++this.#turn;
    const asked = this.#path();
    const again = async () => {
      try {
        const got = await get<T>(asked, !touched.isJustNow);
        if (turn !== this.#turn) return;
        this.value = got;
        this.at = now();
        this.refused = 0;
        link.heard();
      } catch (error) {
        if (turn !== this.#turn) return;
        const status = error instanceof Refused ? error.status : 0;
        // A refusal is an answer, a proxy's or a database's trouble is none.
        if (status >= 400 && status < 500) {
          this.refused = status;
          link.heard();
        }
      }
      this.#timer = setTimeout(again, EVERY_MS);
    };
    void again();
    return () => {
      this.#turn += 1;
      clearTimeout(this.#timer);
    };
  }

  /** Takes what an act has answered, before it is read again. */
  take(value: T): void {
    this.value = value;
    this.at = now();
  }
}
