// The SHA-256 of a file that is too large for memory. WebCrypto hashes only what is there at once.
import { nodeHash, type PiecewiseHash } from './hash.js';

/** SHA-256 of pieces after each other, in lower-case hexadecimal. */
export async function sha256OfPieces(pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<string> {
  const hash = nodeHash() ?? (await portableHash());
  for await (const piece of pieces) hash.update(piece);
  return hash.digest('hex');
}

/** Loaded only where the platform has none. */
async function portableHash(): Promise<PiecewiseHash> {
  const { sha256 } = await import('@noble/hashes/sha2.js');
  const { bytesToHex } = await import('@noble/hashes/utils.js');
  const hash = sha256.create();
  return { update: (bytes) => hash.update(bytes), digest: () => bytesToHex(hash.digest()) };
}
