// No text is missing in a language, none stands in a component; no file is longer than its budget.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'svelte/compiler';
import { expect, test } from 'vitest';
import { en } from '../../src/words/en.ts';
import { zh } from '../../src/words/zh.ts';

const SRC = join(import.meta.dirname, '../../src');
const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter((name) => /\.(ts|svelte)$/.test(name));
const MOST_LINES = 200;

function leaves(table: object, path = ''): [string, unknown][] {
  return Object.entries(table).flatMap(([key, value]) => (value && typeof value === 'object' ? leaves(value, `${path}.${key}`) : [[`${path}.${key}`, value] as [string, unknown]]));
}

test('every text is there in both languages', () => {
  const [chinese, english] = [new Map(leaves(zh)), new Map(leaves(en))];
  expect([...english.keys()].sort()).toEqual([...chinese.keys()].sort());
  for (const [key, value] of [...chinese, ...english]) expect(typeof value === 'string' ? value.trim() : 'made', key).not.toBe('');
  const own = ['.otherShort', '.colon', '.and', '.centre.none'];
  for (const [key, value] of english) if (typeof value === 'string' && !own.includes(key)) expect(value, key).not.toMatch(/\p{Script=Han}/u);
});

test('English has quotation marks that a Chinese font does not draw as wide as a character', () => {
  expect(readFileSync(join(SRC, 'words/en.ts'), 'utf8').match(/\w*[‘’“”]\w*/gu) ?? []).toEqual([]);
});

/** Texts and spoken attributes of a template that are written out. */
function written(node: unknown, found: string[] = []): string[] {
  if (Array.isArray(node)) node.forEach((one) => written(one, found));
  else if (node && typeof node === 'object') {
    const { type, data, name, value } = node as { type?: string; data?: string; name?: string; value?: unknown };
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

test('no component carries a text of its own', () => {
  for (const name of files.filter((one) => one.endsWith('.svelte'))) {
    const text = readFileSync(join(SRC, name), 'utf8');
    expect(written(parse(text, { modern: true }).fragment), name).toEqual([]);
    expect(text, name).not.toMatch(/\p{Script=Han}/u);
  }
});

test('no file is longer than its budget, none loads from elsewhere, no view imports another', () => {
  for (const name of files) {
    const text = readFileSync(join(SRC, name), 'utf8');
    if (!name.startsWith('words/')) expect(text.split('\n').length, name).toBeLessThanOrEqual(MOST_LINES);
    expect(text, name).not.toMatch(/https?:\/\//);
    // Beside a view's own folder there are only other views.
    if (name.startsWith('views/')) expect(text, name).not.toMatch(/from '\.\.\/(?!\.\.\/)/);
  }
});
