// Scripts and manifests in a folder. What was there before is written over only if it was ours.
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { OutputError } from '@paris/trainer/options';
import { createReporter } from '../reporter.js';

/** In the first lines of each file. */
const marker = '# Written by paris launch.';

/** @throws OutputError before anything is written, if a file of one of these names is not ours */
export async function writeScripts(
  folder: string,
  files: Readonly<Record<string, string>>,
  first: string,
): Promise<void> {
  for (const name of Object.keys(files)) {
    const there = await readFile(join(folder, name), 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return marker;
      throw new OutputError('launch', `${join(folder, name)} cannot be written (${error.code}). Give another --out.`);
    });
    if (there.includes(marker)) continue;
    throw new OutputError('launch', `${join(folder, name)} is not of paris launch. Give a new or an empty --out.`);
  }
  await mkdir(folder, { recursive: true });
  for (const [name, text] of Object.entries(files)) {
    const [line, rest] = text.startsWith('#!')
      ? [`${text.split('\n', 1)[0]}\n`, text.slice(text.indexOf('\n') + 1)]
      : ['', text];
    await writeFile(join(folder, name), `${line}${marker}\n${rest}`, { mode: name.endsWith('.sh') ? 0o755 : 0o644 });
  }
  createReporter(false).info(`${Object.keys(files).length} files → ${folder}. Begin with: sh ${join(folder, first)}`);
}
