/** An outreach file that is made or read. It goes on while the page is hidden; the secret is nowhere but here. */
import { Refused } from '../../api/client.ts';
import { outreachApi, type OutreachDoubt, type OutreachPage, type OutreachReport } from '../../api/outreach.ts';
import { session } from '../../api/session.svelte.ts';
import { save } from '../../parts/save.ts';
import type { Words } from '../../words/zh.ts';
import { added, type Foreseen, foreseen, type Head, headOf, isNews, nothing, parts, SECRET, TooLong, unseen } from './outreach-file.ts';
import { cabin } from './state.svelte.ts';

/** What is being done: nothing, a file is made, it is looked through, the preview stands, it is taken, it was taken. */
export type Phase = 'idle' | 'making' | 'looking' | 'ready' | 'taking' | 'taken';
type Said = (t: Words) => string;

class OutreachState {
  phase = $state<Phase>('idle');
  secret = $state('');
  file = $state.raw<File | null>(null);
  head = $state.raw<Head | null>(null);
  /** Of a file that is read, the share that is done; of one that is made, the visits. */
  progress = $state(0);
  problem = $state.raw<Said | null>(null);
  preview = $state.raw<Foreseen | null>(null);
  report = $state.raw<OutreachReport | null>(null);
  made = $state.raw<{ name: string; visits: number; open: number } | null>(null);
  doubts = $state.raw<OutreachDoubt[] | null>(null);
  /** What was begun before `forget` or `stop` ends by itself. */
  #turn = 0;

  constructor() {
    session.whenChanged(() => this.forget());
  }

  get isBusy(): boolean {
    return this.phase === 'making' || this.phase === 'looking' || this.phase === 'taking';
  }

  /** Another person begins anew. */
  forget(): void {
    this.#turn += 1;
    [this.phase, this.secret, this.progress] = ['idle', '', 0];
    [this.file, this.head, this.problem, this.preview, this.report, this.made, this.doubts] = [null, null, null, null, null, null, null];
  }

  /** Ends what is being done. What was taken stays. */
  stop(): void {
    this.#turn += 1;
    if (this.phase === 'taking') this.problem = (t) => t.outreach.stopped;
    this.phase = 'idle';
  }

  /** Looks at the header of a file that was chosen. */
  async choose(file: File): Promise<void> {
    [this.phase, this.problem, this.preview, this.report, this.file, this.head] = ['idle', null, null, null, null, null];
    const head = await headOf(file).catch(() => 'none' as const);
    if (typeof head === 'string') {
      this.problem = (t) => t.outreach.wrong[head](file.name);
      return;
    }
    [this.file, this.head] = [file, head];
  }

  /** Makes a file of every visit that has ended, and gives it to the person. */
  async make(centre: string): Promise<void> {
    await this.#run('making', 'idle', async (isWanted) => {
      const pieces: Blob[] = [];
      let [page, visits, open]: [OutreachPage | null, number, number] = [null, 0, 0];
      do {
        const next: OutreachPage = await outreachApi.page(this.secret.trim(), page);
        if (!isWanted()) return;
        pieces.push(new Blob([...(page ? [] : [next.header]), ...next.lines].map((line) => `${line}\n`)));
        [page, visits, open] = [next, visits + next.visits, open + next.open];
        this.progress = visits;
      } while (page.next !== null);
      const name = `${centre}-${new Date().toISOString().slice(0, 16).replace(/[-:]/g, '')}.linli`;
      save(new Blob(pieces, { type: 'application/octet-stream' }), name);
      this.made = { name, visits, open };
    });
  }

  /** Opens every line of the file, and says what it would bring. Nothing is taken. */
  async look(): Promise<void> {
    this.preview = this.report = null;
    await this.#run('looking', 'ready', async (isWanted) => {
      let sum = unseen();
      await this.#each(isWanted, async (lines) => (sum = foreseen(sum, await outreachApi.preview(this.secret.trim(), lines))));
      if (!isWanted()) return;
      if (!sum.report.complete) throw new Damaged((t) => t.outreach.cutOff);
      this.preview = sum;
    });
  }

  /** Takes what the preview showed. */
  async take(): Promise<void> {
    this.report = null;
    await this.#run('taking', 'taken', async (isWanted) => {
      let sum = nothing();
      await this.#each(isWanted, async (lines) => (sum = added(sum, await outreachApi.take(this.secret.trim(), lines))));
      if (isWanted()) this.report = sum;
    });
    await Promise.all([this.readDoubts(), cabin.read()]);
  }

  async readDoubts(): Promise<void> {
    if (!session.may('visits')) return;
    const turn = this.#turn;
    const doubts = await outreachApi.doubts().catch(() => null);
    if (turn === this.#turn && doubts) this.doubts = doubts;
  }

  /** Whether the preview has anything that is not here. */
  get isNews(): boolean {
    return this.preview !== null && isNews(this.preview.report);
  }

  async #each(isWanted: () => boolean, act: (lines: { header: string; number: number; lines: string[] }) => Promise<unknown>): Promise<void> {
    const [file, header] = [this.file, this.head?.line ?? ''];
    if (!file) return;
    for await (const { number, lines, read } of parts(file)) {
      try {
        await act({ header, number, lines });
      } catch (error) {
        const isOfTheFile = error instanceof Refused && error.status === 422;
        if (!isOfTheFile) throw error;
        throw new Damaged((t) => (number === 2 ? t.outreach.sealed : t.outreach.damaged(number, number + lines.length - 1)));
      }
      if (!isWanted()) return;
      this.progress = read / file.size;
    }
  }

  async #run(phase: Phase, after: Phase, act: (isWanted: () => boolean) => Promise<void>): Promise<void> {
    if (this.isBusy) return;
    const length = [...this.secret.trim()].length;
    const isTaking = phase === 'taking';
    [this.problem, this.made, this.progress] = [null, null, 0];
    if (length < SECRET.least || length > SECRET.most) {
      this.problem = (t) => t.outreach.wrongSecret(SECRET.least, SECRET.most);
      return;
    }
    const turn = ++this.#turn;
    this.phase = phase;
    try {
      await act(() => turn === this.#turn);
      if (turn === this.#turn) this.phase = after;
    } catch (error) {
      if (turn !== this.#turn) return;
      this.phase = 'idle';
      const what = reason(error);
      this.problem = (t) => (isTaking ? t.outreach.broken(what(t)) : what(t));
    }
  }
}

/** The file is not as a box made it. */
class Damaged extends Error {
  readonly said: Said;
  constructor(said: Said) {
    super();
    this.said = said;
  }
}

function reason(error: unknown): Said {
  if (error instanceof Damaged) return error.said;
  if (error instanceof TooLong) return (t) => t.outreach.tooLong;
  if (error instanceof Refused) return (t) => t.state.refused(error.message || t.state.unreachable);
  // The stick was pulled out, or the file was changed since it was chosen.
  return (t) => t.outreach.unreadable;
}

export const outreach = new OutreachState();
