// `paris experiment` as a process: killed in the middle and given again, it ends with the same bytes.
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chooseAdapter } from '@paris/tensor/node';
import { requireCapability } from '@paris/test-tools';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { paris } from './testing/paris.js';
import { parisHere } from './testing/paris-here.js';

let works = false;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'paris-experiment-'));
  works = (await chooseAdapter().catch(() => undefined)) !== undefined;
});
afterAll(() => rm(folder, { recursive: true, force: true }));
beforeEach((context) => requireCapability(context, 'adapter', works, 'WebGPU gives no adapter'));

const small = ['experiment', 'main', '--smoke', '--seeds', '5', '--steps', '6', '--pictures', '4', '--json'];

it('is killed, resumes, and writes what an undisturbed one writes', async () => {
  const [straight, killed] = [join(folder, 'straight'), join(folder, 'killed')];
  expect(await parisHere([...small, '--out', straight])).toMatchObject({ code: 0 });
  let pieces = 0;
  const first = await paris([...small, '--out', killed], {
    onEvent: (event, child) => {
      if (event.type !== 'notice' || !event.message.startsWith('seed 5')) return;
      if (++pieces === 3) setTimeout(() => process.kill(-child.pid!, 'SIGKILL'), 300);
    },
  });
  expect(first.signal).toBe('SIGKILL');
  expect(existsSync(join(killed, 'results.json'))).toBe(false);
  expect(existsSync(join(killed, 'seed-5/monolith/measured.json'))).toBe(true);
  let resumed = await parisHere([...small, '--out', killed]);
  // What a dying process holds is held for a moment: 75 says to try again.
  for (let i = 0; resumed.code === 75 && i < 20; i++) resumed = await parisHere([...small, '--out', killed]);
  expect(resumed).toMatchObject({ code: 0 });
  expect(await readFile(join(killed, 'results.json'))).toEqual(await readFile(join(straight, 'results.json')));
  expect(await readFile(join(killed, 'index.html'), 'utf8')).toContain(
    'What the papers found, and what was found here',
  );
}, 300_000);

it('asks for pictures where it has none, and names its experiments', async () => {
  const out = join(folder, 'none');
  const without = await parisHere(['experiment', 'main', '--out', out]);
  expect(without.stderr).toContain('[experiment] there are no pictures. Give a data folder: --data data/, or --smoke');
  expect(existsSync(out)).toBe(false);
  const unknown = await parisHere(['experiment', 'maine', '--smoke', '--out', out]);
  expect(unknown.code).toBe(2);
  expect(unknown.stderr).toContain('main, clusters, objectives, alignment, compute');
});
