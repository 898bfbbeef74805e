// How a file is written: whole or not at all, and never in place of something that is no file.

import { constants, type Stats } from 'node:fs';
import { access, type FileHandle, lstat, open, readlink, realpath, rename, rm, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { StoreError, UnavailableError } from '../errors.js';
import type { FileContent } from '../stores/store.js';
import { isPassing } from './passing.js';
import { sweepTemporaries, temporaryFor } from './temporary.js';

/**
 * Writes a file whose folder is there: a temporary file next to it is flushed to the disk and renamed, so that a crash
 * leaves the old content or the new; what a killed process left of its temporary file goes at the next process's first write
 * in that folder. Of a link, the file that it names is replaced and the link stays. Devices
 * (`/dev/null`, `/dev/stdout`) and pipes that somebody reads are written into.
 * @throws StoreError if something else is there (a folder, a socket, a disk), or nobody reads the pipe; the system's
 *   error if the file cannot be written
 */
export async function replaceFile(file: string, content: FileContent): Promise<void> {
  const info = await writable(file);
  if (info && !info.isFile()) return writeInto(file, info, content);
  const target = info ? await realpath(file) : await endOfLink(file);
  await sweepTemporaries(dirname(target));
  const temporary = await temporaryFor(target);
  try {
    const handle = await open(temporary, 'wx');
    try {
      await writeAll(handle, content);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, target);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  await syncFolder(dirname(target));
}

/**
 * Tries whether {@link replaceFile} can write a file, before work is done that would be lost. Changes nothing; folders
 * that are missing are taken to be made later.
 * @throws StoreError as `replaceFile`, or if its folder cannot be written
 */
export async function tryReplaceFile(file: string): Promise<void> {
  try {
    const info = await writable(file);
    if (info && !info.isFile()) return await access(file, constants.W_OK);
    const target = info ? await realpath(file) : await endOfLink(file);
    const trial = await temporaryFor(join(await existingFolder(dirname(target)), 'trial'));
    await (await open(trial, 'wx')).close();
    await rm(trial);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (cause instanceof StoreError || code === undefined) throw cause;
    const Refusal = isPassing(cause) ? UnavailableError : StoreError;
    throw new Refusal('store', `"${file}" cannot be written (${code}). Check its folder and the disk.`, { cause });
  }
}

/** What is there, if it may be written. */
async function writable(file: string): Promise<Stats | undefined> {
  if (file === '') throw new StoreError('store', 'the name of a file to write is empty. Give one.');
  const info = await stat(file).catch(absent);
  if (!info && /[/\\]$/.test(file)) {
    throw new StoreError('store', `"${file}" is the name of a folder. Name a file in it.`);
  }
  if (info && !info.isFile() && !info.isCharacterDevice() && !info.isFIFO()) {
    throw new StoreError('store', `"${file}" is ${kindOf(info)}, which is never replaced. Write to another name.`);
  }
  return info;
}

/** The folder, or the nearest above it that is there. */
async function existingFolder(folder: string): Promise<string> {
  const info = await stat(folder).catch(absent);
  return info ? folder : existingFolder(dirname(folder));
}

/** Makes a rename last through a power cut, where the system can flush a folder (Windows cannot). */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder).catch(() => undefined);
  await handle?.sync().catch(() => undefined);
  await handle?.close();
}

async function writeAll(handle: FileHandle, content: FileContent): Promise<void> {
  if (ArrayBuffer.isView(content)) return handle.writeFile(content);
  for await (const part of content) await handle.writeFile(part); // from where the last one ended
}

/** A device or a pipe: there is no old content to keep. */
async function writeInto(file: string, info: Stats, content: FileContent): Promise<void> {
  // Opening a pipe waits for its reader, and a process that waits so cannot be ended by Ctrl-C: ask first.
  const first = info.isFIFO() ? await openPipe(file) : undefined;
  try {
    const handle = await open(file, 'w');
    try {
      await writeAll(handle, content);
    } finally {
      await handle.close();
    }
  } finally {
    await first?.close();
  }
}

async function openPipe(file: string) {
  return open(file, constants.O_WRONLY | constants.O_NONBLOCK).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code !== 'ENXIO') throw cause;
    throw new StoreError('store', `nobody reads from the pipe "${file}". Start its reader first.`, { cause });
  });
}

/** Where a link to nothing leads: the file that is to be made. Anything else is its own end. */
async function endOfLink(file: string): Promise<string> {
  let at = resolve(file);
  for (let links = 0; (await lstat(at).catch(absent))?.isSymbolicLink(); links++) {
    if (links === 40) throw new StoreError('store', `"${file}" is a link that leads back to itself. Remove it.`);
    at = resolve(dirname(at), await readlink(at));
  }
  return at;
}

function absent(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT' && error.code !== 'ELOOP') throw error;
}

function kindOf(info: Stats): string {
  if (info.isDirectory()) return 'a folder';
  return info.isSocket() ? 'a socket' : 'a device';
}
