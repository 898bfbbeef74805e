// Files that a command writes at its end: tried before the work begins, and not lost if it fails after all.
import { randomUUID } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, extname, join, resolve } from 'node:path';
import { StoreError, UnavailableError, ValueError } from '@paris/files';
import { isPassing, replaceFile, tryReplaceFile } from '@paris/files/node';

/** A file that an option of a command names. */
export interface Output {
  /** As in `--out`. */
  option: string;
  /** Undefined if the option was not given. */
  file: string | undefined;
  /** What will be in it; other pictures' endings are refused. */
  format: 'PNG' | 'SVG' | 'JSON' | 'HTML';
}

/**
 * Refuses what could not be written, or would be named wrong, or by two options at once.
 * @throws StoreError or ValueError, in a sentence that names the file
 */
export async function tryOutputs(command: string, outputs: readonly Output[]): Promise<void> {
  const taken = new Map<string, string>();
  for (const { option, file, format } of outputs) {
    if (file === undefined) continue;
    const ending = extname(file).slice(1).toLowerCase();
    if (otherFormats.includes(ending) && ending !== format.toLowerCase()) {
      const instead = `${basename(file, extname(file))}.${format.toLowerCase()}`;
      throw new ValueError(command, `${option} writes ${format}, not .${ending}. Name it ${instead}.`);
    }
    const other = taken.get(resolve(file));
    if (other !== undefined) {
      throw new ValueError(command, `${other} and ${option} name the same file, ${file}. Give two names.`);
    }
    taken.set(resolve(file), option);
    await tryReplaceFile(file);
  }
}

const otherFormats = [
  'png',
  'jpg',
  'jpeg',
  'webp',
  'gif',
  'avif',
  'tif',
  'tiff',
  'bmp',
  'heic',
  'svg',
  'json',
  'html',
  'pdf',
];

/**
 * Writes finished work and makes missing folders. What cannot be written where it was asked for goes next to it, or to
 * the current folder, or to that for temporary files.
 * @throws StoreError that says where it is instead; UnavailableError if it may go there later
 */
export async function saveOutputs(
  command: string,
  outputs: readonly { file: string; content: Uint8Array | string }[],
): Promise<void> {
  const failures: string[] = [];
  let passing = true;
  for (const { file, content } of outputs) {
    const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content;
    const failed = await write(file, bytes);
    if (failed === undefined) continue;
    const saved = await rescue(file, bytes);
    const where = saved === undefined ? 'and nowhere else either' : `it is in ${saved} instead`;
    failures.push(`${file} could not be written (${failed.why}); ${where}`);
    passing &&= failed.passing;
  }
  if (failures.length === 0) return;
  throw new (passing ? UnavailableError : StoreError)(command, `${failures.join('; ')}.`);
}

/** @returns why it failed, and whether it may succeed later */
async function write(file: string, bytes: Uint8Array): Promise<{ why: string; passing: boolean } | undefined> {
  try {
    await mkdir(dirname(file), { recursive: true });
    await replaceFile(file, bytes);
    return undefined;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const why = error instanceof StoreError ? message.replace(/^\[store\] |\.$/g, '') : (code ?? message);
    return { why, passing: error instanceof UnavailableError || isPassing(error) };
  }
}

async function rescue(file: string, bytes: Uint8Array): Promise<string | undefined> {
  const extension = extname(file);
  const name = `${basename(file, extension) || 'output'}-${randomUUID().slice(0, 8)}${extension}`;
  for (const folder of [dirname(file), process.cwd(), tmpdir()]) {
    const other = join(folder, name);
    const written = await replaceFile(other, bytes).then(
      () => true,
      () => false,
    );
    if (written) return other;
  }
  return undefined;
}
