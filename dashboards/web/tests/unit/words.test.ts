// No text is missing in a language, none stands in a component.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'svelte/compiler';
import { expect, test } from 'vitest';
import { en } from '../../src/words/en.ts';
import { zh } from '../../src/words/zh.ts';

const SRC = join(import.meta.dirname, '../../src');

function leaves(table: object, path = ''): [string, unknown][] {
  return Object.entries(table).flatMap(([key, value]) =>
    value && typeof value === 'object' ? leaves(value, `${path}.${key}`) : [[`${path}.${key}`, value] as [string, unknown]],
  );
}

test('every text is there in both languages', () => {
  const [chinese, english] = [new Map(leaves(zh)), new Map(leaves(en))];
  expect([...english.keys()].sort()).toEqual([...chinese.keys()].sort());
  for (const [key, value] of [...chinese, ...english]) {
    if (typeof value === 'string') expect(value.trim(), key).not.toBe('');
    expect(typeof value, key).toBe(typeof chinese.get(key));
  }
});

test('the English table is English, the Chinese one is not', () => {
  const own = ['.otherLanguage', '.otherShort', '.colon', '.and'];
  for (const [key, value] of leaves(en)) if (typeof value === 'string' && !own.includes(key)) expect(value, key).not.toMatch(/\p{Script=Han}/u);
  const latin = leaves(zh).filter(([key, value]) => typeof value === 'string' && !/\p{Script=Han}/u.test(value) && !own.includes(key));
  expect(latin.map(([key]) => key)).toEqual([]);
});

test('English has quotation marks that a Chinese font does not draw as wide as a character', () => {
  for (const file of ['words/en.ts', 'words/shared/en.ts']) expect(readFileSync(join(SRC, file), 'utf8').match(/\w*[‘’“”]\w*/gu) ?? []).toEqual([]);
});

test('messages with a number say it', () => {
  for (const table of [zh, en]) {
    expect(table.app.alarmsOpen(7)).toContain('7');
    expect(table.time.ago(200)).toMatch(/3/);
    expect(table.time.left(7200)).toMatch(/2/);
    expect(table.overview.of(2, 3)).toMatch(/2.*3/);
  }
});

interface Node { type?: string; data?: string; name?: string; value?: unknown; [key: string]: unknown }

/** Texts and spoken attributes of a template that are written out. */
function written(node: unknown, found: string[] = []): string[] {
  if (Array.isArray(node)) node.forEach((one) => written(one, found));
  else if (node && typeof node === 'object') {
    const { type, data, name, value } = node as Node;
    if (type === 'Text' && data && /[\p{L}]{2,}/u.test(data)) found.push(data.trim());
    if (type === 'StyleDirective') return found;
    if (type === 'Attribute') {
      if (['aria-label', 'title', 'alt', 'placeholder', 'label', 'word'].includes(name ?? '')) written(value, found);
      return found;
    }
    for (const [key, child] of Object.entries(node)) if (key !== 'metadata' && key !== 'parent') written(child, found);
  }
  return found;
}

/** Names and units that are the same in every language. */
const COMMON = ['°C', 'ms'];

test('no component carries a text of its own', () => {
  for (const name of readdirSync(SRC, { recursive: true, encoding: 'utf8' })) {
    if (!name.endsWith('.svelte')) continue;
    const tree = parse(readFileSync(join(SRC, name), 'utf8'), { modern: true });
    expect(written(tree.fragment).filter((text) => !COMMON.includes(text)), name).toEqual([]);
    expect(readFileSync(join(SRC, name), 'utf8'), name).not.toMatch(/['">`][^'"<`]*\p{Script=Han}{2,}/u);
  }
});
