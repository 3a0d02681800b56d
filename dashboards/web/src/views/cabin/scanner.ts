/** A scanner that types like a keyboard: fast keys, then Enter. Slow keys are a person's, and nothing is taken of them. */
const FAST_MS = 100;
const SHORTEST = 4;

export class Wedge {
  #text = '';
  #at = -Infinity;

  /** Takes a key at a time in milliseconds; returns what was scanned when it is whole. */
  push(key: string, at: number): string | null {
    const isFast = at - this.#at <= FAST_MS;
    this.#at = at;
    if (!isFast && key !== 'Enter') this.#text = '';
    if (key === 'Enter') {
      const text = this.#text;
      this.#text = '';
      return isFast && text.length >= SHORTEST ? text : null;
    }
    if (key.length !== 1) return null;
    this.#text += key;
    return null;
  }
}

/** A code that waited longer is nobody's any more: whoever showed it has gone on. */
const STALE_MS = 30_000;

export const isStale = (came: number, now: number): boolean => now - came > STALE_MS;

/** What a scanned or typed text can be: a resident identity number, another card, the text of a health code, a name. */
export type Kind = 'id_number' | 'card' | 'health_code' | 'name';

/** The weights of the check digit (GB 11643). */
const WEIGHTS = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];

export function isIdNumber(text: string): boolean {
  if (!/^\d{17}[\dXx]$/.test(text)) return false;
  const sum = WEIGHTS.reduce((so_far, weight, at) => so_far + weight * Number(text[at]), 0);
  return '10X98765432'[sum % 11] === text[17]?.toUpperCase();
}

export function kindOf(text: string): Kind {
  if (/^\d{17}[\dXx]$/.test(text)) return 'id_number';
  if (/^[0-9A-Za-z]{4,20}$/.test(text) && /\d/.test(text)) return 'card';
  return text.length > 20 || /[:/?=&]/.test(text) ? 'health_code' : 'name';
}
