import { link, mkdir, open, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { FileLockedError } from '../errors.js';
import { sleep } from '../sleep.js';
import type { FileLock } from '../stores/store.js';
import { isRunning, startOf } from './processes.js';
import { sweepTemporaries, temporaryFor } from './temporary.js';

/** What a lock file says about its holder. `started` tells a process from a later one with the same id. */
interface Holder {
  readonly pid: number;
  readonly host: string;
  readonly started: string;
}

/** The clock of this machine, or that of a test. */
export interface LockClock {
  /** Milliseconds since 1970, as files have them: it may be set, back too. */
  now(): number;
  sleep(ms: number): Promise<void>;
}

const machineClock: LockClock = { now: () => Date.now(), sleep };

const held = new Set<string>();
/** What is written in a moment is not young any more after this time. */
const unfinishedMs = 10_000;
/** The clock may have been set since a file was written, so one that seems old is watched for so long before it is given up. */
const watchedMs = 1000;
const lookEveryMs = 20;

/**
 * Takes `folder/.lock`, which holds the process id. The lock of a process that has died is taken over; that of a
 * living one, or of another machine on a shared disk, is a FileLockedError.
 */
export async function lockFolder(folder: string, clock: LockClock = machineClock): Promise<FileLock> {
  const file = join(folder, '.lock');
  if (held.has(file)) throw inUse(folder, file, `process ${process.pid} on ${hostname()}`);
  held.add(file); // before anything is waited for: its own locks are never judged by their files
  try {
    await takeLock(folder, file, clock);
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

async function takeLock(folder: string, file: string, clock: LockClock): Promise<void> {
  await mkdir(folder, { recursive: true });
  const own = JSON.stringify({ pid: process.pid, host: hostname(), started: await startOf(process.pid) });
  for (let attempt = 0; attempt < 50; attempt++) {
    if (await createLock(folder, file, own)) return;
    const seen = await readFile(file, 'utf8').catch(() => undefined);
    if (seen === undefined) continue; // released in the meantime
    const holder = parse(seen);
    if (!holder && seen !== '' && !own.startsWith(seen.slice(0, 7))) {
      throw new FileLockedError('store', `${file} is no lock of Paris. Move it elsewhere, or choose another folder.`);
    }
    if (holder ? await lives(holder) : await isYoung(file, clock)) {
      throw inUse(folder, file, holder ? `process ${holder.pid} on ${holder.host}` : 'another process');
    }
    // Without links, a lock is empty between creation and writing, for a moment; after that its process died right there.
    if (holder || (await isAbandoned(file, clock))) await removeStale(folder, { file, seen, own }, clock);
  }
  throw new FileLockedError('store', `${folder} is being taken by another process. Try again.`);
}

/**
 * Creates the lock with its text in one step that only one process wins: a link to a file that has it. So a process that is killed
 * leaves a whole lock or none, and the next one need not wait to see whether somebody is about to write.
 * @returns false if there is one
 */
async function createLock(folder: string, file: string, own: string): Promise<boolean> {
  await sweepTemporaries(folder);
  const draft = await temporaryFor(file);
  try {
    await writeFile(draft, own, { flag: 'wx' });
    await link(draft, file);
    return true;
  } catch (error) {
    const { code, syscall } = error as NodeJS.ErrnoException;
    if (syscall !== 'link') throw error;
    return code === 'EEXIST' ? false : await createWithoutLinks(file, own);
  } finally {
    await rm(draft, { force: true });
  }
}

/** The same where the disk knows no links (FAT, some shares): in two steps. */
async function createWithoutLinks(file: string, own: string): Promise<boolean> {
  try {
    const handle = await open(file, 'wx');
    try {
      await handle.writeFile(own);
    } catch (error) {
      await rm(file, { force: true }); // a full disk: an empty lock would keep everyone out for a while
      throw error;
    } finally {
      await handle.close();
    }
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
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
async function removeStale(
  folder: string,
  { file, seen, own }: { file: string; seen: string; own: string },
  clock: LockClock,
): Promise<void> {
  const takeover = `${file}.takeover`;
  if (!(await createLock(folder, takeover, own))) {
    // Its process may have died in the few lines below.
    const text = await readFile(takeover, 'utf8').catch(() => undefined);
    const holder = text === undefined ? undefined : parse(text);
    if (holder ? await lives(holder) : await isYoung(takeover, clock)) await clock.sleep(lookEveryMs);
    else if (holder || (await isAbandoned(takeover, clock))) await rm(takeover, { force: true });
    return;
  }
  try {
    const now = await readFile(file, 'utf8').catch(() => undefined);
    if (now === seen) await rm(file, { force: true });
  } finally {
    await rm(takeover, { force: true });
  }
}

/** Whether a file was written a moment ago, as far as clocks that differ a little say. One that is gone is not. */
async function isYoung(file: string, clock: LockClock): Promise<boolean> {
  const info = await stat(file).catch(() => undefined);
  return info !== undefined && Math.abs(clock.now() - info.mtimeMs) < unfinishedMs;
}

/**
 * Whether a file that is not young stays what it is while it is watched: nobody is about to write it or to remove it. What comes
 * from the future was written before the clock was set back, or by a machine whose clock is ahead: a moment ago, perhaps.
 */
async function isAbandoned(file: string, clock: LockClock): Promise<boolean> {
  const look = async () => {
    const info = await stat(file, { bigint: true }).catch(() => undefined);
    return info && { mtimeMs: Number(info.mtimeMs), is: `${info.ino} ${info.mtimeNs} ${info.size}` };
  };
  const first = await look();
  if (!first) return false;
  const isFuture = clock.now() < first.mtimeMs;
  for (let waited = 0; waited < (isFuture ? unfinishedMs : watchedMs); waited += lookEveryMs) {
    await clock.sleep(lookEveryMs);
    if ((await look())?.is !== first.is) return false;
  }
  return true;
}

async function lives(holder: Holder): Promise<boolean> {
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
