// Outputs are never inside or around inputs. Folders are compared by where they really are, not by their spelling.
import type { FileSource } from '@paris/files';
import { OutputError } from '../errors.js';

/** A folder or file that is read or written. */
export interface Place {
  /** For messages: `the data folder`. */
  readonly what: string;
  readonly store: FileSource;
  /** A folder or file of the store; without it the whole store. */
  readonly path?: string;
}

/**
 * Does nothing if every output is apart from every input and from the other outputs. Places that no store can compare (a web
 * server and a folder) are apart.
 * @throws OutputError if one is another, lies inside it or contains it
 */
export async function assertApart(tag: string, outputs: readonly Place[], inputs: readonly Place[]): Promise<void> {
  const [written, read] = await Promise.all([outputs, inputs].map((places) => Promise.all(places.map(located))));
  for (const [i, output] of written!.entries()) {
    for (const other of [...read!, ...written!.slice(0, i)]) {
      const relation = relationOf(output.ids, other.ids);
      if (relation) throw new OutputError(tag, `${output.what} ${relation} ${other.what}. Write it elsewhere.`);
    }
  }
}

/** @throws OutputError if the runs are in the data folder or around it, or the run around what it reads besides */
export async function assertRunApart(
  { runs, data }: { runs: FileSource; data: FileSource },
  name: string,
  initial?: { store: FileSource; path: string },
): Promise<void> {
  await assertApart('train', [{ what: 'the folder of runs', store: runs }], [{ what: 'the data folder', store: data }]);
  if (!initial) return;
  const weights = { what: 'the file of weights to start from', ...initial };
  await assertApart('train', [{ what: `the run's folder ${name}`, store: runs, path: name }], [weights]);
}

async function located({ what, store, path }: Place) {
  return { what, ids: (await store.ancestry?.(path)) ?? [] };
}

function relationOf(output: readonly string[], other: readonly string[]): string | undefined {
  const [own, theirs] = [output.at(-1), other.at(-1)];
  if (own === undefined || theirs === undefined) return undefined;
  if (own === theirs) return 'is';
  if (output.includes(theirs)) return 'is inside';
  return other.includes(own) ? 'contains' : undefined;
}
