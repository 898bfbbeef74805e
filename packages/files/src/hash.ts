/** Web Crypto of Node takes fewer bytes than this; the weights of a large network are more. */
const mostAtOnce = 2 ** 31 - 1;

/** SHA-256 of bytes, in lower-case hexadecimal. */
export async function sha256(bytes: Uint8Array): Promise<string> {
  const hash = bytes.length > mostAtOnce ? nodeHash() : undefined;
  if (hash) {
    for (let at = 0; at < bytes.length; at += 2 ** 26) hash.update(bytes.subarray(at, at + 2 ** 26));
    return hash.digest('hex');
  }
  const digest = await crypto.subtle.digest('SHA-256', bytes as Uint8Array<ArrayBuffer>);
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** A hash that takes its bytes piece by piece, where there is one: in Node, from 20.16 on. */
export function nodeHash(): PiecewiseHash | undefined {
  const { process } = globalThis as { process?: { getBuiltinModule?(name: string): unknown } };
  const crypto = process?.getBuiltinModule?.('node:crypto') as { createHash(name: string): PiecewiseHash } | undefined;
  return crypto?.createHash('sha256');
}

/** A hash under way. */
export interface PiecewiseHash {
  update(bytes: Uint8Array): unknown;
  digest(form: 'hex'): string;
}
