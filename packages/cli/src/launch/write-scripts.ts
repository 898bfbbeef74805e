// Scripts and manifests in a folder. What was there before is written over only if it was ours.
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { OutputError } from '@paris/trainer/options';
import { createReporter } from '../reporter.js';
import { quoted } from './shell.js';

/** The first line of each file, or the second after `#!`. */
const marker = '# Written by paris launch.';

/** @throws OutputError before anything is written, if the folder holds files and none of ours, or one of these names is not ours */
export async function writeScripts(
  folder: string,
  files: Readonly<Record<string, string>>,
  first: string,
): Promise<void> {
  await assertOurs(folder);
  for (const name of Object.keys(files)) {
    if ((await isOurs(join(folder, name))) !== false) continue;
    throw new OutputError('launch', `${join(folder, name)} is not of paris launch. Give a new or an empty --out.`);
  }
  await mkdir(folder, { recursive: true });
  for (const [name, text] of Object.entries(files)) {
    const [line, rest] = text.startsWith('#!')
      ? [`${text.split('\n', 1)[0]}\n`, text.slice(text.indexOf('\n') + 1)]
      : ['', text];
    await writeFile(join(folder, name), `${line}${marker}\n${rest}`, { mode: name.endsWith('.sh') ? 0o755 : 0o644 });
  }
  const begin = `sh ${quoted(join(folder, first))}`;
  createReporter(false).info(`${Object.keys(files).length} files → ${folder}. Begin with: ${begin}`);
}

/** Files of yours may lie among ours, but a folder of others does not become ours. */
async function assertOurs(folder: string): Promise<void> {
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw unwritable(folder, error);
  });
  if (names.length === 0) return;
  for (const name of names)
    if (/\.(sh|yaml)$/.test(name) && (await isOurs(join(folder, name)).catch(() => false))) return;
  const what = `${JSON.stringify(folder)} holds files, and none of paris launch`;
  throw new OutputError('launch', `${what}. Give a new or an empty --out.`);
}

/** Undefined if there is no such file. */
async function isOurs(file: string): Promise<boolean | undefined> {
  return readFile(file, 'utf8').then(
    (text) => text.split('\n', 2).includes(marker),
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined;
      throw unwritable(file, error);
    },
  );
}

function unwritable(file: string, { code }: NodeJS.ErrnoException): OutputError {
  return new OutputError('launch', `${file} cannot be written (${code}). Give another --out.`);
}
