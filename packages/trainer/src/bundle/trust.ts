// Whose bundles are taken: a list of public keys, one a line, with a name for people. A revoked key stays in the list and says so.
import { DataError } from '../errors.js';
import { publicBytes } from './keys.js';

/** A list of keys, by public key. */
export type TrustList = ReadonlyMap<string, { readonly name: string; readonly revoked: boolean }>;

/**
 * `paris-key:… Ada` a line; `revoked paris-key:… Bob` takes one back, wherever it is in the file. Empty lines and those that
 * begin with # say nothing.
 * @throws DataError that names the line
 */
export function parseTrustList(text: string): TrustList {
  const list = new Map<string, { name: string; revoked: boolean }>();
  for (const [i, line] of text.split('\n').entries()) {
    const words = line.trim().split(/\s+/);
    if (words[0] === '' || words[0]!.startsWith('#')) continue;
    const revoked = words[0] === 'revoked';
    const [publicKey = '', ...name] = revoked ? words.slice(1) : words;
    try {
      publicBytes(publicKey);
    } catch {
      throw new DataError(
        'bundle',
        `line ${i + 1} of the list of trusted keys is neither a key nor "revoked" and a key.`,
      );
    }
    const known = list.get(publicKey);
    list.set(publicKey, { name: name.join(' ') || known?.name || '', revoked: revoked || known?.revoked === true });
  }
  return list;
}

/** @throws DataError if the key is not in the list, or is revoked there */
export function assertTrusted(publicKey: string, list: TrustList): void {
  const known = list.get(publicKey);
  if (known && !known.revoked) return;
  const what = known
    ? `the key of ${known.name || 'its signer'}, ${publicKey}, is revoked`
    : `${publicKey}, who signed it, is not trusted`;
  throw new DataError('bundle', `${what}. Nothing of the bundle was read.`);
}
