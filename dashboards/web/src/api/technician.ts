/** What technicians ask: the configuration, lines, registers, nodes, what the district refused. */
import { ask, askSteps } from './client.ts';
import type { components } from './schema.d.ts';

type Schemas = components['schemas'];

export type Check = Schemas['ConfigurationCheck'];
export type Letter = Schemas['DeadLetter'];
export type Node = Schemas['NodeAnswer'];
export type Exchanges = Schemas['Exchanges'];

/** What a unit answered while a line is scanned; the last step has `result`. */
export interface ScanStep { unit?: number; last?: number; answer?: string; device?: string; profiles?: string[]; entry?: string; result?: string; found?: number; why?: string }
export type Table = 'holding' | 'input' | 'coil' | 'discrete';

const part = encodeURIComponent;
const json = async <T>(answer: Promise<Response>) => (await (await answer).json()) as T;

export const technician = {
  propose: (name: string, rooms: Schemas['Drawing']['rooms']) => json<Schemas['ProposalKept']>(ask('POST', '/api/v1/centre/proposals', { name, rooms })),
  check: () => json<Check>(ask('GET', '/api/v1/configuration')),
  reload: async () => (await ask('POST', '/api/v1/reload')).text(),
  scan: (line: string, first: number, last: number, onStep: (step: ScanStep) => void, end: AbortSignal) =>
    askSteps('GET', `/api/v1/lines/${part(line)}/scan?first=${first}&last=${last}`, undefined, onStep as never, end),
  registers: (line: string, unit: number, table: Table, start: number, count: number) =>
    json<{ words: number[] }>(ask('GET', `/api/v1/lines/${part(line)}/registers?unit=${unit}&table=${table}&start=${start}&count=${count}`)),
  node: (what: { do: string; device: string; most?: number }) => json<Node>(ask('POST', '/api/v1/nodes', what)),
  flash: (device: string, image: Blob, onStep: (step: Record<string, unknown>) => void, end: AbortSignal) =>
    askSteps('POST', `/api/v1/nodes/flash?devices=${part(device)}`, image, onStep, end),
  exchange: (device: string) => json<Exchanges>(ask('GET', `/api/v1/devices/${part(device)}/exchange`)),
  retry: (device: string) => json<{ online: boolean }>(ask('POST', `/api/v1/devices/${part(device)}/retry`)),
  letters: () => json<Letter[]>(ask('GET', '/api/v1/uplink/dead-letters')),
  sendAgain: (seq: number) => json<{ seq: number }>(ask('POST', `/api/v1/uplink/dead-letters/${seq}/send-again`)),
  support: async () => (await ask('GET', '/api/v1/support')).blob(),
  qr: async (text: string) => (await json<{ rows: string[] }>(ask('GET', `/api/v1/qr?text=${part(text)}`))).rows,
};
