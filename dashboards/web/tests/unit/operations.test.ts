// What people are offered to do for a room.
import { expect, test } from 'vitest';
import type { RoomMode } from '../../src/api/mode.ts';
import { operationsOf } from '../../src/views/rooms/operations.ts';

const room = (parts: Partial<RoomMode>): RoomMode => ({ room: 'hall', name: '活动厅', stage: 'acting', fire: 'normal', fire_panel: null, verified: false, ...parts });
const asked = { step: 'layout', role: 'staff', count: 2, done: 0, prompt: '桌椅就位', left_s: 60 };
const named = (parts: Partial<RoomMode>) => operationsOf(room(parts)).map((operation) => `${operation.operation}${operation.step ? ` ${operation.step}` : ''}`);

test('each stage offers what fits it, and peace nothing', () => {
  expect(named({ stage: 'peace', asked: [asked] })).toEqual([]);
  expect(named({ stage: 'preview' })).toEqual(['commit']);
  expect(named({ stage: 'checking', asked: [{ ...asked, step: 'accept' }] })).toEqual(['confirm accept', 'cannot accept', 'reject']);
  expect(named({ stage: 'held', asked: [asked] })).toEqual(['resume']);
  expect(named({ asked: [asked] })).toEqual(['confirm layout', 'cannot layout']);
  expect(named({ stage: 'ready' })).toEqual([]);
});

test('a step that failed is the leader’s to decide', () => {
  expect(named({ asked: [{ ...asked, decide: true, prompt: '' }] })).toEqual(['retry layout', 'waive layout']);
  const steps = [{ step: 'fan', state: 'failed' as const }, { step: 'light', state: 'verified' as const }];
  expect(named({ stage: 'degraded', steps })).toEqual(['retry fan', 'waive fan']);
  expect(named({ stage: 'acting', steps }), 'while it acts, the engine tries').toEqual([]);
});

test('a person reads what is asked, not the name of a step, where there is a text', () => {
  const [first] = operationsOf(room({ asked: [asked] }));
  expect(first?.prompt).toBe('桌椅就位');
  const [bare] = operationsOf(room({ asked: [{ ...asked, prompt: '' }] }));
  expect(bare?.prompt).toBe('layout');
});
