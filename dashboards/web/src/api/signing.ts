/**
 * Signs an order on this device. The secret key is read from a file or pasted, is used once and forgotten: it is sent
 * nowhere and kept nowhere.
 */

/** Begins the key file that `linli order keygen` writes. */
const SECRET = /^ed25519-secret:([0-9a-f]{64})$/;

/** An Ed25519 key in PKCS #8 (RFC 8410 section 7) begins so, before its 32 bytes. */
const PKCS8 = '302e020100300506032b657004220420';

export interface ToSign { key: string; bytes: string }
export interface Signature { key: string; signature: string }

/** Why nothing was signed; the screens have words for each. */
export class CannotSign extends Error {
  readonly why: 'none' | 'notAKey' | 'notYours' | 'browser';
  constructor(why: CannotSign['why']) {
    super(why);
    this.why = why;
  }
}

const bytesOf = (hex: string) => Uint8Array.from(hex.match(/../g) ?? [], (pair) => parseInt(pair, 16));
const hexOf = (bytes: ArrayBuffer) => Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, '0')).join('');

/** Signs what belongs to this key; throws `CannotSign`. */
export async function signWith(keyFile: string, toSign: ToSign[]): Promise<Signature> {
  const text = keyFile.trim();
  if (!text) throw new CannotSign('none');
  const seed = SECRET.exec(text)?.[1];
  if (!seed) throw new CannotSign('notAKey');
  // A page without TLS, elsewhere than on this machine, has no `subtle`; an old browser no Ed25519.
  const subtle = globalThis.crypto?.subtle;
  const key = await subtle?.importKey('pkcs8', bytesOf(PKCS8 + seed), { name: 'Ed25519' }, true, ['sign']).catch(() => null);
  if (!subtle || !key) throw new CannotSign('browser');
  const { x = '' } = await subtle.exportKey('jwk', key);
  const open = Uint8Array.from(atob(x.replaceAll('-', '+').replaceAll('_', '/')), (char) => char.charCodeAt(0));
  const id = hexOf(await subtle.digest('SHA-256', open)).slice(0, 16);
  const own = toSign.find((one) => one.key === id);
  if (!own) throw new CannotSign('notYours');
  return { key: id, signature: hexOf(await subtle.sign('Ed25519', key, bytesOf(own.bytes))) };
}
