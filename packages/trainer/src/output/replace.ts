// Replaces files of a folder by new ones, safely against interruption. The new files are written to a separate folder with a
// random name and a journal that says what it is. Until the journal says `ready`, a later call that finds such a folder
// removes it: nothing has been replaced. After that, a later call completes the replacement.
import { checkJson, entriesOf, type FileLock, type FileStore, folderStore, parseJson, writeJson } from '@paris/files';
import * as z from 'zod/mini';
import { OutputError } from '../errors.js';
import { claimOutput, everythingIn, isPart, type OutputKind } from './claim.js';

/** What is about to happen in the folder that holds ours. */
interface Journal {
  format: 'paris-replacement';
  version: 1;
  /** As in the folder's name. */
  id: string;
  ready: boolean;
  /** The file whose presence means complete: it goes first and comes last. */
  last: string;
  /** Files that come. */
  added: string[];
  /** Files of ours that go or are written over. Nothing else is touched. */
  removed: string[];
}

/** What is replaced: files and folders of the store, and the file that goes first and comes last. */
export interface Replaced {
  readonly parts: readonly (string | RegExp)[];
  readonly last: string;
}

/**
 * Replaces what we wrote of some parts of a folder by what `write` writes. All is written aside first; then files change
 * places by renames alone. Whatever interrupts this leaves the old, or the new, or a folder without `last` that the next
 * call of this or of {@link recoverOutput} completes: never a mixture.
 * @throws OutputError, before and after `write`, if something that we did not write is in the way; FileLockedError if
 *   another process replaces something there
 */
export async function replaceOutput<T>(
  store: FileStore,
  kind: OutputKind,
  { parts, last }: Replaced,
  tag: string,
  write: (store: FileStore) => Promise<T>,
): Promise<T> {
  const lock = await store.lock();
  try {
    await settleAll(store);
    await claimOutput(store, kind, tag);
    const { folder, journal } = newReplacement(last);
    let result: T;
    try {
      await writeJson(store, `${folder}/${JOURNAL}`, journal);
      result = await write(folderStore(store, `${folder}/new`));
      const owned = await claimOutput(store, kind, tag, `${folder}/`); // who knows what came in the meantime
      const isReplaced = (path: string) => {
        const names = path.split('/').map((_, i, all) => all.slice(0, i + 1).join('/'));
        return path === last || names.some((name) => isPart(name, parts));
      };
      journal.added = (await store.list(`${folder}/new`)).map((path) => path.slice(`${folder}/new/`.length));
      journal.removed = [...owned].filter(isReplaced);
      journal.ready = true;
      await writeJson(store, `${folder}/${JOURNAL}`, journal);
    } catch (error) {
      await undo(store, folder).catch(() => undefined); // the first error is the one that is thrown
      throw error;
    }
    await carryOut(store, folder, journal, tag);
    return result;
  } finally {
    await lock.release();
  }
}

/**
 * Calls `work` with a function that gives a folder for files that are needed until `work` ends. The folder is made when it is first
 * asked for, and is removed in the end. What a process that died left of one is removed as a replacement that was not ready is.
 * Until the end nothing can be replaced in the store.
 * @throws FileLockedError, when it is asked for, if another process replaces something there
 */
export async function withScratch<T>(
  store: FileStore,
  last: string,
  work: (scratch: () => Promise<FileStore>) => Promise<T>,
): Promise<T> {
  const { folder, journal } = newReplacement(last);
  let lock: FileLock | undefined;
  const scratch = async () => {
    if (!lock) {
      lock = await store.lock();
      await settleAll(store);
      await writeJson(store, `${folder}/${JOURNAL}`, journal);
    }
    return folderStore(store, `${folder}/new`);
  };
  try {
    const result = await work(scratch);
    if (lock) await undo(store, folder);
    return result;
  } catch (error) {
    if (lock) await undo(store, folder).catch(() => undefined); // the first error is the one that is thrown
    throw error;
  } finally {
    await lock?.release();
  }
}

/**
 * Completes or undoes the replacements in a folder that were interrupted.
 * @returns whether there were any
 * @throws FileLockedError if one is in progress
 */
export async function recoverOutput(store: FileStore): Promise<boolean> {
  if ((await leftOver(store)).length === 0) return false;
  const lock = await store.lock();
  try {
    await settleAll(store);
  } finally {
    await lock.release();
  }
  return true;
}

const PREFIX = 'paris-replacement-';
const JOURNAL = 'replacement.json';
const folderName = new RegExp(`^${PREFIX}[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/$`);

function newReplacement(last: string): { folder: string; journal: Journal } {
  const id = crypto.randomUUID();
  const journal: Journal = {
    format: 'paris-replacement',
    version: 1,
    id,
    ready: false,
    last,
    added: [],
    removed: [],
  };
  return { folder: `${PREFIX}${id}`, journal };
}

const path = z.string().check(z.minLength(1));
const schema: z.ZodMiniType<Journal> = z.object({
  format: z.literal('paris-replacement'),
  version: z.literal(1),
  id: z.string(),
  ready: z.boolean(),
  last: path,
  added: z.array(path),
  removed: z.array(path),
});

async function leftOver(store: FileStore): Promise<string[]> {
  return (await entriesOf(store)).filter((name) => folderName.test(name)).map((name) => name.slice(0, -1));
}

async function settleAll(store: FileStore): Promise<void> {
  for (const folder of await leftOver(store)) {
    const journal = await readJournal(store, folder);
    if (journal?.ready) await carryOut(store, folder, journal, 'recover');
    else if (journal || (await isEmpty(store, folder))) await undo(store, folder);
  }
}

/** The journal of a folder; undefined where none of ours is, whatever the folder is called. */
async function readJournal(store: FileStore, folder: string): Promise<Journal | undefined> {
  const file = `${folder}/${JOURNAL}`;
  if (!(await store.exists(file))) return undefined;
  try {
    const origin = { tag: 'recover', path: file };
    const journal = checkJson(parseJson(await store.read(file), origin), schema, origin);
    return folder === `${PREFIX}${journal.id}` ? journal : undefined;
  } catch {
    return undefined;
  }
}

/** The process died before it wrote the journal. */
async function isEmpty(store: FileStore, folder: string): Promise<boolean> {
  return (await everythingIn(store, `${folder}/`)).every((path) => path.endsWith('/'));
}

/** The journal goes last: while a file is there, the folder says whose it is. */
async function undo(store: FileStore, folder: string): Promise<void> {
  await store.remove(`${folder}/new`);
  await store.remove(folder);
}

/** Every step may have been done before. */
async function carryOut(store: FileStore, folder: string, journal: Journal, tag: string): Promise<void> {
  const { last, added, removed } = journal;
  const fresh = (path: string) => `${folder}/new/${path}`;
  if (await store.exists(fresh(last))) {
    const ours = new Set(removed);
    if (ours.has(last)) await store.remove(last);
    for (const path of removed) if (!added.includes(path)) await store.remove(path);
    for (const path of [...added.filter((path) => path !== last), last]) {
      if (!(await store.exists(fresh(path)))) continue;
      if (!ours.has(path) && (await store.exists(path))) {
        const what = `${JSON.stringify(path)} came to the output folder while it was being written`;
        throw new OutputError(tag, `${what}. Move it elsewhere, and give the same command again.`);
      }
      await store.move(fresh(path), path);
    }
  }
  await undo(store, folder);
}
