// The types of the gateway's answers are those of its OpenAPI document.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const WEB = join(import.meta.dirname, '../..');

test('src/api/schema.d.ts is current: else `npm run types`', () => {
  const program = join(WEB, 'node_modules/.bin/openapi-typescript');
  const written = execFileSync(program, [join(WEB, '../../docs/reference/openapi.json'), '--alphabetize'], { encoding: 'utf8', cwd: WEB });
  expect(readFileSync(join(WEB, 'src/api/schema.d.ts'), 'utf8').trim()).toBe(written.trim());
}, 60_000);
