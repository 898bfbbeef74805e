// Whether a folder may be written to: only if it is empty, not there, or says by its own index that we wrote it, and then
// only what the index says is replaced.
import { entriesOf, type FileStore } from '@paris/files';
import { OutputError } from '../errors.js';

/** A kind of folder that we write, and how ours are recognised. */
export interface OutputKind {
  /** `data folder`, `model`. */
  readonly name: string;
  /** The file whose presence means complete. */
  readonly index: string;
  /** Files and folders directly in it that may be ours, by name or by the form of the name. */
  readonly parts: readonly (string | RegExp)[];
  /** A folder in it for unfinished work. It is ours if it is empty or holds a file of its own name that ends with `.json`. */
  readonly scratch?: string;
  /** The files that we wrote, as its indices say; undefined if it is not a folder of this kind. */
  owned(store: FileStore): Promise<ReadonlySet<string> | undefined>;
}

/**
 * Does nothing to the folder.
 * @param except - a name directly in the folder that is ours anyway
 * @returns the files in it that we wrote: none if it is empty or not there
 * @throws OutputError if it holds anything else and is not of this kind, or if what we did not write is among our parts
 */
export async function claimOutput(
  store: FileStore,
  kind: OutputKind,
  tag: string,
  except?: string,
): Promise<ReadonlySet<string>> {
  const scratch = await scratchOf(store, kind);
  const passed = new Set([except, scratch, ...systemFiles]);
  const names = (await entriesOf(store)).filter((name) => !passed.has(name));
  if (names.length === 0) return new Set();
  const owned = await kind.owned(store);
  if (!owned) {
    const what = `the output folder holds ${JSON.stringify(names.sort()[0])} and is no ${kind.name} of Paris`;
    throw new OutputError(tag, `${what}. Give an empty folder, or one that is not there yet.`);
  }
  const parts = [kind.index, ...kind.parts].map((part) => (typeof part === 'string' ? folded(part) : part));
  for (const name of names.filter((name) => isPart(folded(name), parts))) await assertOwned(store, name, owned, tag);
  return owned;
}

/** Whether a name is one of the parts, or has the form of one. */
export function isPart(name: string, parts: readonly (string | RegExp)[]): boolean {
  return parts.some((part) => (typeof part === 'string' ? part === name : part.test(name)));
}

/** The entry of the folder for unfinished work, if it is there and ours. */
async function scratchOf(store: FileStore, { scratch }: OutputKind): Promise<string | undefined> {
  if (scratch === undefined) return undefined;
  const ours = (await store.exists(`${scratch}/${scratch}.json`)) || (await entriesOf(store, scratch)).length === 0;
  return ours ? `${scratch}/` : undefined;
}

/** @throws OutputError if a file or folder holds anything that is not in `owned` */
async function assertOwned(store: FileStore, name: string, owned: ReadonlySet<string>, tag: string): Promise<void> {
  for (const path of await everythingIn(store, name)) {
    if (owned.has(path)) continue;
    const what = `${JSON.stringify(path)} in the output folder was not written by Paris, and would be in the way`;
    throw new OutputError(tag, `${what}. Move it elsewhere first.`);
  }
}

/** All that an entry of a store is or holds, also what is not a file; empty folders with a `/` at their end. */
export async function everythingIn(store: FileStore, name: string, depth = 0): Promise<string[]> {
  if (!name.endsWith('/')) return [name];
  const folder = name.slice(0, -1);
  const entries = depth > deepest ? [] : await entriesOf(store, folder);
  if (entries.length === 0) return [name];
  const inner = entries.filter((entry) => !systemFiles.has(entry));
  return (await Promise.all(inner.map((entry) => everythingIn(store, `${folder}/${entry}`, depth + 1)))).flat();
}

/** Links may lead in a circle; no folder of ours is as deep as this. */
const deepest = 8;

/** What systems put into folders by themselves. It is left alone and ignored. */
const systemFiles: ReadonlySet<string> = new Set(['.DS_Store', 'Thumbs.db', 'desktop.ini', 'lost+found/']);

/** Equal for names that are one on a file system to which capital letters or accents' encodings do not matter. */
function folded(name: string): string {
  return name.replace(/\/$/, '').normalize('NFC').toLowerCase();
}
