// Which processes read the files of a folder: marks that others see before they remove something. A mark of a process that has
// died says when the folder was last used, and no more.
import { randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { isRunning, startOf } from './processes.js';

/** What is known of a folder's readers. */
export interface Readers {
  /** Whether one of them may still run. */
  readonly inUse: boolean;
  /** When the last one began, in milliseconds since 1970; 0 if none is known. */
  readonly lastUsedMs: number;
}

interface Reader {
  readonly pid: number;
  readonly host: string;
  readonly started: string;
}

/** Processes of another machine are out of sight: they count as running for so long after they began. */
const remoteMs = 30 * 24 * 60 * 60 * 1000;
/** A mark without a word in it is being written, for so long; it is removed only when no clock that was set can have made it old. */
const unfinishedMs = 10_000;
const abandonedMs = 24 * 60 * 60 * 1000;
const marked = new Set<string>();

/** Marks that this process reads what is in a folder, until it ends. Where nothing can be written nobody removes anything. */
export async function markReader(folder: string): Promise<void> {
  if (marked.has(folder)) return;
  marked.add(folder);
  try {
    const marks = join(folder, 'readers');
    await mkdir(marks, { recursive: true });
    const own: Reader = { pid: process.pid, host: hostname(), started: await startOf(process.pid) };
    const unfinished = join(marks, `.${randomUUID()}`);
    await writeFile(unfinished, JSON.stringify(own));
    await rename(unfinished, join(marks, `${process.pid}-${randomUUID()}`));
    // The marks of those that have ended say no more than this one.
    for (const { file, hasEnded } of await readMarks(folder)) if (hasEnded) await rm(file, { force: true });
  } catch {
    marked.delete(folder); // a full disk, or one that is only read
  }
}

/** Who reads what is in a folder. */
export async function readersOf(folder: string): Promise<Readers> {
  const marks = await readMarks(folder);
  return {
    inUse: marks.some(({ runs }) => runs),
    lastUsedMs: Math.max(0, ...marks.map(({ sinceMs }) => sinceMs)),
  };
}

interface Mark {
  readonly file: string;
  readonly runs: boolean;
  readonly hasEnded: boolean;
  readonly sinceMs: number;
}

async function readMarks(folder: string): Promise<Mark[]> {
  const marks = join(folder, 'readers');
  const names = await readdir(marks).catch(() => [] as string[]);
  const found = names.map(async (name) => {
    const file = join(marks, name);
    const info = await stat(file).catch(() => undefined);
    if (!info) return []; // swept by another reader
    const reader = parse(await readFile(file, 'utf8').catch(() => ''));
    const ageMs = Date.now() - info.mtimeMs;
    const runs = reader ? await mayRun(reader, ageMs) : ageMs < unfinishedMs;
    return [{ file, runs, hasEnded: reader ? !runs : ageMs > abandonedMs, sinceMs: info.mtimeMs }];
  });
  return (await Promise.all(found)).flat();
}

async function mayRun({ pid, host, started }: Reader, ageMs: number): Promise<boolean> {
  return host === hostname() ? isRunning(pid, started) : ageMs < remoteMs;
}

function parse(text: string): Reader | undefined {
  try {
    const { pid, host, started } = JSON.parse(text) as Partial<Reader>;
    if (typeof pid === 'number' && typeof host === 'string' && typeof started === 'string') {
      return { pid, host, started };
    }
  } catch {
    // Half written.
  }
  return undefined;
}
