// Signing on the device: what is no key is told, what is not one's own signs nothing, and the signature is one of Ed25519.
import { expect, test } from 'vitest';
import { CannotSign, signWith } from '../../src/api/signing.ts';

// RFC 8032 section 7.1, test 2.
const SECRET = '4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb';
const SIGNED = '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00';
/** First 8 bytes of the SHA-256 of its public key. */
const ID = await crypto.subtle.digest('SHA-256', Uint8Array.from('3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c'.match(/../g) ?? [], (pair) => parseInt(pair, 16))).then((hash) => Buffer.from(hash).toString('hex').slice(0, 16));

test('the signature is that of RFC 8032', async () => {
  expect(await signWith(`ed25519-secret:${SECRET}\n`, [{ key: 'another', bytes: '00' }, { key: ID, bytes: '72' }])).toEqual({ key: ID, signature: SIGNED });
});

test.each([
  ['', 'none'],
  ['-----BEGIN PRIVATE KEY-----', 'notAKey'],
  [`ed25519-secret:${SECRET.slice(2)}`, 'notAKey'],
  [`ed25519-secret:${SECRET.replace('4', '5')}`, 'notYours'],
])('%s', async (text, why) => {
  await expect(signWith(text, [{ key: ID, bytes: '72' }])).rejects.toEqual(new CannotSign(why as 'none'));
});
