// Which kind of source a path or an address is.
import { stat } from 'node:fs/promises';
import { basename, dirname, resolve } from 'node:path';
import { type FileSource, httpStore, patientSource, withoutSecrets } from '@paris/files';
import { nodeStore } from '@paris/files/node';
import { type S3Options, s3Environment, s3Store } from '@paris/files/s3';
import { DataError } from '../../errors.js';
import { ArchiveNames } from './archive-names.js';
import type { EncodedSource } from './encoded-source.js';
import type { Columns } from './fields.js';
import { isArchive, isParquet, isTar } from './file-names.js';
import { parquet } from './parquet.js';
import { webDataset } from './webdataset.js';

const isS3 = (source: string): boolean => /^s3:\/\//i.test(source);
const isAddress = (source: string): boolean => /^https?:\/\//i.test(source) || isS3(source);

/** How archives are read. */
export interface ArchiveOptions {
  columns?: Columns | undefined;
  /** Of `s3://` addresses. Default: what the usual environment variables say, see `s3Environment`. */
  s3?: S3Options | undefined;
  /** Ends requests to a server that are under way. */
  signal?: AbortSignal | undefined;
}

/** The place of this machine that a source is at; undefined for an address. */
export function placeOf(source: string): string | undefined {
  return isAddress(source) ? undefined : resolve(source);
}

/**
 * The pictures of a tar shard or a parquet file, on this machine or at an address (`http`, `https` or `s3`, read in ranges).
 * @throws DataError if it is neither
 */
export async function openArchive(source: string, options: ArchiveOptions = {}): Promise<EncodedSource> {
  return openAmong(new ArchiveNames(), source, options);
}

/** {@link openArchive}, of an archive that is read together with others. */
export async function openAmong(names: ArchiveNames, source: string, options: ArchiveOptions): Promise<EncodedSource> {
  const { columns } = options;
  const { store, path } = fileOf(source, options);
  if (isParquet(path)) return parquet(store, path, columns, names.add(source));
  if (isTar(path)) return webDataset(store, path, columns);
  const shown = withoutSecrets(source);
  throw new DataError('prepare', `${shown} is not a folder, a .tar (.tar.gz, .tgz) or a .parquet. Check the path.`);
}

/**
 * The archives that a source is: itself, or those in a part of a bucket, by name.
 * @throws DataError if there is none in it
 */
export async function archivesOf(source: string, options: ArchiveOptions): Promise<string[]> {
  if (!isS3(source) || isArchive(source)) return [source];
  const folder = source.replace(/\/$/, '');
  const found = (await s3Store(folder, optionsOfS3(options)).list()).filter(isArchive);
  if (found.length > 0) return found.map((path) => `${folder}/${path}`);
  throw new DataError('prepare', `there is no .tar (.tar.gz, .tgz) or .parquet in ${source}. Check the address.`);
}

function fileOf(source: string, options: ArchiveOptions): { store: FileSource; path: string } {
  if (!isAddress(source)) return { store: nodeStore(dirname(resolve(source))), path: basename(source) };
  if (isS3(source)) {
    const at = source.lastIndexOf('/');
    return { store: s3Store(source.slice(0, at), optionsOfS3(options)), path: source.slice(at + 1) };
  }
  const url = urlOf(source);
  const path = url.pathname.slice(url.pathname.lastIndexOf('/') + 1);
  url.pathname = url.pathname.slice(0, url.pathname.length - path.length);
  const { signal } = options;
  return { store: patientSource(httpStore(url, { signal }), { signal }), path: decodeURIComponent(path) };
}

/** @throws DataError for what is no address, or has a `%` in the name of its file that encodes nothing */
function urlOf(source: string): URL {
  try {
    const url = new URL(source);
    decodeURIComponent(url.pathname.slice(url.pathname.lastIndexOf('/') + 1));
    return url;
  } catch {
    const what = `"${withoutSecrets(source)}" is no address`; // and no cause: it holds the whole text
    throw new DataError('prepare', `${what}. Write it as https://host/folder/file.tar, with a % in a name as %25.`);
  }
}

function optionsOfS3({ s3, signal }: ArchiveOptions): S3Options {
  return { ...s3Environment(process.env), signal, ...s3 };
}

/** Whether a source is a folder of this machine. */
export async function isFolder(source: string): Promise<boolean> {
  const found = isAddress(source) ? undefined : await stat(source).catch(() => undefined);
  return found?.isDirectory() ?? false;
}
