// The cabin's scanner and tiles: what is scanned is not what is typed, and a tile says what counts.
import { expect, test } from 'vitest';
import type { Visit } from '../../src/api/cabin.ts';
import { isIdNumber, isStale, kindOf, Wedge } from '../../src/views/cabin/scanner.ts';
import { line, sign, SIGNS } from '../../src/views/cabin/signs.ts';

function keys(wedge: Wedge, text: string, between: number): (string | null)[] {
  return [...text, 'Enter'].map((key, at) => wedge.push(key, 1000 + at * between));
}

test('fast keys and Enter are a scan, slow ones are a person', () => {
  const wedge = new Wedge();
  expect(keys(wedge, '11010519491231002X', 12).at(-1)).toBe('11010519491231002X');
  expect(keys(wedge, '11010519491231002X', 200).at(-1)).toBeNull();
  expect(keys(wedge, '12', 12).at(-1)).toBeNull();
  // A slow key before a scan is no part of it; keys that write nothing are ignored.
  wedge.push('7', 0);
  wedge.push('Shift', 990);
  expect(keys(wedge, 'SZ4821', 12).at(-1)).toBe('SZ4821');
});

test('an identity number is known by its check digit, and a name by what it is not', () => {
  expect(isIdNumber('11010519491231002X')).toBe(true);
  expect(isIdNumber('110105194912310021')).toBe(false);
  expect(['11010519491231002x', 'SZ00004821', '4821', '张小明', 'https://x.cn/q?c=1', 'Zhang'].map(kindOf)).toEqual(['id_number', 'card', 'card', 'name', 'health_code', 'name']);
});

test('a code that waited too long is nobody\'s', () => {
  expect([isStale(1000, 1000), isStale(1000, 31_000), isStale(1000, 31_001)]).toEqual([false, false, true]);
});

const reading = (quantity: string, value: number, caveats?: string[]) => ({ quantity, value, ...(caveats ? { caveats } : {}) });

test('a tile shows the number, the doubt, and what it was before', () => {
  const [pressure, , saturation, , , body] = SIGNS;
  if (!pressure || !saturation || !body) throw new Error('six tiles');
  const visit = {
    measurements: [], previous: [{ quantity: 'systolic', value: 138, at: 5 }, { quantity: 'diastolic', value: 86, at: 5 }],
    summary: { values: [reading('systolic', 148.4), reading('diastolic', 92), reading('oxygen_saturation', 84, ['poor_signal']), reading('weight', 59.4), reading('height', 157), reading('waist_circumference', 86)], blood_pressure_of: 2, assessment: [] },
  } as unknown as Visit;
  expect(sign(visit, pressure)).toMatchObject({ text: '148/92', meanOf: 2, previous: { text: '138/86', way: '↑' } });
  expect(sign(visit, saturation)).toMatchObject({ text: '84', caveats: ['poor_signal'], previous: null });
  expect(sign(visit, body)).toMatchObject({ text: '24.1', beside: '157 cm · 59.4 kg', waist: '86' });
  expect(sign({ ...visit, summary: null } as unknown as Visit, pressure).text).toBeNull();
  expect(line([reading('systolic', 131), reading('diastolic', 84), reading('glucose', 5.8)] as never)).toBe('131/84\u00a0mmHg · 5.8\u00a0mmol/L');
});
