/** Reads the logs of the record. The gateway gives a thousand entries at a time. */
import { ask } from '../../api/client.ts';

export const RECORDS = ['mode', 'accounts', 'nodes', 'access', 'alarms'] as const;
export type RecordName = (typeof RECORDS)[number];
type Head = { log: RecordName; count: number };

/** The text of a log, from the first entry that is there to the last of now: a look at the record is an entry too. */
export async function take(name: RecordName): Promise<string> {
  const heads = (await (await ask('GET', '/api/v1/record/heads')).json()) as Head[];
  const end = heads.find((head) => head.log === name)?.count ?? 0;
  let text = '';
  for (let from = 0; from < end; ) {
    const limit = Math.min(1000, end - from);
    const page = await (await ask('GET', `/api/v1/record/${name}?from=${from}&limit=${limit}`)).text();
    const last = page.trimEnd().split('\n').at(-1);
    if (!last) break;
    text += page;
    from = (JSON.parse(last) as { n: number }).n + 1;
  }
  return text;
}
