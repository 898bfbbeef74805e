// A model from strangers, from beginning to end, with real processes: eight trainings that see one cluster each make a model from
// one command; a ninth is given out as a signed job, a forged result of it is refused and the honest one taken; another is
// withdrawn. npm run test:long -- fleet
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nodeStore } from '@paris/files/node';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { commit } from '../../../trainer/src/verify/attacks.testing.js';
import { type Ended, paris } from '../testing/paris.js';

const kinds = 8;
const pictures = 14; // of each kind: about four are held out, from which on the gate measures losses
const tiny = { width: 16, depth: 1, heads: 2, batch: 8 };
const flags = Object.entries(tiny).flatMap(([name, value]) => [`--${name}`, `${value}`]);

let base: string;
beforeAll(async () => {
  base = await mkdtemp(join(tmpdir(), 'paris-fleet-'));
});
afterAll(() => rm(base, { recursive: true }));
const at = (...path: string[]) => join(base, ...path);

/** Runs the command, which must end with the code. */
async function run(args: readonly string[], code = 0): Promise<Ended> {
  const ended = await paris(args, { env: { PARIS_ADAPTER: 'cpu' } });
  expect(ended.code, `paris ${args.join(' ')}\n${ended.stderr}`).toBe(code);
  return ended;
}

/** Flat pictures of one colour with a grain, and a caption beside each. */
async function draw(folder: string, kind: number): Promise<void> {
  await mkdir(folder, { recursive: true });
  const size = 8;
  for (let i = 0; i < pictures; i++) {
    const levels = Uint8Array.from({ length: 3 * size * size }, (_, at) => {
      const channel = at % 3;
      const base = (kind >> channel) & 1 ? 210 : 40;
      return base + ((at * 7 + i * 13) % 11) + (kind > 7 && at % 6 < 3 ? 30 : 0);
    });
    const png = sharp(levels, { raw: { width: size, height: size, channels: 3 } }).png();
    await writeFile(join(folder, `kind-${kind}-${i}.png`), await png.toBuffer());
    await writeFile(join(folder, `kind-${kind}-${i}.txt`), `a picture of kind${kind}`);
  }
}

const hashesOf = async (model: string): Promise<Record<string, string>> => {
  const index = JSON.parse(await readFile(join(model, 'model_index.json'), 'utf8'));
  const files: { path: string; sha256: string }[] = index.files;
  return Object.fromEntries(files.map(({ path, sha256 }) => [path, sha256]));
};

it('eight make a model, a ninth joins, one is withdrawn, a forged one is refused', { timeout: 1_800_000 }, async () => {
  await eightFromOneCommand();
  await aNinthJoins();
  await oneIsWithdrawn();
});

async function eightFromOneCommand(): Promise<void> {
  for (let kind = 0; kind < kinds; kind++) await draw(at('photos'), kind);
  await run(['prepare', at('photos'), '--size', '8', '--holdout', '0.3', '--out', at('data')]);
  await run(['partition', at('data'), '--clusters', `${kinds}`]);
  const plan = {
    ...{ data: at('data'), runs: at('runs'), model: at('model') },
    expert: { ...tiny, steps: 60 },
    router: { ...tiny, steps: 60 },
    evaluate: false,
  };
  await writeFile(at('model.yaml'), JSON.stringify(plan));
  await run(['launch', 'local', at('model.yaml'), '--jobs', '2', '--logs', at('logs')]);
  const files = Object.keys(await hashesOf(at('model')));
  expect(files.filter((path) => /^experts\/0[0-7]\/model\.safetensors$/.test(path))).toHaveLength(kinds);

  // One of them had nothing but its own folder, and made the same bytes.
  await mkdir(at('alone', 'clusters'), { recursive: true });
  await cp(at('data', 'clusters', '05'), at('alone', 'clusters', '05'), { recursive: true });
  await run(['train', 'expert', at('alone'), '--cluster', '5', '--out', at('elsewhere'), ...flags, '--steps', '60']);
  const weights = (runs: string) => readFile(at(runs, 'expert-05', 'model.safetensors'));
  expect(await weights('elsewhere')).toEqual(await weights('runs'));
}

