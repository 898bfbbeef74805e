// kill -9 of real processes, at random moments: each does one thing with the built packages, as a user's program does, and is
// killed; the same thing, done again until it is done, leaves the bytes that it leaves undisturbed.
import { spawn } from 'node:child_process';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { sha256 } from '@paris/files';
import { nodeStore } from '@paris/files/node';
import { hostUniform, key } from '@paris/tensor';
import { expect } from 'vitest';
import { pinned } from './pinned/sums.testing.js';
import { writeFlatPictures } from './testing/flat-pictures.js';
import { toySize, toyTraining, writeToyData } from './testing/toy.js';

const deeds = {
  train: `const training = { ...${JSON.stringify(toyTraining)}, steps: 240 };
    const config = ditConfig(${JSON.stringify(toySize)});
    await trainExpert({ device, data: at('toy'), runs: at('out'), cluster: 1, architecture: dit, config, training,
      checkpointEvery: 5, proveEvery: 40, validation: { data: at('toy'), every: 20, pictures: 4, levels: 2 } });`,
  prepare: `await prepare({ source: join(folder, 'pictures'), size: 8, out: at('out'), shardBytes: 500, nearCopies: false });`,
  partition: `await partitionData({ device, data: at('out'), clusters: 3, shardBytes: 700 });`,
  assemble: `await assemble({ runs: at('runs'), out: at('out'), licence: 'MIT' });`,
};
/** What is killed. */
type Deed = keyof typeof deeds;

const program = (deed: Deed): string => `
  import { join } from 'node:path';
  import { dit } from '@paris/dit';
  import { nodeStore } from '@paris/files/node';
  import { openDevice } from '@paris/tensor';
  import { assemble, ditConfig, partitionData, trainExpert } from '@paris/trainer';
  import { prepare } from '@paris/trainer/node';
  const folder = process.argv[1];
  const at = (name) => nodeStore(join(folder, name));
  const device = await openDevice({ require: 'cpu' });
  console.log('begins');
  ${deeds[deed]}
  console.log('ends');
  await device.close();`;

/** @returns how long it worked, in milliseconds, or undefined if it was killed before it was done */
async function once(deed: Deed, folder: string, killAfterMs?: number): Promise<number | undefined> {
  const cwd = fileURLToPath(new URL('..', import.meta.url));
  const child = spawn(process.execPath, ['--input-type=module', '-e', program(deed), folder], { cwd });
  let said = '';
  child.stderr.on('data', (chunk) => {
    said += chunk;
  });
  let [began, ended] = [Number.NaN, Number.NaN];
  createInterface(child.stdout).on('line', (line) => {
    if (line === 'ends') ended = performance.now();
    if (line !== 'begins') return;
    began = performance.now();
    if (killAfterMs !== undefined) setTimeout(() => child.kill('SIGKILL'), killAfterMs);
  });
  const [code, signal] = await new Promise<[number | null, string | null]>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (...how) => resolve(how));
  });
  if (signal !== 'SIGKILL' && code !== 0) throw new Error(`${deed} ended with ${code ?? signal}: ${said}`);
  return code === 0 ? ended - began : undefined;
}

/** All files that do not tell the time, by path; of the rest, what does not. */
async function contents(folder: string): Promise<Record<string, unknown>> {
  const store = nodeStore(folder);
  const files: Record<string, unknown> = {};
  for (const path of await store.list()) {
    if (path.endsWith('log.jsonl')) continue;
    const bytes = await store.read(path);
    if (!path.endsWith('run.json')) files[path] = await sha256(bytes);
    else {
      const { result, ...record } = JSON.parse(new TextDecoder().decode(bytes));
      files[path] = { ...record, result: { ...result, seconds: 0, imagesPerSecond: 0 } };
    }
  }
  return files;
}

/** What each deed begins with. */
async function scene(deed: Deed): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), `paris-kills-${deed}-`));
  if (deed === 'train') await writeToyData(nodeStore(join(folder, 'toy')));
  if (deed === 'prepare' || deed === 'partition') {
    const pictures = join(folder, 'pictures');
    await cp(await flatPictures(), pictures, { recursive: true });
    if (deed === 'partition') await once('prepare', folder);
  }
  if (deed === 'assemble') {
    const runs = nodeStore(join(folder, 'runs'));
    for (const path of await pinned.list('runs')) await runs.write(path.slice('runs/'.length), await pinned.read(path));
  }
  return folder;
}

let made: Promise<string> | undefined;
function flatPictures(): Promise<string> {
  made ??= mkdtemp(join(tmpdir(), 'paris-kills-pictures-')).then(async (folder) => {
    await writeFlatPictures(folder, 16);
    return folder;
  });
  return made;
}

/** How many kills of each deed are so many together. */
export function sharesOf(kills: number): [Deed, number][] {
  const [prepare, partition, assemble] = [0.15, 0.15, 0.1].map((share) => Math.max(1, Math.round(share * kills)));
  return [
    ['train', Math.max(1, kills - prepare! - partition! - assemble!)],
    ...Object.entries({ prepare, partition, assemble } as { [deed in Deed]: number }),
  ] as [Deed, number][];
}

/** What became of some kills. */
interface Kills {
  kills: number;
  /** How often the deed was done in the end, each time with the undisturbed bytes. */
  done: number;
}

/** Kills so often, at moments that the seed decides as parts of the time that the deed takes. */
export async function killOften(deed: Deed, wanted: number, seed = 0): Promise<Kills> {
  const undisturbed = await scene(deed);
  const folders = [undisturbed];
  try {
    const span = (await once(deed, undisturbed))!;
    const expected = await contents(join(undisturbed, 'out'));
    expect(Object.keys(expected).length).toBeGreaterThan(1);
    // A training comes a little further each time.
    const draws = hostUniform(key(seed), 100 * wanted).map((u) => u * span * (deed === 'train' ? 0.4 : 1));
    const found: Kills = { kills: 0, done: 0 };
    for (let at = 0; found.kills < wanted; ) {
      const folder = await scene(deed);
      folders.push(folder);
      let took: number | undefined;
      while (found.kills < wanted && took === undefined) {
        took = await once(deed, folder, draws[at++ % draws.length]);
        if (took === undefined) found.kills += 1;
      }
      if (took === undefined) await once(deed, folder);
      expect(await contents(join(folder, 'out')), `${deed} after ${found.kills} kills`).toEqual(expected);
      found.done += 1;
    }
    return found;
  } finally {
    for (const folder of folders) await rm(folder, { recursive: true, force: true });
    if (made) await rm(await made, { recursive: true, force: true });
    made = undefined;
  }
}
