// Eight experts that never hear of each other become one model from one command; a ninth joins, one is withdrawn, and a forged and a lazy
// one are refused with the reason. All of it with the built command, in processes of their own.
import { spawnSync } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nodeStore } from '@paris/files/node';
import { readSafetensors, writeSafetensors } from '@paris/files/safetensors';
import type { ModelIndex } from '@paris/model';
import { encodePng } from '@paris/sampler';
import { hostNormal, hostUniform, key } from '@paris/tensor';
import { requireCapability } from '@paris/test-tools';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { paris } from '../testing/paris.js';

const size = 8;
const colours = [
  [230, 30, 30],
  [30, 230, 30],
  [30, 30, 230],
  [230, 230, 30],
  [230, 30, 230],
  [30, 230, 230],
  [240, 240, 240],
  [20, 20, 20],
  [130, 130, 130], // the ninth
] as const;
const experts = { steps: 120, batch: 4, width: 16, depth: 1, heads: 2, patch: 4, 'learning-rate': 0.003, ema: 0.9 };
const router = { ...experts, steps: 40, 'learning-rate': 0.01 };

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'paris-fleet-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const at = (...names: string[]) => join(folder, ...names);
const index = async (model: string) => JSON.parse(await readFile(at(model, 'model_index.json'), 'utf8')) as ModelIndex;
const flags = (of: object) => Object.entries(of).flatMap(([name, value]) => [`--${name}`, String(value)]);

async function done(...args: string[]): Promise<string> {
  const { code, stderr, stdout } = await paris(args, { env: { PARIS_ADAPTER: 'cpu' } });
  expect(code, stderr).toBe(0);
  return stderr + stdout;
}

async function refused(...args: string[]): Promise<string> {
  const { code, stderr } = await paris(args, { env: { PARIS_ADAPTER: 'cpu' } });
  expect(code, stderr).toBe(65);
  return stderr;
}

/** Pictures of one colour each, a little brighter or darker, with a square somewhere. */
async function writePictures(name: string, which: readonly number[], each = 20): Promise<void> {
  await mkdir(at(name), { recursive: true });
  for (const colour of which) {
    const draws = hostUniform(key(colour), 3 * each);
    for (let i = 0; i < each; i++) {
      const [shade, x, y] = [0, 1, 2].map((j) => draws[3 * i + j]!) as [number, number, number];
      const data = new Uint8Array(3 * size * size);
      for (let place = 0; place < size * size; place++) {
        const [column, row] = [place % size, Math.floor(place / size)];
        const inside = Math.abs(column - 7 * x) < 1.5 && Math.abs(row - 7 * y) < 1.5;
        for (let c = 0; c < 3; c++) data[3 * place + c] = (inside ? 0.5 : 0.8 + 0.2 * shade) * colours[colour]![c]!;
      }
      await writeFile(at(name, `${colour}-${i}.png`), encodePng({ width: size, height: size, data }));
    }
  }
}

const filesOf = ({ files }: ModelIndex, experts: readonly number[]) =>
  files.filter(({ path }) => experts.some((k) => path.startsWith(`experts/0${k}/`)));
const range = (count: number) => Array.from({ length: count }, (_, k) => k);

it('makes a model of eight, adds a ninth, takes one out, and refuses what is forged', {
  timeout: 3_600_000,
}, async (context) => {
  const alone = ['unshare', '--net'];
  const { status } = spawnSync(alone[0]!, [...alone.slice(1), 'true']);
  requireCapability(context, 'netns', status === 0, 'this system does not let us make a network namespace');

  await writePictures('pictures', range(8));
  await done('prepare', at('pictures'), '--size', `${size}`, '--holdout', '0.25', '--out', at('data'));
  await done('partition', at('data'), '--clusters', '8');
  const plan = { data: at('data'), runs: at('runs'), model: at('model'), expert: experts, router, evaluate: false };
  await writeFile(at('plan.json'), JSON.stringify(plan));
  const launch = ['launch', 'local', at('plan.json'), '--jobs', '2', '--logs', at('logs')];
  const launched = await paris(launch, { wrapper: alone, env: { PARIS_ADAPTER: 'cpu' } });
  expect(launched.code, launched.stderr).toBe(0);
  const eight = await index('model');
  expect(eight).toMatchObject({ clusters: 8 });
  expect(eight.absent).toBeUndefined();
  expect(filesOf(eight, range(8))).toHaveLength(16);

  // A ninth.
  await writePictures('more', [8]);
  await done('prepare', at('more'), '--like', at('data'), '--holdout', '0.25', '--out', at('more-data'));
  await done('partition', at('more-data'), '--like', at('data'), '--add', 'all');
  await done('merge', at('data'), at('more-data'), '--keep-clusters', '--out', at('all-data'));
  await done('train', 'expert', at('all-data'), '--cluster', '8', '--out', at('nine'), ...flags(experts));
  const grown = ['--from', at('runs/router'), '--learns', 'row', ...flags({ steps: 10, batch: 4 })];
  await done('train', 'router', at('all-data'), '--out', at('nine'), ...grown);
  for (const k of range(8)) await cp(at(`runs/expert-0${k}`), at(`nine/expert-0${k}`), { recursive: true });
  await done('assemble', at('nine'), '--data', at('all-data'), '--out', at('model-of-nine'));
  const nine = await index('model-of-nine');
  expect(nine).toMatchObject({ clusters: 9 });
  expect(filesOf(nine, range(8))).toEqual(filesOf(eight, range(8)));

  // One leaves.
  await done('withdraw', at('model-of-nine'), '--expert', '3', '--in-place');
  const left = await index('model-of-nine');
  expect(left).toMatchObject({ clusters: 9, absent: [3] });
  const others = range(9).filter((k) => k !== 3);
  expect(filesOf(left, others)).toEqual(filesOf(nine, others));
  await done('sample', at('model-of-nine'), '--count', '1', '--steps', '2', '--out', at('picture.png'));

  // A copy with noise in the place of another expert, and one who made a tenth of the steps.
  const weights = 'expert-05/model.safetensors';
  const store = nodeStore(at('nine'));
  const honest = await store.read(weights);
  const tensors = await readSafetensors(store, 'expert-02/model.safetensors');
  const noisy = Object.entries(tensors).map(([name, { data, ...tensor }], i) => {
    const noise = hostNormal(key(9).foldIn(i), data.length);
    return [
      name,
      { ...tensor, data: Float32Array.from(noise, (value, at) => Number(data[at]) + 0.01 * value) },
    ] as const;
  });
  await store.write(weights, writeSafetensors(Object.fromEntries(noisy)));
  const assemble = ['assemble', at('nine'), '--data', at('all-data'), '--out', at('forged')];
  expect(await refused(...assemble)).toMatch(
    /expert-0[25] is refused: its weights are a copy, with changes \(likeness 0\.\d\d\) of those of expert-0[25]/,
  );
  await done(
    'train',
    'expert',
    at('all-data'),
    '--cluster',
    '5',
    '--out',
    at('lazy'),
    ...flags({ ...experts, steps: 12 }),
  );
  await store.write(weights, await nodeStore(at('lazy')).read(weights));
  expect(await refused(...assemble)).toMatch(
    /expert-05 is refused: its weights moved \d+ % of the distance that is usual/,
  );
  await store.write(weights, honest);
  await done('assemble', at('nine'), '--data', at('all-data'), '--out', at('forged'));
});
