/** What the page knows of the gateway: read once, kept fresh by the event stream, read again after each gap. */
import { api, Refused } from './client.ts';
import { Stream } from './stream.ts';
import { told } from './told.svelte.ts';
import type { Mode } from './mode.ts';
import type { Drafts } from './orders.ts';
import type { Alarm, Centre, Device, Kiosk, Status } from './types.ts';

const KINDS = ['hb', 'values', 'alarm', 'kiosk', 'mode', 'order', 'food', 'visit', 'measurement', 'scan', 'print', 'missed'] as const;

/** What changes without an event is read again this often. */
const SLOW_MS = 15_000;

/** Events come in bursts; one reading answers a burst. */
const BURST_MS = 150;
const LATER_MS = 1500;

/** A stream that has not opened by then is no reason to show nothing. */
const FIRST_MS = 300;

/** Something read: its value, or why there is none yet. */
export interface Read<T> {
  value: T | null;
  refused: Refused | null;
}

const nothing = <T>(): Read<T> => ({ value: null, refused: null });

class Live {
  centre = $state.raw<Read<Centre>>(nothing());
  devices = $state.raw<Read<Map<string, Device>>>(nothing());
  alarms = $state.raw<Read<Alarm[]>>(nothing());
  kiosks = $state.raw<Read<Kiosk[]>>(nothing());
  mode = $state.raw<Read<Mode>>(nothing());
  /** Orders that wait for signatures, and alert messages. */
  drafts = $state.raw<Read<Drafts>>(nothing());
  status = $state.raw<Read<Status>>(nothing());
  /** Rises when a visit or a measurement has changed. */
  cabin = $state(0);
  /** The gateway's time, Unix milliseconds, once a second. */
  now = $state(Date.now());
  /** Seconds without a sign of life; 0 while the stream runs. */
  brokenFor = $state(0);
  #offset = 0;
  #stream: Stream | null = null;
  #asked = 0;
  readonly #answered = new Map<Part, number>();
  #isRead = false;
  /** What was asked before is of somebody who may look no more. */
  #stopped = 0;
  #due = new Set<string>();
  #whenBroken: () => void = () => {};

  #cabinTimer: ReturnType<typeof setTimeout> | undefined;
  #timers: ReturnType<typeof setTimeout>[] = [];

  /** Begins to watch, or begins anew. */
  restart(): void {
    this.#end();
    this.#isRead = false;
    this.#stream = new Stream({
      open: () => new EventSource(`/api/v1/events?topics=${KINDS.join(',')}`) as never,
      kinds: KINDS,
      onOpen: () => void this.resync(),
      // It may be the log-in that ended.
      onError: () => this.#whenBroken(),
      onEvent: (kind, data) => this.#take(kind, data),
      now: () => performance.now(),
      later: (call, ms) => void setTimeout(call, ms),
    });
    // What is read before the stream is open would have to be read again.
    const first = setTimeout(() => { if (!this.#isRead) void this.resync(); }, FIRST_MS);
    this.#timers = [setInterval(() => this.#tick(), 1000), setInterval(() => void this.#slow(), SLOW_MS), first];
  }

  /** Watches no longer, and forgets what it saw: whoever looked may look no more. */
  stop(): void {
    this.#end();
    this.#stopped = this.#asked += 1;
    told.forget();
    this.centre = this.devices = this.alarms = this.kiosks = this.mode = this.drafts = this.status = nothing() as never;
  }

  #end(): void {
    this.#stream?.close();
    this.#stream = null;
    this.#timers.forEach(clearTimeout);
    this.brokenFor = 0;
  }

  /** `call` is called when the stream breaks. */
  whenBroken(call: () => void): void {
    this.#whenBroken = call;
  }

  /** Reads everything again. */
  async resync(): Promise<void> {
    this.#isRead = true;
    this.cabin += 1;
    told.forget();
    await Promise.all([this.#read('centre'), this.#read('devices'), this.#read('alarms'), this.#read('kiosks'), this.#read('mode'), this.#read('drafts'), this.#read('status')]);
  }

  /** Reads one part again, after an act. */
  async again(what: Part): Promise<void> {
    await this.#read(what);
  }

  #tick(): void {
    this.#stream?.watch();
    this.now = Date.now() + this.#offset;
    const silence = this.#stream?.silence ?? 0;
    this.brokenFor = this.#stream?.isBroken ? Math.floor(silence / 1000) : 0;
  }

  async #slow(): Promise<void> {
    if (this.brokenFor === 0) await Promise.all([this.#read('status'), this.#read('centre'), this.#read('mode'), this.#read('drafts')]);
  }

  #take(kind: string, data: string): void {
    if (kind === 'hb') this.#clock(JSON.parse(data).at);
    else if (kind === 'values') this.#values(JSON.parse(data));
    else if (kind === 'visit' || kind === 'measurement') this.#cabinSoon();
    else if (kind === 'scan' || kind === 'print') told.take(kind, data);
    else if (kind === 'missed') void this.resync();
    else if (kind === 'alarm') this.#soon(['alarms']);
    else if (kind === 'kiosk') this.#soon(['kiosks']);
    else if (kind === 'mode' || kind === 'order') {
      this.#soon(['mode', 'centre', 'drafts']);
      this.#later();
    }
  }

  #clock(at: number): void {
    this.#offset = at - Date.now();
    this.now = at;
  }

  #values(body: { at: number; devices: Device[] }): void {
    this.#clock(body.at);
    const devices = new Map(this.devices.value ?? []);
    // What the fire panel says is part of the mode of every room.
    const fire = (device?: Device) => device?.points.find((point) => point.point === 'fire_alarm')?.value;
    if (body.devices.some((device) => fire(device) !== fire(devices.get(device.device)))) this.#soon(['mode', 'centre']);
    for (const device of body.devices) devices.set(device.device, device);
    this.devices = { value: devices, refused: null };
  }

  /** Events come in bursts: the cabin is read once for a burst. */
  #cabinSoon(): void {
    if (this.#cabinTimer !== undefined) return;
    this.#cabinTimer = setTimeout(() => {
      this.#cabinTimer = undefined;
      this.cabin += 1;
    }, BURST_MS / 3);
  }

  /** The sum of the centre follows the mode switch a moment later. */
  #later(): void {
    setTimeout(() => void this.#read('centre'), LATER_MS);
  }

  #soon(parts: Part[]): void {
    for (const part of parts) {
      if (this.#due.has(part)) continue;
      this.#due.add(part);
      setTimeout(() => {
        this.#due.delete(part);
        void this.#read(part);
      }, BURST_MS);
    }
  }

  async #read(part: Part): Promise<void> {
    const turn = (this.#asked += 1);
    // An answer that comes after that of a later question says what was before.
    const isLate = () => turn < Math.max(this.#answered.get(part) ?? 0, this.#stopped);
    const take = (read: Read<unknown>) => {
      this.#answered.set(part, turn);
      (this as Record<Part, Read<unknown>>)[part] = read;
    };
    try {
      const found = part === 'devices' ? new Map((await api.devices()).map((device) => [device.device, device])) : await api[part]();
      if (!isLate()) take({ value: found, refused: null });
    } catch (error) {
      if (isLate()) return;
      const refused = error instanceof Refused ? error : new Refused(0, String(error));
      // The last value stays: its age shows how old it is.
      const kept = refused.status === 401 || refused.status === 403 ? null : this[part].value;
      take({ value: kept, refused });
    }
  }
}

export type Part = 'centre' | 'devices' | 'alarms' | 'kiosks' | 'mode' | 'drafts' | 'status';

export const live = new Live();
