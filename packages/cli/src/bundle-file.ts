// Bundles, keys and lists of keys as files.
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { TrustList } from '@paris/trainer';
import { DataError } from '@paris/trainer/options';

/** A bundle as bytes. @throws DataError if there is none, or it is larger than any */
export async function readBundle(file: string): Promise<Uint8Array> {
  const { size } = await stat(file).catch((cause: NodeJS.ErrnoException) => unreadable(file, cause));
  const { mostBundleBytes } = await import('@paris/trainer');
  if (size <= mostBundleBytes) return readFile(file).catch((cause: NodeJS.ErrnoException) => unreadable(file, cause));
  throw new DataError('bundle', `${file} has ${size} bytes; a bundle has ${mostBundleBytes} at most.`);
}

/** Whether a path is a file, and not a folder. */
export async function isFile(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isFile() === true;
}

/** The keys of a list. @throws DataError for what is none */
export async function readTrust(file: string): Promise<TrustList> {
  const text = await textOf(file);
  const { parseTrustList } = await import('@paris/trainer');
  return parseTrustList(text);
}

/** The secret key in a file. @throws DataError if there is no such file */
export async function readSecretKey(file: string): Promise<string> {
  return textOf(file);
}

/** Writes a secret key where there was nothing, for its owner alone. @throws DataError if it cannot be written there */
export async function writeSecretKey(file: string, secretKey: string): Promise<void> {
  const refuse = ({ code }: NodeJS.ErrnoException): never => {
    throw new DataError('key', `${file} cannot be written (${code}). Give another name.`);
  };
  await mkdir(dirname(file), { recursive: true }).catch(refuse);
  await writeFile(file, `${secretKey}\n`, { mode: 0o600, flag: 'wx' }).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code !== 'EEXIST') refuse(cause);
    throw new DataError(
      'key',
      `${file} is there already, and a key that is lost cannot be had again. Give another name.`,
    );
  });
}

async function textOf(file: string): Promise<string> {
  return readFile(file, 'utf8').catch((cause: NodeJS.ErrnoException) => unreadable(file, cause));
}

function unreadable(file: string, cause: NodeJS.ErrnoException): never {
  if (cause.code === 'ENOENT') throw new DataError('bundle', `there is no file ${file}. Check the path.`);
  if (cause.code === 'EISDIR') throw new DataError('bundle', `${file} is a folder. Name a file.`);
  throw new DataError('bundle', `${file} cannot be read (${cause.code}). Check the path and its rights.`, { cause });
}
