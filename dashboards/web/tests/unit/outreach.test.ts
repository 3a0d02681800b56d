// An outreach file as the page reads it: what is none is known without the gateway, and no line is lost between two parts.
import { expect, test } from 'vitest';
import type { OutreachPreview } from '../../src/api/outreach.ts';
import { added, byKind, foreseen, headOf, isNews, LONGEST_LINE, MOST_BYTES, nothing, type Part, parts, TooLong, unseen } from '../../src/views/cabin/outreach-file.ts';

const HEADER = '{"format":"linli-outreach","version":1,"from":"van","made":1795428000123,"salt":"00"}';
const all = async (text: string): Promise<Part[]> => {
  const found: Part[] = [];
  for await (const part of parts(new Blob([text]))) found.push(part);
  return found;
};

test('a header is read, and what is none is named', async () => {
  expect(await headOf(new Blob([`${HEADER}\r\nAAAA\n`]))).toEqual({ line: HEADER, from: 'van', made: 1795428000123 });
  const wrong = (text: string) => headOf(new Blob([text]));
  expect(await wrong('')).toBe('empty');
  for (const none of ['id,name\n', '{"format":"zip"}\n', '[]', 'null', '{"format":"linli-outreach","version":1}', '\u0000\u0001']) expect(await wrong(none), none).toBe('none');
  expect(await wrong(HEADER.replace('"version":1', '"version":2'))).toBe('later');
  expect(await headOf({ size: MOST_BYTES + 1 } as Blob)).toBe('large');
});

test('the first part is one line, and every line is in one part under its number', async () => {
  const lines = Array.from({ length: 103 }, (_, at) => `line-${at}-`.padEnd(at === 50 ? 400_000 : 20, 'A'));
  for (const end of ['\n', '\r\n']) {
    const found = await all([HEADER, ...lines].join(end) + end);
    expect(found[0]).toMatchObject({ number: 2, lines: [lines[0]] });
    expect(found.flatMap((part) => part.lines)).toEqual(lines);
    let next = 2;
    for (const part of found) {
      expect(part.number).toBe(next);
      next += part.lines.length;
    }
    expect(found.length).toBeGreaterThan(5);
    expect(found.at(-1)?.read).toBe(HEADER.length + end.length + lines.reduce((sum, line) => sum + line.length + end.length, 0));
  }
  expect(await all(HEADER)).toEqual([]);
  for (const end of ['', '\nB\n']) expect(await all(`${HEADER}\n${'A'.repeat(LONGEST_LINE + 2)}${end}`).catch((error: unknown) => error instanceof TooLong)).toBe(true);
});

test('reports add up, and who is in two parts is one person', () => {
  const person = (pseudonym: string, kind: 'new' | 'known' | 'same_name') => ({ pseudonym, kind, name: '张**', person: {} });
  const preview = (visits: number, ...residents: ReturnType<typeof person>[]) => ({ from: 'van', made: 1, report: { ...nothing(), visits, conflicts: ['m'] }, residents, numbered: 1, other_key: 0 }) as unknown as OutreachPreview;
  const sum = foreseen(foreseen(unseen(), preview(2, person('A', 'new'), person('B', 'known'))), preview(1, person('A', 'known'), person('C', 'same_name')));
  expect(sum.report).toMatchObject({ visits: 3, conflicts: ['m', 'm'], complete: false });
  expect(byKind(sum.residents).map((one) => one.pseudonym)).toEqual(['C', 'A', 'B']);
  expect([sum.numbered, sum.otherKey]).toEqual([2, 0]);
  expect(added(nothing(), { ...nothing(), complete: true }).complete).toBe(true);
  expect([isNews(nothing()), isNews({ ...nothing(), visits_known: 3 }), isNews({ ...nothing(), versions: 1 })]).toEqual([false, false, true]);
});
