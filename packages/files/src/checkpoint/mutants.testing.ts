// Damaged copies of small files, for readers that must refuse them in a sentence.
import { thorough } from '@paris/test-tools/thorough';
import { type ByteRange, type FileSource, memoryStore, ParisError } from '../index.js';

/** How many mutants of each file the tests make; `PARIS_FUZZ_FILES=20000` makes a long run of it. */
export const mutantCount = Number(process.env.PARIS_FUZZ_FILES ?? (thorough ? 300 : 100));

/** Numbers that are the edge of something, as they are in a file. */
const edges = [0, 1, 0x7f, 0x80, 0xff, 0xffff, 0x7fffffff, 0xffffffff, 2 ** 32, 2 ** 53 - 1, 2 ** 53, 2 ** 63];

/** A file's mutants, each as bytes. */
export function mutantsOf(original: Uint8Array, count: number): Uint8Array[] {
  return Array.from({ length: count }, (_, seed) => mutant(original, seed));
}

/** The mutant of this number: one to four damages. The same number gives the same bytes. */
function mutant(original: Uint8Array, seed: number): Uint8Array {
  let state = (seed + 1) >>> 0;
  const below = (n: number) => {
    state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x9e3779b9) >>> 0;
    return ((state ^ (state >>> 13)) >>> 0) % Math.max(1, n);
  };
  let bytes = Uint8Array.from(original);
  for (let damage = below(4); damage >= 0; damage--) bytes = damages[below(damages.length)]!(bytes, below);
  return bytes;
}

type Damage = (bytes: Uint8Array<ArrayBuffer>, below: (n: number) => number) => Uint8Array<ArrayBuffer>;

const damages: readonly Damage[] = [
  (bytes, below) => bytes.fill(below(256), below(bytes.length)).slice(0, bytes.length),
  (bytes, below) => {
    bytes[below(bytes.length)]! ^= 1 << below(8);
    return bytes;
  },
  (bytes, below) => {
    bytes[below(bytes.length)] = below(256);
    return bytes;
  },
  (bytes, below) => bytes.slice(0, below(bytes.length + 1)),
  (bytes, below) => {
    // An edge, little-endian in one to eight bytes.
    const [at, width] = [below(bytes.length), 1 << below(4)];
    let value = edges[below(edges.length)]!;
    for (let i = at; i < Math.min(at + width, bytes.length); i++) {
      bytes[i] = value % 256;
      value = Math.floor(value / 256);
    }
    return bytes;
  },
  (bytes, below) => {
    // A piece somewhere else: entries, keys and instructions twice or in another order.
    const [from, to, length] = [below(bytes.length), below(bytes.length), below(64)];
    bytes.copyWithin(to, from, Math.min(from + length, bytes.length));
    return bytes;
  },
  (bytes, below) => {
    const at = below(bytes.length);
    const rest = bytes.slice(at + below(32));
    const out = new Uint8Array(at + rest.length);
    out.set(bytes.subarray(0, at));
    out.set(rest, at);
    return out;
  },
];

/**
 * Reads mutants of a file, and gives how many were read and how many refused.
 * @param read - reads all of the file `f` of a store
 * @throws an error that names the seed if a mutant fails otherwise than with a ParisError, or if a span that is asked for is
 *   not inside the file
 */
export async function readMutants(
  original: Uint8Array,
  count: number,
  read: (source: FileSource) => Promise<unknown>,
): Promise<{ accepted: number; refused: number }> {
  const outcome = { accepted: 0, refused: 0 };
  for (let seed = 0; seed < count; seed++) {
    const bytes = mutant(original, seed);
    const inner = memoryStore({ f: bytes });
    const inside = ({ offset, length }: ByteRange) => offset >= 0 && length >= 0 && offset + length <= bytes.length;
    const source: FileSource = {
      ...inner,
      read: (path, range) => {
        if (range && !inside(range)) throw new RangeError(`asked for [${range.offset}, +${range.length})`);
        return inner.read(path, range);
      },
    };
    try {
      await read(source);
      outcome.accepted++;
    } catch (cause) {
      if (!(cause instanceof ParisError)) throw new Error(`mutant ${seed} was not refused in a sentence`, { cause });
      outcome.refused++;
    }
  }
  return outcome;
}
