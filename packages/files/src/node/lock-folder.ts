import { mkdir, open, readFile, rm, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { FileLockedError } from '../errors.js';
import type { FileLock } from '../stores/store.js';

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
  await mkdir(folder, { recursive: true });
  const file = join(folder, '.lock');
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
      held.add(file);
      return { release: () => release(file) };
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
      const who = holder ? `process ${holder.pid} on ${holder.host}` : 'another process';
      throw new FileLockedError('store', `${folder} is in use by ${who}. Wait for it to end, or remove ${file}.`);
    }
    await removeStale(file, seen);
  }
  throw new FileLockedError('store', `${folder} is being taken by another process. Try again.`);
}

async function release(file: string): Promise<void> {
  if (held.delete(file)) await rm(file, { force: true });
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
  if (holder.pid === process.pid) return held.has(file);
  try {
    process.kill(holder.pid, 0); // signal 0 only asks
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false; // EPERM: it lives, as another user's
  }
  const started = await startOf(holder.pid);
  return started === '' || holder.started === '' || started === holder.started;
}

/** When a process started, in ticks since boot with the boot's id; '' where the system does not say (not Linux). */
async function startOf(pid: number): Promise<string> {
  try {
    const status = await readFile(`/proc/${pid}/stat`, 'utf8');
    // Field 22 of proc(5); the name, field 2, is in parentheses and may contain anything.
    const ticks = status.slice(status.lastIndexOf(')') + 2).split(' ')[19] ?? '';
    const boot = await readFile('/proc/sys/kernel/random/boot_id', 'utf8');
    return `${boot.trim()}:${ticks}`;
  } catch {
    return '';
  }
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
