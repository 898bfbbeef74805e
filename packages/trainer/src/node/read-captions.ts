// Files of captions of this machine.
import { readFile } from 'node:fs/promises';
import { DataError } from '../errors.js';
import { type Captions, parseCaptions } from './captions.js';
import type { Columns } from './sources/fields.js';

/** @throws DataError if the file cannot be read, or is not what {@link parseCaptions} takes */
export async function readCaptions(path: string, columns?: Columns): Promise<Captions> {
  return parseCaptions(await readText(path, 'the captions file'), path, { columns });
}

/** The text of a file in UTF-8; `what` it is, for errors. @throws DataError if it cannot be read or is in another encoding */
export async function readText(path: string, what: string): Promise<string> {
  const bytes = await readFile(path).catch((cause) => {
    throw new DataError('prepare', `${what} ${path} cannot be read (${cause.code ?? cause.message}). Check its path.`, {
      cause,
    });
  });
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new DataError('prepare', `${what} ${path} is not UTF-8. Save it in UTF-8.`, { cause });
  }
}
