/** What the event stream tells whole: codes of scanners on a serial port, print jobs. */
import type { PrintJob } from './cabin.ts';

/** A code that a scanner of a room has read, and when it came, Unix milliseconds by the clock of the page. */
export interface Scan {
  room: string;
  /** What it says; `null` if it could not be read. */
  text: string | null;
  came: number;
}

/** Print jobs that are remembered. */
const MOST_PRINTS = 32;

class Told {
  /** The latest code; `null` once a page has taken it. */
  scan = $state.raw<Scan | null>(null);
  /** Print jobs as the gateway told of them last, by their number. */
  prints = $state.raw<ReadonlyMap<number, PrintJob>>(new Map());

  take(kind: 'scan' | 'print', data: string): void {
    if (kind === 'scan') {
      const { room, text } = JSON.parse(data) as { room: string; text: string | null };
      this.scan = { room, text, came: Date.now() };
      return;
    }
    const job = JSON.parse(data) as PrintJob;
    const rest = [...this.prints].filter(([number]) => number !== job.job).slice(1 - MOST_PRINTS);
    this.prints = new Map([...rest, [job.job, job]]);
  }

  /** After a gap what was told may be old: it is asked for anew. */
  forget(): void {
    this.scan = null;
    this.prints = new Map();
  }
}

export const told = new Told();
