// Kernels that were measured: the command that measures, and runs that keep what they were trained with.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nodeStore } from '@paris/files/node';
import { parseTuningTable, type TuningTable } from '@paris/tensor';
import { chooseAdapter } from '@paris/tensor/node';
import { requireCapability } from '@paris/test-tools';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { writeToyData } from '../../trainer/src/testing/toy.js';
import { parisHere } from './testing/paris-here.js';

let works = false;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'paris-tuning-'));
  await writeToyData(nodeStore(join(folder, 'data')));
  works = (await chooseAdapter().catch(() => undefined)) !== undefined;
});
beforeEach((context) => requireCapability(context, 'adapter', works, 'WebGPU gives no adapter'));
afterAll(() => rm(folder, { recursive: true, force: true }));

const size = ['--width', '16', '--heads', '2', '--batch', '4'];
const train = (...extra: string[]) => {
  const run = ['--cluster', '1', '--out', join(folder, 'runs'), '--depth', '1', '--steps', '4'];
  return parisHere(['train', 'expert', join(folder, 'data'), ...run, ...size, ...extra]);
};

it('paris tune writes a table, and a run keeps a copy of the one that it began with', {
  timeout: 170_000,
}, async () => {
  const file = join(folder, 'tuning.json');
  const few = ['--tokens', '4', '--candidates', '2', '--repetitions', '1'];
  const tuned = await parisHere(['tune', '--out', file, ...few, ...size]);
  expect(tuned.code, tuned.stderr).toBe(0);
  expect(tuned.stderr).toMatch(/matmul 16x64x16: .* ms, of 2\)/);
  expect(tuned.stderr).toMatch(/attention backwardKey 8: .* ms, of \d\)/);
  const table = parseTuningTable(JSON.parse(await readFile(file, 'utf8')));

  // A kernel that the rules would not choose, so that the table matters whatever was measured.
  const choice = { kernel: 'registerTile', rows: 4, columns: 1 } as const;
  const own: TuningTable = { ...table, matmul: { ...table.matmul, '16x64x16': choice } };
  await writeFile(file, JSON.stringify(own));
  const first = await train('--tuning', file);
  expect(first.code, first.stderr).toBe(0);
  expect(JSON.parse(await readFile(join(folder, 'runs/expert-01/tuning.json'), 'utf8'))).toEqual(own);

  expect((await train()).code).toBe(0); // goes on with its copy
  await writeFile(file, JSON.stringify({ ...own, matmul: {} }));
  const other = await train('--tuning', file);
  expect(other.code).toBe(78);
  expect(other.stderr).toContain(
    'paris: [train] expert-01 began with another tuning table. Leave --tuning out to resume, or start again with --fresh.',
  );
  const missing = await train('--tuning', join(folder, 'none.json'));
  expect(missing.stderr).toContain(
    `paris: [tuning] there is no file ${folder}/none.json. Make one with \`paris tune\`.`,
  );
});
