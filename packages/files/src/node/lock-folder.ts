import { mkdir, open, readFile, rm, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { FileLockedError } from '../errors.js';
import type { FileLock } from '../stores/store.js';
import { isRunning, startOf } from './processes.js';

/** What a lock file says about its holder. `started` tells a process from a later one with the same id. */
interface Holder {
  readonly pid: number;
  readonly host: string;
  readonly started: string;
}

const held = new Set<string>();
const unfinishedMs = 10_000;

/**
 * Takes `folder/.lock`, which holds the process id. The lock of a process that has died is taken over; that of a
 * living one, or of another machine on a shared disk, is a FileLockedError.
 */
export async function lockFolder(folder: string): Promise<FileLock> {
  const file = join(folder, '.lock');
  if (held.has(file)) throw inUse(folder, file, `process ${process.pid} on ${hostname()}`);
  held.add(file); // before anything is waited for: its own locks are never judged by their files
  try {
    await takeLock(folder, file);
  } catch (error) {
    held.delete(file);
    throw error;
  }
  let released: Promise<void> | undefined;
  return {
    release: () => {
      released ??= release(file); // a second call must not remove the next holder's
      return released;
    },
  };
}

async function takeLock(folder: string, file: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  const own = JSON.stringify({ pid: process.pid, host: hostname(), started: await startOf(process.pid) });
  for (let attempt = 0; attempt < 50; attempt++) {
    try {
      const handle = await open(file, 'wx'); // fails if it is there: the one step that only one process wins
      try {
        await handle.writeFile(own);
      } catch (error) {
        await rm(file, { force: true }); // a full disk: an empty lock would keep everyone out for a while
        throw error;
      } finally {
        await handle.close();
      }
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    const seen = await readFile(file, 'utf8').catch(() => undefined);
    if (seen === undefined) continue; // released in the meantime
    const holder = parse(seen);
    if (!holder && seen !== '' && !own.startsWith(seen.slice(0, 7))) {
      throw new FileLockedError('store', `${file} is no lock of Paris. Move it elsewhere, or choose another folder.`);
    }
    if (await lives(file, holder)) {
      throw inUse(folder, file, holder ? `process ${holder.pid} on ${holder.host}` : 'another process');
    }
    await removeStale(file, seen);
  }
  throw new FileLockedError('store', `${folder} is being taken by another process. Try again.`);
}

async function release(file: string): Promise<void> {
  await rm(file, { force: true });
  held.delete(file);
}

function inUse(folder: string, file: string, who: string): FileLockedError {
  return new FileLockedError('store', `${folder} is in use by ${who}. Wait for it to end, or remove ${file}.`);
}

/**
 * Removes the lock that was judged stale, and no other that has been put in its place since: only who holds the
 * takeover file removes, after another look.
 */
async function removeStale(file: string, seen: string): Promise<void> {
  const takeover = `${file}.takeover`;
  try {
    await (await open(takeover, 'wx')).close();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    const abandoned = (await ageMs(takeover)) > unfinishedMs; // its process died in the few lines below
    if (abandoned) await rm(takeover, { force: true });
    else await new Promise((resolve) => setTimeout(resolve, 20));
    return;
  }
  try {
    const now = await readFile(file, 'utf8').catch(() => undefined);
    if (now === seen) await rm(file, { force: true });
  } finally {
    await rm(takeover, { force: true });
  }
}

async function ageMs(file: string): Promise<number> {
  const info = await stat(file).catch(() => undefined);
  return info ? Date.now() - info.mtimeMs : 0;
}

async function lives(file: string, holder: Holder | undefined): Promise<boolean> {
  if (!holder) {
    // Between creation and writing a lock is empty, for a moment; after that its process died right there.
    return (await ageMs(file)) < unfinishedMs;
  }
  if (holder.host !== hostname()) return true; // its process table is out of sight
  if (holder.pid === process.pid) return false; // one of its own it would have found in `held`
  return isRunning(holder.pid, holder.started);
}

function parse(text: string): Holder | undefined {
  try {
    const { pid, host, started } = JSON.parse(text) as Partial<Holder>;
    if (typeof pid === 'number' && typeof host === 'string' && typeof started === 'string')
      return { pid, host, started };
  } catch {
    // Half written.
  }
  return undefined;
}
