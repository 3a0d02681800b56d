/** Whether somebody has touched the screen: personal data is shown within a minute of that only (law 8), and what the
 * page asks by itself later keeps no log-in alive. */
const MINUTE_MS = 60_000;
/** A request this long after a touch is the person's. */
const OWN_MS = 5_000;

class Touched {
  isRecent = $state(true);
  #at = 0;
  #told = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** Whether a request made now is the person's. */
  get isJustNow(): boolean {
    return performance.now() - this.#at < OWN_MS;
  }

  /** `tell` is called for touches, at most once in a while: a person who only reads is there too. */
  start(tell: () => void): void {
    for (const kind of ['pointerdown', 'keydown']) addEventListener(kind, () => this.#now(tell), { capture: true, passive: true });
    this.#now(() => {});
  }

  #now(tell: () => void): void {
    this.#at = performance.now();
    this.isRecent = true;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => (this.isRecent = false), MINUTE_MS);
    if (this.#at - this.#told < OWN_MS * 3) return;
    this.#told = this.#at;
    tell();
  }
}

export const touched = new Touched();
