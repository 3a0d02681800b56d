/** Orders that two people write at the screens, and alert messages that propose one. */
import { ask } from './client.ts';
import type { components } from './schema.d.ts';
import type { Signature } from './signing.ts';

type Schemas = components['schemas'];

export type Draft = Schemas['Draft'];
export type Drafts = Schemas['Drafts'];
export type AlertProposal = Schemas['AlertProposal'];
export type NewDraft = Schemas['NewDraft'];
/** What became of an order. */
export interface Outcome { result: string; reason?: string | null; code?: string | null; waits_for?: string[] }

const part = encodeURIComponent;
const json = async <T>(answer: Response) => (await answer.json()) as T;

export const orders = {
  draft: async (body: NewDraft) => json<Draft>(await ask('POST', '/api/v1/mode/drafts', body)),
  sign: async (draft: string, by: Signature, hash: string) =>
    json<{ draft: Draft | null; result: Outcome | null }>(await ask('POST', `/api/v1/mode/drafts/${part(draft)}/sign`, { ...by, hash })),
  withdraw: (draft: string) => ask('DELETE', `/api/v1/mode/drafts/${part(draft)}`),
  /** A signed order as it came: COSE, base 64, text with check digits, or an alert message. */
  give: async (bytes: Blob) => json<Outcome>(await ask('POST', '/api/v1/mode/order', bytes)),
  /** The code of an order that waits was compared by telephone. */
  confirm: async (code: string) => json<Outcome>(await ask('POST', `/api/v1/mode/order?code=${part(code)}`)),
  /** The password again, without which the second of two persons does not count. */
  renew: (secret: string) => ask('POST', '/api/v1/session/renew', { secret }),
  report: async (query: string) => (await ask('GET', `/api/v1/mode/report${query}`)).blob(),
};

/** What a person of the demonstration has in the pocket; nothing at a real centre. */
export async function pocket(account: string): Promise<{ password: string; drill_key: string | null; key: string | null } | null> {
  return ask('GET', `/api/v1/demo/secrets/${part(account)}`).then((answer) => answer.json(), () => null);
}
