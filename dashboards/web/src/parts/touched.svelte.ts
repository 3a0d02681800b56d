/** Whether somebody has touched the screen within the last minute: only then personal data is shown (law 8). */
const MINUTE_MS = 60_000;

class Touched {
  isRecent = $state(true);
  #timer: ReturnType<typeof setTimeout> | undefined;

  start(): void {
    for (const kind of ['pointerdown', 'keydown']) addEventListener(kind, () => this.#now(), { capture: true, passive: true });
    this.#now();
  }

  #now(): void {
    this.isRecent = true;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => (this.isRecent = false), MINUTE_MS);
  }
}

export const touched = new Touched();
