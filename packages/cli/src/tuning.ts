// Which tuning table a command works with: the copy in the folder of a run that is resumed, else the file that --tuning names.
import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { parseJson } from '@paris/files';
import { type Device, openDevice, parseTuningTable, type TuningTable } from '@paris/tensor';
import { RunError, TUNING_FILE } from '@paris/trainer/options';

/** Opens the device, with the kernels of a table where there is one for this adapter. */
export async function openTuned(
  file: string | undefined,
  runFolder: string | undefined,
  warn: (message: string) => void,
): Promise<Device> {
  const given = file === undefined ? undefined : await readTable(file);
  const begun = runFolder !== undefined && (await text(join(runFolder, 'run.json'))) !== undefined;
  if (!begun) return openDevice({ tuning: given });
  const copy = await text(join(runFolder, TUNING_FILE));
  const own = copy === undefined ? undefined : parseTuningTable(parse(copy));
  if (given && JSON.stringify(given) !== JSON.stringify(own)) {
    throw new RunError(
      'train',
      `${basename(runFolder)} began with ${own ? 'another' : 'no'} tuning table. Leave --tuning out to resume, or start again with --fresh.`,
    );
  }
  const device = await openDevice();
  if (!own) return device;
  if (own.fingerprint !== device.info.fingerprint) {
    warn(`the run's kernels were measured on another adapter than ${device.info.adapter}: the fixed rules choose here`);
    return device;
  }
  await device.close();
  return openDevice({ tuning: own });
}

async function readTable(file: string): Promise<TuningTable> {
  const found = await text(file);
  if (found === undefined) throw new RunError('tuning', `there is no file ${file}. Make one with \`paris tune\`.`);
  return parseTuningTable(parse(found));
}

/** What is no JSON is no table either: {@link parseTuningTable} says so. */
function parse(content: string): unknown {
  try {
    return parseJson(content, { tag: 'tuning', path: 'the tuning table' });
  } catch {
    return undefined;
  }
}

async function text(file: string): Promise<string | undefined> {
  return readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    // ENOTDIR: the run is in a bundle, which is one file.
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
    throw error;
  });
}
