/** Outreach files (docs/cabin.md): made and read a part at a time, since a file may be longer than a request. */
import { ask } from './client.ts';
import type { components } from './schema.d.ts';

type Schemas = components['schemas'];

export type OutreachPage = Schemas['OutreachPage'];
export type OutreachReport = Schemas['OutreachReport'];
export type OutreachPreview = Schemas['OutreachPreview'];
export type OutreachResident = Schemas['OutreachResident'];
export type OutreachDoubt = Schemas['OutreachDoubt'];

/** Lines of a file; `number` is that of the first of them, the header is line 1. */
export interface Lines { header: string; number: number; lines: string[] }

const json = async <T>(method: string, path: string, body?: unknown) => (await ask(method, path, body)).json() as Promise<T>;

export const outreachApi = {
  /** The first page, or the one after `before`. */
  page: (secret: string, before: OutreachPage | null) => json<OutreachPage>('POST', '/api/v1/outreach/export', before ? { secret, header: before.header, number: before.number, next: before.next } : { secret }),
  preview: (secret: string, lines: Lines) => json<OutreachPreview>('POST', '/api/v1/outreach/preview', { secret, ...lines }),
  take: (secret: string, lines: Lines) => json<OutreachReport>('POST', '/api/v1/outreach/import', { secret, ...lines }),
  doubts: () => json<OutreachDoubt[]>('GET', '/api/v1/outreach/doubts'),
  apart: (pseudonym: string, why: string) => json<unknown>('POST', `/api/v1/outreach/doubts/${encodeURIComponent(pseudonym)}/apart`, { why }),
};
