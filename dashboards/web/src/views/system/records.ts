/** Reads whole records. The gateway gives a thousand entries at a time. */
import { ask } from '../../api/client.ts';

export const RECORDS = ['mode', 'users', 'nodes', 'cabin'] as const;
export type RecordName = (typeof RECORDS)[number];

/** The text of a record, from its first entry to its last. The looks at health data are the latest thousand. */
export async function take(name: RecordName): Promise<string> {
  if (name === 'cabin') return (await ask('GET', '/api/v1/audit?limit=1000')).text();
  let text = '';
  for (let from = 0; ; ) {
    const page = await (await ask('GET', `/api/v1/${name}/record?from=${from}`)).text();
    const entries = page.split('\n').length - 1;
    if (entries === 0) return text;
    text += page;
    from += entries;
  }
}
