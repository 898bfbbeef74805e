// `paris distil` as a process: killed and given again it ends with the same bytes, and its model is one that others take.
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nodeStore } from '@paris/files/node';
import { openDevice } from '@paris/tensor';
import { chooseAdapter } from '@paris/tensor/node';
import { requireCapability } from '@paris/test-tools';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { trainToyTeacher } from '../../trainer/src/distil/toy-teacher.testing.js';
import { writeToyData } from '../../trainer/src/testing/toy.js';
import { paris } from './testing/paris.js';
import { parisHere } from './testing/paris-here.js';

let works = false;
let folder: string;
const at = (name: string) => join(folder, name);
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'paris-distil-'));
  works = (await chooseAdapter().catch(() => undefined)) !== undefined;
  await writeToyData(nodeStore(at('data')));
  if (!works) return;
  const device = await openDevice();
  await trainToyTeacher(device, nodeStore(at('data')), nodeStore(at('model')));
  await device.close();
}, 300_000);
beforeEach((context) => requireCapability(context, 'adapter', works, 'WebGPU gives no adapter'));
afterAll(() => rm(folder, { recursive: true, force: true }));

const distil = (out: string) => [
  ...['distil', at('model'), '--data', at('data'), '--out', at(out), '--steps', '24', '--batch', '4'],
  ...['--depth', '2', '--checkpoint-every', '4', '--json'],
];

it('is killed, resumes, and ends with the bytes of an undisturbed one; its model samples and is evaluated', async () => {
  const straight = await parisHere(distil('straight/'));
  expect(straight.code, straight.stderr).toBe(0);
  const first = await paris(distil('student'), {
    onEvent: (event, child) => {
      if (event.type === 'checkpoint' && event.step >= 4) process.kill(-child.pid!, 'SIGKILL');
    },
  });
  expect(first.signal).toBe('SIGKILL');
  let resumed = await parisHere(distil('student'));
  // What a dying process holds is held for a moment: 75 says to try again.
  for (let i = 0; resumed.code === 75 && i < 20; i++) resumed = await parisHere(distil('student'));
  expect(resumed.code, resumed.stderr).toBe(0);
  const weights = 'experts/00/model.safetensors';
  expect(await readFile(at(`student/${weights}`))).toEqual(await readFile(at(`straight/${weights}`)));
  const config = JSON.parse(await readFile(at('student/experts/00/config.json'), 'utf8'));
  expect(config).toMatchObject({ depth: 2, hiddenSize: 16, objective: { prediction: 'velocity', path: 'linear' } });
  const card = await readFile(at('student/README.md'), 'utf8');
  expect(card).toContain('A diffusion model of one network, which needs no router.');
  expect(card).toMatch(/distilled from the model whose index has SHA-256 [0-9a-f]{16}, under MIT; each picture by/);

  const sampled = await parisHere([
    'sample',
    at('student'),
    '--prompt',
    'red square',
    '--steps',
    '2',
    '--out',
    at('red.png'),
  ]);
  expect(sampled.code, sampled.stderr).toBe(0);
  const measured = await parisHere([
    'evaluate',
    at('student'),
    '--data',
    at('data'),
    '--out',
    at('found.json'),
    '--samples',
    '4',
  ]);
  expect(measured.code, measured.stderr).toBe(0);
  expect(JSON.parse(await readFile(at('found.json'), 'utf8'))).toMatchObject({ clusters: 1 });
  expect(await parisHere(['publish', at('student'), '--to', 'hf:somebody/student'])).toMatchObject({ code: 0 });
}, 1_200_000);

it('refuses a student in its teacher, and a folder that is no model, before anything is trained', async () => {
  const inside = await parisHere(['distil', at('model'), '--data', at('data'), '--out', at('model/student')]);
  expect(inside.stderr).toContain('[distil] the model folder');
  expect(inside.stderr).toContain('is inside the teacher');
  const taken = await parisHere([
    'distil',
    at('model'),
    '--data',
    at('data'),
    '--out',
    at('data-copy'),
    '--runs',
    at('data'),
  ]);
  expect(taken.stderr).toContain('is the data folder');
  expect((await parisHere(['distil', at('model'), '--out', at('x')])).stderr).toContain(
    "required option '--data <folder>' not specified",
  );
});
