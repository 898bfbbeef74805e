// The temporary files that writing makes next to what it writes: their names, and what happens to those that a killed process
// left behind.
import { createHash, randomUUID } from 'node:crypto';
import { readdir, rm, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { isRunning, startOf } from './processes.js';

/**
 * Names of files that are being written, as this version makes them and as earlier ones did. The first cannot be mistaken
 * for anybody else's: `.paris-writing-MACHINE-PID-START-` and a random id.
 */
const own = /^\.paris-writing-([0-9a-f]{12})-(\d{1,10})-([0-9a-f]{12})-[0-9a-f-]{36}$/;
const earlier = /^\..*\.tmp-[0-9a-f-]{36}$/;
/** Longer than any write takes, with clocks that differ. */
const abandonedMs = 24 * 60 * 60 * 1000;

/** Whether a name is that of a file which is being written, or was when its process died. */
export function isTemporary(name: string): boolean {
  return own.test(name) || earlier.test(name);
}

/** A name for a file that will be renamed to `target`: next to it, of this process, and of nobody else. */
export async function temporaryFor(target: string): Promise<string> {
  const start = digest(await startOf(process.pid));
  return join(dirname(target), `.paris-writing-${digest(hostname())}-${process.pid}-${start}-${randomUUID()}`);
}

const swept = new Set<string>();

/**
 * Removes what killed processes left of their writing in a folder, at the first write of this process there: files with our
 * own name whose process no longer runs on this machine, or that are a day old. Never fails: it is only tidying.
 */
export async function sweepTemporaries(folder: string): Promise<void> {
  if (swept.has(folder)) return;
  swept.add(folder);
  const names = await readdir(folder).catch(() => []);
  await Promise.all(
    names.map(async (name) => {
      const [, machine, pid, start] = own.exec(name) ?? [];
      if (pid === undefined) return;
      const file = join(folder, name);
      if (machine === digest(hostname()) ? await lives(Number(pid), start!) : await isYoung(file)) return;
      await rm(file, { force: true }).catch(() => undefined);
    }),
  );
}

async function lives(pid: number, start: string): Promise<boolean> {
  const now = await startOf(pid);
  return digest(now) === start ? isRunning(pid, now) : now === '' && isRunning(pid, '');
}

async function isYoung(file: string): Promise<boolean> {
  const info = await stat(file).catch(() => undefined);
  return info !== undefined && Date.now() - info.mtimeMs < abandonedMs;
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 12);
}
