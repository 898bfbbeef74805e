// A signed file: who signed it, the signature, and the rest, of which not a byte is parsed before the signature is known to be good.
//
//   8 bytes   "PARISBU1"
//  32 bytes   the public key
//  64 bytes   the signature of "paris bundle 1 " and the SHA-256 of the rest, in hexadecimal
//   …         the rest: a tar archive
import { sha256 } from '@paris/files';
import { DataError } from '../errors.js';
import { isSignedBy, publicBytes, publicKeyOf, publicText, sign } from './keys.js';
import { assertTrusted, type TrustList } from './trust.js';

const magic = new TextEncoder().encode('PARISBU1');
const [keyAt, signatureAt, contentAt] = [8, 40, 104];

/** Larger bundles are not read: they are held in memory. Data of that size belongs at an address. */
export const mostBundleBytes: number = 2 ** 31 - 1;

export async function seal(content: Uint8Array, secretKey: string): Promise<Uint8Array> {
  if (content.length + contentAt > mostBundleBytes) {
    throw new DataError(
      'bundle',
      `it would have ${content.length} bytes; a bundle has ${mostBundleBytes} at most. Give --data-at.`,
    );
  }
  const file = new Uint8Array(contentAt + content.length);
  file.set(magic);
  file.set(publicBytes(await publicKeyOf(secretKey)), keyAt);
  file.set(await sign(await messageOf(content), secretKey), signatureAt);
  file.set(content, contentAt);
  return file;
}

/** What was signed, and by whom. */
export interface Opened {
  content: Uint8Array;
  /** The public key. */
  signer: string;
}

/**
 * @param trust - whose bundles are taken; default anybody's, as long as the signature is theirs
 * @throws DataError if it is no bundle, is not signed by the key that it names, or that key is not trusted
 */
export async function openSealed(file: Uint8Array, trust?: TrustList): Promise<Opened> {
  if (file.length < contentAt || !magic.every((byte, i) => file[i] === byte)) {
    throw new DataError('bundle', 'it is no bundle: paris bundle makes them.');
  }
  const signer = publicText(file.subarray(keyAt, signatureAt));
  const content = file.subarray(contentAt);
  const signature = file.slice(signatureAt, contentAt);
  if (!(await isSignedBy(signer, await messageOf(content), signature))) {
    throw new DataError(
      'bundle',
      'its signature is not that of these bytes: it was changed, or is cut off. Nothing of it was read.',
    );
  }
  if (trust) assertTrusted(signer, trust);
  return { content, signer };
}

async function messageOf(content: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
  return new TextEncoder().encode(`paris bundle 1 ${await sha256(content)}`);
}
