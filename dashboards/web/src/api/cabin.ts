/** What the cabin asks of the gateway. The shapes are those of its OpenAPI document (docs/api.md). */
import { ask } from './client.ts';
import type { components } from './schema.d.ts';

type Schemas = components['schemas'];

export type Visit = Schemas['Visit'];
export type Version = Schemas['Version'];
export type Reading = Schemas['Reading'];
export type Quantity = Schemas['Quantity'];
export type CriticalValue = Schemas['CriticalValue'];
export type PreviousValue = Schemas['PreviousValue'];
export type FollowUp = Schemas['FollowUp'];
export type Person = Schemas['Person'];
export type Resident = Schemas['ResidentRow'];
export type ResidentSheet = Schemas['ResidentSheet'];
export type Counts = Schemas['VisitCounts'];
export type Cabin = Schemas['Cabin'];
export type PrintJob = Schemas['PrintJob'];
export type Naming = PrintJob['naming'];
export type Identity = Partial<Schemas['Identity']> & { name: string };

/** How a visit begins: with a registered resident, a new one, or nobody. */
export interface NewVisit { room: string; by: 'card' | 'code' | 'worker'; resident?: string; identity?: Identity; consent?: string }
export type Decision = 'repeat' | 'refer' | 'handled';
/** A reading that a person writes down. */
export interface Written { quantity: Quantity; value: number }
export interface Context { glucose_time?: 'fasting' | 'after_meal' | 'random' }

/** Whether nothing more will happen to a job. */
export const isOver = (job: PrintJob) => job.state === 'printed' || job.state === 'cancelled' || job.state === 'failed';

const json = async <T>(method: string, path: string, body?: unknown) => (await ask(method, path, body)).json() as Promise<T>;
const part = encodeURIComponent;

export const cabinApi = {
  cabin: () => json<Cabin>('GET', '/api/v1/cabin'),
  visit: (id: string, reveal: boolean) => json<Visit>('GET', `/api/v1/visits/${part(id)}${reveal ? '?reveal=true' : ''}`),
  visits: (from: number, to: number) => json<Visit[]>('GET', `/api/v1/visits?from=${from}&to=${to}`),
  counts: (from: number, to: number) => json<Counts>('GET', `/api/v1/visits/counts?from=${from}&to=${to}`),
  open: (visit: NewVisit) => json<Visit>('POST', '/api/v1/visits', visit),
  end: (id: string, ending: 'completed' | 'abandoned') => json<Visit>('POST', `/api/v1/visits/${part(id)}/end`, { ending }),
  enter: (id: string, entered: { readings: Written[]; why: string; context?: Context }) => json<Version>('POST', `/api/v1/visits/${part(id)}/measurements`, entered),
  pressure: (id: string, begins: boolean) => json<Visit>('POST', `/api/v1/visits/${part(id)}/pressure`, { begins }),
  critical: (id: string, answer: { measurement: string; quantity: Quantity; read_back: string; decision: Decision }) => json<Visit>('POST', `/api/v1/visits/${part(id)}/critical`, answer),
  referral: async (id: string) => (await ask('GET', `/api/v1/visits/${part(id)}/referral`)).blob(),
  slip: async (id: string, name: Naming) => (await ask('GET', `/api/v1/visits/${part(id)}/slip?name=${name}`)).blob(),
  print: (id: string, name: Naming) => json<PrintJob>('POST', `/api/v1/visits/${part(id)}/print`, { name }),
  printJobs: () => json<PrintJob[]>('GET', '/api/v1/print'),
  cancelPrint: (job: number) => json<PrintJob>('POST', `/api/v1/print/${job}/cancel`, {}),
  unassigned: () => json<Version[]>('GET', '/api/v1/measurements/unassigned?limit=1000'),
  versions: (id: string) => json<Version[]>('GET', `/api/v1/measurements/${part(id)}`),
  assign: (id: string, visit: string | null, why: string) => json<Version>('POST', `/api/v1/measurements/${part(id)}/assign`, { visit, why }),
  correct: (id: string, readings: Written[], why: string) => json<Version>('POST', `/api/v1/measurements/${part(id)}/correct`, { readings, why }),
  withdraw: (id: string, why: string) => json<Version>('POST', `/api/v1/measurements/${part(id)}/withdraw`, { why }),
  search: (text: string) => json<Resident[]>('POST', '/api/v1/residents/search', { text }),
  followUp: () => json<Resident[]>('GET', '/api/v1/residents/follow-up'),
  sheet: (pseudonym: string, reveal: boolean) => json<ResidentSheet>('GET', `/api/v1/residents/${part(pseudonym)}${reveal ? '?reveal=true' : ''}`),
  change: (pseudonym: string, identity: Identity) => json<unknown>('POST', `/api/v1/residents/${part(pseudonym)}`, identity),
  merge: (from: string, into: string, why: string) => json<unknown>('POST', `/api/v1/residents/${part(from)}/merge`, { into, why }),
};
