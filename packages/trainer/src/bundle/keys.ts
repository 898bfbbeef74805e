// Keys of those who make bundles: Ed25519 (RFC 8032) through Web Crypto, written as one line of text each.
import { DataError } from '../errors.js';

const publicMark = 'paris-key:';
const secretMark = 'paris-secret-key:';

/** A pair of keys, each a line of text. The public one is to be given to everybody, the secret one to nobody. */
export interface Keys {
  /** `paris-key:` and 32 bytes, base64url. */
  publicKey: string;
  /** `paris-secret-key:` and the PKCS #8 of RFC 8410, base64url. */
  secretKey: string;
}

/** A new pair, which nobody else has. */
export async function createKeys(): Promise<Keys> {
  const pair = await crypto.subtle.generateKey('Ed25519', true, ['sign', 'verify']);
  const { publicKey, privateKey } = pair as CryptoKeyPair;
  return {
    publicKey: publicMark + encode(await crypto.subtle.exportKey('raw', publicKey)),
    secretKey: secretMark + encode(await crypto.subtle.exportKey('pkcs8', privateKey)),
  };
}

/** The public key that belongs to a secret one. @throws DataError if it is none */
export async function publicKeyOf(secretKey: string): Promise<string> {
  const { x } = await crypto.subtle.exportKey('jwk', await importSecret(secretKey));
  return publicMark + x!; // RFC 8037: base64url, as ours
}

/** @returns 64 bytes. @throws DataError if it is no secret key */
export async function sign(message: Uint8Array<ArrayBuffer>, secretKey: string): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.sign('Ed25519', await importSecret(secretKey), message));
}

/** Whether the owner of a public key signed exactly these bytes. @throws DataError if it is no public key */
export async function isSignedBy(
  publicKey: string,
  message: Uint8Array<ArrayBuffer>,
  signature: Uint8Array<ArrayBuffer>,
): Promise<boolean> {
  const bytes = publicBytes(publicKey);
  const key = await imported(() => crypto.subtle.importKey('raw', bytes, 'Ed25519', true, ['verify']));
  return crypto.subtle.verify('Ed25519', key, signature, message);
}

/** The 32 bytes of a public key. @throws DataError if it is none */
export function publicBytes(publicKey: string): Uint8Array<ArrayBuffer> {
  const bytes = publicKey.startsWith(publicMark) ? decode(publicKey.slice(publicMark.length)) : undefined;
  // A key has one text only: lists find keys by it, and the last character has two bits that base64url does not use.
  if (bytes?.length === 32 && publicText(bytes) === publicKey) return bytes;
  throw new DataError('bundle', `this is no public key: it has the form ${publicMark}… and is made by paris key.`);
}

/** A public key from its 32 bytes. */
export function publicText(bytes: Uint8Array): string {
  return publicMark + encode(bytes);
}

function importSecret(text: string): Promise<CryptoKey> {
  const trimmed = text.trim();
  const bytes = trimmed.startsWith(secretMark) ? decode(trimmed.slice(secretMark.length)) : undefined;
  if (!bytes) throw new DataError('bundle', 'this is no secret key: paris key --out FILE makes one.'); // and shows nothing of it
  return imported(() => crypto.subtle.importKey('pkcs8', bytes, 'Ed25519', true, ['sign']));
}

async function imported(load: () => Promise<CryptoKey>): Promise<CryptoKey> {
  try {
    return await load();
  } catch (cause) {
    const lacks = (cause as Error).name === 'NotSupportedError';
    const what = lacks
      ? 'this runtime has no Ed25519 in Web Crypto; Node 20 and current browsers have it'
      : 'the key is damaged';
    throw new DataError('bundle', `${what}.`);
  }
}

function encode(bytes: ArrayBuffer | Uint8Array): string {
  const text = String.fromCharCode(...new Uint8Array(bytes));
  return btoa(text).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}

function decode(text: string): Uint8Array<ArrayBuffer> | undefined {
  if (!/^[\w-]*$/.test(text)) return undefined;
  try {
    return Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (character) =>
      character.charCodeAt(0),
    );
  } catch {
    return undefined;
  }
}
