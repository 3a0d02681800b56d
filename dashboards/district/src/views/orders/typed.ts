/** What a person types to confirm an order: words of either language, as people write them. */
const CLASSES: Record<string, string> = { 演练: 'Exercise', drill: 'Exercise', exercise: 'Exercise', 实战: 'Actual', actual: 'Actual' };

export function classTyped(text: string): string | null {
  return CLASSES[text.trim().toLowerCase()] ?? null;
}

export function countTyped(text: string): number | null {
  return /^\s*\d{1,6}\s*$/.test(text) ? Number(text) : null;
}

/** An argument as a shell takes it. */
export function quoted(word: string): string {
  return /^[\w./:@=-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

export interface Draft { kind: 'enter' | 'return' | 'cancel' | 'stop'; class_: 'Exercise' | 'Actual'; mode: string; plan: string; supersedes: string; seq: number; centres: string[] }

/** The commands of the signing machine that write and sign the order. */
export function commands(draft: Draft): string {
  const class_ = draft.class_ === 'Actual' ? 'actual' : 'exercise';
  const file = draft.kind === 'enter' || draft.kind === 'return' ? draft.plan : '';
  const plans = draft.centres.map((centre) => `--plan ${quoted(`${centre}:${file}`)}`);
  const ends = draft.kind === 'cancel' ? [`--supersedes ${quoted(draft.supersedes)}`] : [];
  const words = [`linli order new --kind ${draft.kind} --class ${class_} --mode ${quoted(draft.mode)} --seq ${draft.seq}`, ...ends, ...plans, '-o order.cbor'];
  return `${words.join(' \\\n  ')}\nlinli order show order.cbor\nlinli order sign order.cbor --key KEY-OF-ONE.key\nlinli order sign order.cbor --key KEY-OF-ANOTHER.key\n`;
}

/** Largest file that is taken, bytes: an order of 256 KiB in its text form. What is too long for an order the district tells. */
export const LARGEST = 2 * 256 * 1024;

/** The text of an order for the district: its text form as it is, bytes as base64. */
export function asText(bytes: Uint8Array): string {
  const text = new TextDecoder().decode(bytes);
  if (/^\s*LLN1:/.test(text)) return text.trim();
  let binary = '';
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary);
}
