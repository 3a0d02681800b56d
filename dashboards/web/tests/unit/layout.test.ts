// The layout of the code: sizes, and who imports whom.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { expect, test } from 'vitest';

const SRC = join(import.meta.dirname, '../../src');
const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter((name) => /\.(ts|svelte|css)$/.test(name));

/** Lines of a file. The tables of words are tables. */
const MOST_LINES = 200;

test('no file is longer than its budget', () => {
  for (const name of files) {
    if (name.startsWith('words/')) continue;
    expect(readFileSync(join(SRC, name), 'utf8').split('\n').length, name).toBeLessThanOrEqual(MOST_LINES);
  }
});

/** Folders that a folder may import from, besides itself. */
const MAY: Record<string, string[]> = {
  design: [], words: [], api: [], parts: ['api', 'design', 'words'], views: ['api', 'design', 'words', 'parts'], app: ['api', 'design', 'words', 'parts', 'views'],
};

test('imports go one way, and no view imports another', () => {
  for (const name of files) {
    const [folder = '', view = ''] = name.split('/');
    if (!(folder in MAY)) continue;
    for (const [, path] of readFileSync(join(SRC, name), 'utf8').matchAll(/from '(\.[^']+)'/g)) {
      const target = relative(SRC, resolve(join(SRC, dirname(name)), path ?? ''));
      const [to = '', toView = ''] = target.split('/');
      expect([folder, ...(MAY[folder] ?? [])], `${name} imports ${target}`).toContain(to);
      if (folder === 'views') expect(to !== 'views' || toView === view, `${name} imports ${target}`).toBe(true);
    }
  }
});

test('nothing is loaded from elsewhere', () => {
  for (const name of files) expect(readFileSync(join(SRC, name), 'utf8'), name).not.toMatch(/https?:\/\/(?!www\.w3\.org)/);
});
