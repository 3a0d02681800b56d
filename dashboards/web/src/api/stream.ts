/**
 * One event stream per page, with a watchdog: what is silent for ten seconds is opened again, for ever. A browser's
 * own EventSource does not notice a half-open connection (a tablet that slept), so it is not trusted.
 */

/** Silence after which the stream counts as broken. The gateway beats every three seconds. */
export const SILENT_MS = 10_000;

/** Waits between attempts; the last one repeats. */
const RETRY_MS = [500, 1_000, 2_000, 5_000];

export interface Source {
  addEventListener(kind: string, call: (event: { data: string }) => void): void;
  close(): void;
}

export interface Hooks {
  open: () => Source;
  /** Kinds to listen to. */
  kinds: readonly string[];
  /** The stream runs (again): everything has to be read anew. */
  onOpen: () => void;
  onEvent: (kind: string, data: string) => void;
  /** Milliseconds since the page's start, never set back. */
  now: () => number;
  later: (call: () => void, ms: number) => void;
}

export class Stream {
  readonly #hooks: Hooks;
  #source: Source | null = null;
  #heard: number;
  #attempt = 0;
  #opened = 0;
  #isWaiting = false;

  constructor(hooks: Hooks) {
    this.#hooks = hooks;
    this.#heard = hooks.now();
    this.#connect();
  }

  /** Milliseconds of silence. */
  get silence(): number {
    return this.#hooks.now() - this.#heard;
  }

  get isBroken(): boolean {
    return this.silence >= SILENT_MS;
  }

  /** Called every second. */
  watch(): void {
    const sinceOpened = this.#hooks.now() - this.#opened;
    if (this.isBroken && !this.#isWaiting && sinceOpened >= SILENT_MS) this.#again();
  }

  #again(): void {
    this.#source?.close();
    this.#source = null;
    this.#isWaiting = true;
    const wait = RETRY_MS[Math.min(this.#attempt, RETRY_MS.length - 1)] ?? 5_000;
    this.#attempt += 1;
    this.#hooks.later(() => this.#connect(), wait);
  }

  #connect(): void {
    this.#isWaiting = false;
    this.#opened = this.#hooks.now();
    const source = this.#hooks.open();
    this.#source = source;
    const mine = (call: () => void) => () => {
      if (this.#source === source) call();
    };
    source.addEventListener('open', mine(() => {
      this.#attempt = 0;
      this.#hooks.onOpen();
    }));
    source.addEventListener('error', mine(() => this.#again()));
    for (const kind of this.#hooks.kinds) {
      source.addEventListener(kind, (event) => {
        if (this.#source !== source) return;
        this.#heard = this.#hooks.now();
        this.#hooks.onEvent(kind, event.data);
      });
    }
  }
}