/** Its forged result is refused. */
async function aNinthJoins(): Promise<void> {
  await draw(at('more-photos'), kinds);
  await run(['prepare', at('more-photos'), '--like', at('data'), '--out', at('more-data')]);
  await run(['partition', at('more-data'), '--like', at('data'), '--add', 'all']);
  await run(['merge', at('data'), at('more-data'), '--keep-clusters', '--out', at('all-data')]);

  let trusted = '';
  for (const name of ['operator', 'stranger']) trusted += (await run(['key', '--out', at(`${name}.key`)])).stdout;
  await writeFile(at('trusted.txt'), trusted);
  const job = ['bundle', at('all-data'), '--cluster', '8', '--key', at('operator.key'), '--out', at('job.paris')];
  await run([...job, '--prove-every', '10', '--', ...flags, '--steps', '40']);

  await run(['train', '--bundle', at('job.paris'), '--trust', at('trusted.txt'), '--out', at('strange')]);
  await cp(at('strange', 'expert-08'), at('lazy', 'expert-08'), { recursive: true });
  const proof = at('lazy', 'expert-08', 'proof');
  const states = (await readdir(proof)).filter((name) => name.endsWith('.safetensors')).sort();
  for (const state of states.slice(1)) await cp(join(proof, states[0]!), join(proof, state)); // it made the first ten steps
  await commit(nodeStore(at('lazy', 'expert-08')));

  const result = (runs: string) => at(`${runs}.paris`);
  for (const runs of ['strange', 'lazy'])
    await run(['bundle', at(runs, 'expert-08'), '--key', at('stranger.key'), '--out', result(runs)]);
  const check = (runs: string, code: number) => {
    const asked = ['--data', at('all-data'), '--job', at('job.paris'), '--trust', at('trusted.txt')];
    return run(['verify', result(runs), ...asked, '--fraction', '0.5', '--confidence', '0.95', '--exact'], code);
  };
  expect((await check('lazy', 65)).stderr).toMatch(/replayed from step \d+, it does not end at step \d+/);
  await check('strange', 0);

  await run(['train', 'router', at('all-data'), '--from', at('runs', 'router'), '--out', at('grown'), '--steps', '20']);
  for (const name of (await readdir(at('runs'))).filter((name) => name.startsWith('expert-')))
    await cp(at('runs', name), at('grown', name), { recursive: true });
  const taken = ['--result', result('strange'), '--trust', at('trusted.txt'), '--data', at('all-data')];
  await run(['assemble', at('grown'), ...taken, '--complete', '--out', at('nine')]);
  const [before, after] = [await hashesOf(at('model')), await hashesOf(at('nine'))];
  const old = Object.keys(before).filter((path) => path.startsWith('experts/'));
  expect(old.length).toBeGreaterThanOrEqual(2 * kinds);
  for (const path of old) expect(after[path], path).toBe(before[path]);
  expect(after['experts/08/model.safetensors']).toBeDefined();
}

/** The others keep their bytes, and draw. */
async function oneIsWithdrawn(): Promise<void> {
  await run(['withdraw', at('nine'), '--expert', '3', '--out', at('eight')]);
  const [before, after] = [await hashesOf(at('nine')), await hashesOf(at('eight'))];
  for (const [path, hash] of Object.entries(after)) if (path !== 'README.md') expect(hash, path).toBe(before[path]); // the card lists one expert less
  const gone = Object.keys(before).filter((path) => !(path in after));
  expect(gone.sort()).toEqual(['experts/03/config.json', 'experts/03/model.safetensors']);
  await run(['sample', at('eight'), '--prompt', 'a picture of kind3', '--steps', '4', '--out', at('grid.png')]);
  expect((await readFile(at('grid.png'))).length).toBeGreaterThan(100);
}
