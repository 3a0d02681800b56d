/**
 * Who stands before this page: nobody, an enrolled screen, or a person. The gateway keeps that in cookies and says it at
 * `GET /api/v1/session`, with what one may do; nothing on the screens decides that.
 */
import { ask, Refused, whenRefused } from './client.ts';

/** What a log-in may allow (`permission.rs` of the gateway's accounts). */
export type Permission = 'view' | 'alarms' | 'visits' | 'export' | 'food' | 'tasks' | 'orders' | 'commands' | 'service' | 'nodes' | 'configure' | 'records' | 'accounts' | 'stop' | 'own';

/** How one can log in. */
export type Proof =
  | { account: string; password: string; code: string }
  | { badge: string; pin: string };

/** What a new account needs besides its password or PIN; shown once. */
export interface Enrolled { account: string; totp?: string; badge?: string; qr: string[] }

/** Someone of the demonstration. */
export interface Visitor { account: string; name: string; english: string; role: string }

interface Told { account: string; roles: string[]; screen: string | null; locked: boolean; may: Permission[] }

/** The lock of an enrolled screen falls on the gateway; the page notices it within this time. */
const LOOK_MS = 5_000;
/** While nothing answers, it is asked again. */
const AGAIN_MS = 2_000;

class Session {
  /** Whether the gateway has said who is here. */
  isKnown = $state(false);
  /** The person's account; empty for nobody. */
  name = $state('');
  /** The enrolled screen that this page is; empty for none. */
  screen = $state('');
  /** Whether the person has to enter the PIN again. */
  isLocked = $state(false);
  /** Whether the log-in dialog is open, and what is done after it. */
  isAsking = $state(false);
  /** What the person who is logged in may not do, and somebody else would. */
  lacking = $state<Permission | null>(null);
  /** The people of the demonstration; empty at a real centre. */
  visitors = $state.raw<Visitor[]>([]);
  #may = $state.raw<ReadonlySet<Permission>>(new Set());
  #then: { act: () => void; needs: Permission } | null = null;
  #changed: (() => void)[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** Whether a person is logged in, and the screen not locked. */
  get isIn(): boolean {
    return this.name !== '' && !this.isLocked;
  }

  may(what: Permission): boolean {
    return this.#may.has(what);
  }

  whenChanged(call: () => void): void {
    this.#changed.push(call);
  }

  async start(): Promise<void> {
    whenRefused(() => void this.check());
    await this.check();
    this.visitors = await ask('GET', '/api/v1/demo').then((answer) => answer.json() as Promise<Visitor[]>, () => []);
    setInterval(() => { if (this.screen && this.isIn) void this.check(); }, LOOK_MS);
  }

  /** Asks the gateway who is here. */
  async check(): Promise<void> {
    clearTimeout(this.#timer);
    try {
      this.#take((await (await ask('GET', '/api/v1/session')).json()) as Told);
    } catch (error) {
      const status = error instanceof Refused ? error.status : 0;
      if (status === 401 || status === 403) this.#take(null);
      else this.#timer = setTimeout(() => void this.check(), AGAIN_MS);
    }
  }

  /** Throws `Refused` when it was wrong. */
  async logIn(proof: Proof): Promise<void> {
    await ask('POST', '/api/v1/session', 'code' in proof && !proof.code ? { account: proof.account, password: proof.password } : proof);
    await this.#goOn();
  }

  async visit(account: string): Promise<void> {
    await ask('POST', `/api/v1/demo/${encodeURIComponent(account)}`);
    await this.#goOn();
  }

  /** The PIN again, on a locked screen. */
  async unlock(secret: string): Promise<void> {
    await ask('POST', '/api/v1/session/renew', { secret });
    await this.#goOn();
  }

  async setUp(account: string, code: string, secret: string): Promise<Enrolled> {
    return (await ask('POST', '/api/v1/session/enrol', { account, code, secret })).json() as Promise<Enrolled>;
  }

  async enrolScreen(code: string): Promise<void> {
    await ask('POST', '/api/v1/session/screen', { code });
    await this.#goOn();
  }

  /** Locks a shared screen, and logs out elsewhere. */
  async leave(): Promise<void> {
    const isShared = this.screen !== '';
    await (isShared ? ask('POST', '/api/v1/session/lock') : ask('DELETE', '/api/v1/session')).catch(() => {});
    await this.check();
  }

  async logOut(): Promise<void> {
    await ask('DELETE', '/api/v1/session').catch(() => {});
    await this.check();
  }

  /** Does it if whoever is here may, else asks for a log-in first. */
  need(needs: Permission, act: () => void): void {
    if (this.may(needs)) return act();
    this.#then = { act, needs };
    this.lacking = this.isIn ? needs : null;
    this.isAsking = true;
  }

  /** Opens the log-in. */
  open(): void {
    this.lacking = null;
    this.isAsking = true;
  }

  cancel(): void {
    this.isAsking = false;
    this.#then = null;
  }

  async #goOn(): Promise<void> {
    await this.check();
    const then = this.#then;
    if (then && !this.may(then.needs)) {
      this.lacking = then.needs;
      return;
    }
    this.cancel();
    then?.act();
  }

  #take(told: Told | null): void {
    const before = `${this.name} ${this.screen} ${this.isLocked} ${this.isKnown}`;
    // An enrolled screen has an account too, but nobody logged in with it.
    this.name = !told || told.roles.includes('screen') ? '' : told.account;
    this.screen = told?.screen ?? '';
    this.isLocked = told?.locked ?? false;
    this.#may = new Set(told?.may ?? []);
    this.isKnown = true;
    if (before !== `${this.name} ${this.screen} ${this.isLocked} ${this.isKnown}`) this.#changed.forEach((call) => call());
  }
}

export const session = new Session();
