/** An outreach file as the page reads it: what the header says without the secret, and its lines in parts. */
import type { OutreachPreview, OutreachReport, OutreachResident } from '../../api/outreach.ts';

/** The format that this page reads; the gateway says so again. */
const FORMAT = 'linli-outreach';
const VERSION = 1;
/** A header is a short line. */
const LONGEST_HEADER = 4096;
/** The longest line that the gateway opens, in characters. */
export const LONGEST_LINE = 3 << 19;
/** A larger file is no day in the field; the command line reads it. */
export const MOST_BYTES = 256 << 20;
/** Lines and characters of a request: one is answered well within a request's patience on the smallest box. */
const MOST_LINES = 20;
const MOST_CHARACTERS = 256 << 10;

export const SECRET = { least: 12, most: 256 } as const;

/** What can be wrong with a file before anything is asked of the gateway. */
export type WrongFile = 'empty' | 'none' | 'later' | 'large';

/** The header in the clear. */
export interface Head { line: string; from: string; made: number }

/** Reads the header of a file, or says why it is none. */
export async function headOf(file: Blob): Promise<Head | WrongFile> {
  if (file.size === 0) return 'empty';
  if (file.size > MOST_BYTES) return 'large';
  const [line = ''] = (await file.slice(0, LONGEST_HEADER).text()).split('\n', 1);
  let said: unknown;
  try {
    said = JSON.parse(line);
  } catch {
    return 'none';
  }
  if (typeof said !== 'object' || said === null) return 'none';
  const { format, version, from, made } = said as { format?: unknown; version?: unknown; from?: unknown; made?: unknown };
  if (format !== FORMAT) return 'none';
  if (typeof version === 'number' && version > VERSION) return 'later';
  if (typeof from !== 'string' || typeof made !== 'number') return 'none';
  return { line: line.trimEnd(), from, made };
}

/** Lines that belong to one request. */
export interface Part { number: number; lines: string[]; /** Bytes of the file that are read so far. */ read: number }

/** The lines after the header, in parts; the first part is one line, since it tells whether the secret is right. */
export async function* parts(file: Blob): AsyncGenerator<Part> {
  let [lines, characters, number, read]: [string[], number, number, number] = [[], 0, 2, 0];
  for await (const line of linesOf(file)) {
    read += line.length + 1;
    if (line === '') continue;
    if (lines.length && (number === 2 || lines.length >= MOST_LINES || characters + line.length > MOST_CHARACTERS)) {
      yield { number, lines, read: read - line.length - 1 };
      number += lines.length;
      [lines, characters] = [[], 0];
    }
    lines.push(line);
    characters += line.length;
  }
  if (lines.length) yield { number, lines, read: file.size };
}

/** A line that is longer than any that a box writes. */
export class TooLong extends Error {}

async function* linesOf(file: Blob): AsyncGenerator<string> {
  const reader = file.stream().pipeThrough(new TextDecoderStream()).getReader();
  let [rest, isHeader] = ['', true];
  for (;;) {
    const { done, value } = await reader.read();
    const split = (rest + (value ?? '')).split('\n');
    rest = done ? '' : (split.pop() ?? '');
    if (rest.length > LONGEST_LINE || split.some((line) => line.length > LONGEST_LINE + 1)) throw new TooLong();
    for (const line of split) {
      if (!isHeader) yield line.trimEnd();
      isHeader = false;
    }
    if (done) return;
  }
}

const COUNTS = ['visits', 'visits_known', 'measurements', 'versions', 'documents', 'residents', 'residents_known', 'doubts', 'erased', 'expired'] as const;

export const nothing = (): OutreachReport => ({ visits: 0, visits_known: 0, measurements: 0, versions: 0, documents: 0, residents: 0, residents_known: 0, doubts: 0, erased: 0, expired: 0, conflicts: [], complete: false });

/** Two reports of one file. */
export function added(one: OutreachReport, other: OutreachReport): OutreachReport {
  const sum = { ...one, conflicts: [...(one.conflicts ?? []), ...(other.conflicts ?? [])], complete: one.complete || other.complete };
  for (const key of COUNTS) sum[key] = one[key] + other[key];
  return sum;
}

/** What a whole file would bring: who is in several parts is one person. */
export interface Foreseen { report: OutreachReport; residents: OutreachResident[]; numbered: number; otherKey: number }

export const unseen = (): Foreseen => ({ report: nothing(), residents: [], numbered: 0, otherKey: 0 });

export function foreseen(before: Foreseen, preview: OutreachPreview): Foreseen {
  const known = new Set(before.residents.map((one) => one.pseudonym));
  const fresh = preview.residents.filter((one) => !known.has(one.pseudonym));
  return { report: added(before.report, preview.report), residents: [...before.residents, ...fresh], numbered: before.numbered + preview.numbered, otherKey: before.otherKey + preview.other_key };
}

/** What a person looks at first: who may be somebody in the register, then who is new. */
const ORDER: OutreachResident['kind'][] = ['same_number', 'same_name', 'new', 'known'];

export const byKind = (residents: OutreachResident[]) => [...residents].sort((one, other) => ORDER.indexOf(one.kind) - ORDER.indexOf(other.kind));

/** Whether a reading would change anything here. */
export const isNews = ({ visits, measurements, versions, documents, residents }: OutreachReport) => visits + measurements + versions + documents + residents > 0;
