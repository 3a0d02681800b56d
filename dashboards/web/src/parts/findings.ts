/** A finding of the gateway in the present language. */
import { FINDINGS } from '../words/findings.ts';
import { words } from '../words/words.svelte.ts';

export function plain(finding: string): string {
  if (words.language === 'en') return finding;
  const row = FINDINGS.find(([looks]) => looks.test(finding));
  return row ? finding.replace(row[0], row[1]) : finding;
}
