// A Merkle tree: one hash for a list, and a short proof that an entry is in it at its place. As in Certificate Transparency
// (RFC 6962 §2.1): leaves and nodes are hashed with different first bytes, so that neither can pass for the other.
import { sha256 } from '@paris/files';

/** The hash of a list of entries, hexadecimal. @throws RangeError for an empty list, which says nothing */
export async function merkleRoot(entries: readonly Uint8Array[]): Promise<string> {
  return rootOf(await Promise.all(entries.map(leafHash)));
}

/** The hashes next to the way from an entry up to the root, the lowest first (RFC 6962 §2.1.1). */
export async function merklePath(entries: readonly Uint8Array[], index: number): Promise<string[]> {
  return pathOf(await Promise.all(entries.map(leafHash)), index);
}

/** The root of the list of `count` entries that has this entry at `index`, by its path; undefined if the path is of another length. */
export async function rootByPath(
  entry: Uint8Array,
  { index, count, path }: { index: number; count: number; path: readonly string[] },
): Promise<string | undefined> {
  const hashes = [...path].reverse();
  const up = async (at: number, size: number): Promise<string | undefined> => {
    if (size === 1) return leafHash(entry);
    const left = leftSize(size);
    const next = hashes.shift();
    const own = at < left ? await up(at, left) : await up(at - left, size - left);
    if (next === undefined || own === undefined) return undefined;
    return at < left ? nodeHash(own, next) : nodeHash(next, own);
  };
  const root = index >= 0 && index < count ? await up(index, count) : undefined;
  return hashes.length === 0 ? root : undefined;
}

async function rootOf(leaves: readonly string[]): Promise<string> {
  if (leaves.length === 0) throw new RangeError('a Merkle tree has at least one entry');
  if (leaves.length === 1) return leaves[0]!;
  const left = leftSize(leaves.length);
  return nodeHash(await rootOf(leaves.slice(0, left)), await rootOf(leaves.slice(left)));
}

async function pathOf(leaves: readonly string[], index: number): Promise<string[]> {
  if (leaves.length <= 1) return [];
  const left = leftSize(leaves.length);
  const [first, last] = [leaves.slice(0, left), leaves.slice(left)];
  if (index < left) return [...(await pathOf(first, index)), await rootOf(last)];
  return [...(await pathOf(last, index - left)), await rootOf(first)];
}

/** The largest power of two below `size`. */
function leftSize(size: number): number {
  let left = 1;
  while (2 * left < size) left *= 2;
  return left;
}

function leafHash(entry: Uint8Array): Promise<string> {
  const bytes = new Uint8Array(1 + entry.length); // begins with a 0
  bytes.set(entry, 1);
  return sha256(bytes);
}

function nodeHash(left: string, right: string): Promise<string> {
  return sha256(Uint8Array.of(1, ...bytesOf(left), ...bytesOf(right)));
}

function bytesOf(hex: string): number[] {
  return (hex.match(/../g) ?? []).map((pair) => Number.parseInt(pair, 16));
}
