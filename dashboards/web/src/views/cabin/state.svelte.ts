/** What the cabin's page knows: the rooms, the visit that is open here, readings that nobody owns, the day. */
import { cabinApi, type Cabin, type Counts, type NewVisit, type Version, type Visit } from '../../api/cabin.ts';
import { Refused } from '../../api/client.ts';
import { session } from '../../api/session.svelte.ts';

const ROOM = 'linli.cabin.room';
/** A claim can be taken back this long. */
export const UNDO_MS = 10_000;
const DAY_MS = 86_400_000;

/** The dialogs of the page. They stay open across a lock. */
export type Open = 'enter' | 'correct' | 'end' | 'day' | 'follow-up' | 'outreach' | 'supersede' | { resident: string } | { slip: string } | { register: { text: string } } | null;

class CabinState {
  cabin = $state.raw<Cabin | null>(null);
  room = $state(localStorage.getItem(ROOM) ?? '');
  visit = $state.raw<Visit | null>(null);
  unclaimed = $state.raw<Version[]>([]);
  counts = $state.raw<Counts | null>(null);
  refused = $state.raw<Refused | null>(null);
  isRevealed = $state(false);
  open = $state<Open>(null);
  /** A visit that is begun once it is said that the open one ends. */
  next: NewVisit | null = null;
  claimed = $state.raw<{ id: string; text: string; until: number } | null>(null);
  said = $state('');
  /** Readings of everything that were begun, and the latest that is shown: an answer that comes late replaces no newer one. */
  #begun = 0;
  #shown = 0;

  constructor() {
    // Another person sees it anew, or not at all.
    session.whenChanged(() => this.forget());
  }

  forget(): void {
    [this.cabin, this.visit, this.unclaimed, this.counts, this.claimed] = [null, null, [], null, null];
    this.isRevealed = false;
    // What was asked for before comes too late.
    this.#shown = ++this.#begun;
  }

  choose(room: string): void {
    this.room = room;
    localStorage.setItem(ROOM, room);
    this.visit = null;
    this.isRevealed = false;
    void this.read();
  }

  /** Reads everything again. */
  async read(): Promise<void> {
    const turn = ++this.#begun;
    try {
      const cabin = await cabinApi.cabin();
      if (turn < this.#shown) return;
      this.cabin = cabin;
      if (!cabin.rooms.some((one) => one.room === this.room)) this.room = cabin.rooms[0]?.room ?? '';
      const id = cabin.rooms.find((one) => one.room === this.room)?.visit ?? null;
      if (id !== this.visit?.id) this.isRevealed = false;
      const [from, to] = today();
      const [visit, unclaimed, counts] = await Promise.all([id ? cabinApi.visit(id, this.isRevealed) : null, cabinApi.unassigned(), cabinApi.counts(from, to)]);
      if (turn < this.#shown) return;
      this.#shown = turn;
      this.visit = visit && !visit.ended ? visit : null;
      this.unclaimed = unclaimed.filter((version) => version.room === this.room && version.unassigned !== 'test' && version.status !== 'entered-in-error').reverse();
      this.counts = counts;
      this.refused = null;
    } catch (error) {
      if (turn >= this.#shown) this.refused = error instanceof Refused ? error : new Refused(0, String(error));
    }
  }

  async reveal(): Promise<void> {
    this.isRevealed = true;
    await this.read();
  }

  /** Begins a visit; asks first where another one would end. */
  async begin(visit: Omit<NewVisit, 'room'>): Promise<void> {
    this.next = { ...visit, room: this.room };
    if (this.visit) {
      this.open = 'supersede';
      return;
    }
    await this.beginNext();
  }

  async beginNext(): Promise<void> {
    if (!this.next) return;
    await cabinApi.open(this.next);
    this.next = null;
    this.open = null;
    await this.read();
  }

  async claim(version: Version, text: string, why: string): Promise<void> {
    if (!this.visit) return;
    await cabinApi.assign(version.id, this.visit.id, why);
    this.claimed = { id: version.id, text, until: Date.now() + UNDO_MS };
    await this.read();
  }

  async undo(why: string): Promise<void> {
    const claimed = this.claimed;
    if (!claimed) return;
    this.claimed = null;
    await cabinApi.assign(claimed.id, null, why);
    await this.read();
  }
}

/** The day until now, by the clock of the page. */
export function today(): [number, number] {
  const from = new Date();
  from.setHours(0, 0, 0, 0);
  return [from.getTime(), from.getTime() + DAY_MS];
}

export const cabin = new CabinState();

/** What went wrong, in words. */
export function why(error: unknown, otherwise: string): string {
  return error instanceof Refused && error.message ? error.message : otherwise;
}
