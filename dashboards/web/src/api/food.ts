/** Samples and signed days of the canteen. */
import { ask } from './client.ts';
import type { components } from './schema.d.ts';

type Schemas = components['schemas'];

export type Sample = Schemas['Sample'];
export type Signed = Pick<Schemas['Signed'], 'number' | 'day' | 'by' | 'at' | 'note'>;

/** How many days a sheet is about. */
export type Span = 'day' | 'week' | 'month';

const act = async <T>(body: object) => (await (await ask('POST', '/api/v1/food', body)).json()) as T;

export const food = {
  samples: () => act<Sample[]>({ do: 'samples' }),
  retain: (of: { food: string; grams: number; cabinet: string; meal?: string; by: string }) => act<Sample>({ do: 'retain', ...of }),
  destroy: (sample: string, by: string, why?: string) => act<Sample>({ do: 'destroy', sample, by, ...(why ? { why } : {}) }),
  signed: () => act<Signed[]>({ do: 'signed' }),
  sign: (day: string, by: string, note: string) => act<Signed>({ do: 'sign', day, by, ...(note ? { note } : {}) }),
  record: async (day: string, span: Span = 'day', form: 'pdf' | 'csv' = 'pdf') =>
    (await ask('GET', `/api/v1/food/record?form=${form}&span=${span}&day=${encodeURIComponent(day)}`)).blob(),
};
