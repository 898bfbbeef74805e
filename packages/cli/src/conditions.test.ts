// From pictures to pictures in latent space, with features of captions and with classes, by the command.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nodeStore } from '@paris/files/node';
import { openDevice } from '@paris/tensor';
import { chooseAdapter } from '@paris/tensor/node';
import { requireCapability } from '@paris/test-tools';
import { decode } from 'fast-png';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { toyCodec, toyText, writeToyPictures } from '../../trainer/src/testing/parts.testing.js';
import { parisHere } from './testing/paris-here.js';

let folder: string;
let works = false;
const at = (name: string) => join(folder, name);
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'paris-conditions-'));
  works = (await chooseAdapter().catch(() => undefined)) !== undefined;
  await writeToyPictures(at('photos'), 5);
  if (!works) return;
  const device = await openDevice();
  for (const { store, folder: name } of [await toyCodec(device), await toyText(device)]) {
    for (const path of await store.list(name)) await nodeStore(folder).write(path, await store.read(path));
  }
  await device.close();
}, 300_000);
beforeEach((context) => requireCapability(context, 'adapter', works, 'WebGPU gives no adapter'));
afterAll(() => rm(folder, { recursive: true, force: true }));

async function run(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await parisHere(args);
  expect(`${code} ${code === 0 ? '' : stderr}`).toBe('0 ');
  return stdout + stderr;
}

const parts = () => ['--codec', at('codec'), '--text', at('text')];
const toy = ['--width', '8', '--depth', '1', '--heads', '2', '--patch', '2', '--steps', '2', '--batch', '4'];

it('prepares, trains, assembles, samples and evaluates', async () => {
  const captions = [
    '--captions',
    at('photos/captions.csv'),
    '--size',
    '8',
    '--holdout',
    '0.4',
    '--seed',
    '7',
    '--no-near-copies',
  ];
  expect(await run('prepare', at('photos'), ...captions, ...parts(), '--labels', '--out', at('data'))).toContain(
    'latents of 4 × 4 × 4, features of 8 × 8, 3 classes',
  );
  expect(await run('info', at('data'))).toMatch(/latents +4 × 4 × 4 of 8 px, by autoencoder-kl/);
  await run('partition', at('data'), '--clusters', '2');
  const watched = ['--sample-every', '2', '--sample-prompt', 'a red cat', ...parts(), '--validate-every', '2'];
  await run('train', 'expert', at('data'), '--cluster', '0', '--out', at('runs'), ...toy, ...watched);
  const sample = decode(await readFile(at('runs/expert-00/samples/00000002.png')));
  expect([sample.width, sample.height]).toEqual([8, 8]);
  await run('train', 'expert', at('data'), '--cluster', '1', '--out', at('runs'), ...toy);
  await run('train', 'router', at('data'), '--out', at('runs'), ...toy, '--condition', 'text');
  await run('assemble', at('runs'), '--data', at('data'), ...parts(), '--out', at('model'));
  await run('sample', at('model'), '--prompt', 'a red cat', '--steps', '2', '--out', at('grid.png'));
  expect(decode(await readFile(at('grid.png'))).width).toBeGreaterThanOrEqual(8);
  await run('evaluate', at('model'), '--data', at('data'), '--out', at('evaluation.json'), '--samples', '1');
  expect(JSON.parse(await readFile(at('evaluation.json'), 'utf8'))).toMatchObject({ clusters: 2 });
  // What was measured is kept where there is too little to compare pictures with.
  const few = ['--out', at('few.json'), '--no-page', '--pictures', '3'];
  const { code, stderr } = await parisHere(['evaluate', at('model'), '--data', at('data'), ...few]);
  expect([code, stderr]).toEqual([65, expect.stringContaining('training pictures are too few to compare with')]);
  expect(JSON.parse(await readFile(at('few.json'), 'utf8'))).toMatchObject({
    clusters: 2,
    controls: expect.any(Array),
  });
}, 600_000);

it('learns latents of a codec that it trained', async () => {
  const source = [at('photos'), '--captions', at('photos/captions.csv'), '--size', '8', '--no-near-copies'];
  await run('prepare', ...source, '--holdout', '0.4', '--seed', '7', '--out', at('pixels'));
  const small = ['--factor', '2', '--width', '8', '--steps', '4', '--batch', '4', '--validate-every', '2'];
  const said = await run('train', 'codec', at('pixels'), '--out', at('own-codec'), ...small);
  expect(said).toMatch(/held-out pictures drawn from latents: \d+\.\d dB/);
  expect(said).toContain(`the codec → ${at('own-codec')}`);
  expect(await run('info', at('own-codec'))).toMatch(
    /codec +tiny-autoencoder, [\d,]+ parameters in \d+ tensors\ntraining +\d+ pictures drawn from latents: \d+\.\d dB\nheld out +\d+ /,
  );
  await run('prepare', ...source, '--codec', at('own-codec'), '--out', at('latents'));
  expect(await run('info', at('latents'))).toMatch(/latents +4 × 4 × 4 of 8 px, by tiny-autoencoder/);
  await run('partition', at('latents'), '--clusters', '1');
  await run('train', 'expert', at('latents'), '--cluster', '0', '--out', at('latent-runs'), ...toy);
  await run('assemble', at('latent-runs'), '--codec', at('own-codec'), '--out', at('latent-model'));
  await run('sample', at('latent-model'), '--prompt', 'a red cat', '--steps', '2', '--out', at('latent.png'));
  expect(decode(await readFile(at('latent.png'))).width).toBeGreaterThanOrEqual(8);
}, 600_000);

it('learns classes of a list', async () => {
  await writeFile(at('classes.txt'), 'green\nred\nblue\n');
  const source = [at('photos'), '--captions', at('photos/captions.csv'), '--size', '8'];
  await run('prepare', ...source, '--labels', at('classes.txt'), '--out', at('labelled'));
  const like = ['prepare', at('photos'), '--captions', at('photos/captions.csv'), '--like', at('labelled')];
  await run(...like, '--labels', at('classes.txt'), '--out', at('more-labelled'));
  await writeFile(at('others.txt'), 'red\ngreen\nblue\n');
  const others = await parisHere([...like, '--labels', at('others.txt'), '--out', at('other-labelled')]);
  expect([others.code, others.stderr]).toEqual([65, expect.stringContaining('has other classes than the list')]);
  for (const [text, what] of [
    ['red\n\nblue\n', 'line 2 of '],
    ['red\nblue\nred\n', 'line 3 of '],
  ] as const) {
    await writeFile(at('odd.txt'), text);
    const { code: odd, stderr: said } = await parisHere([
      'prepare',
      ...source,
      '--labels',
      at('odd.txt'),
      '--out',
      at('odd'),
    ]);
    expect([odd, said]).toEqual([65, expect.stringContaining(what)]);
    expect(said).toContain('Write one class a line, each once.');
  }
  await run('partition', at('labelled'), '--clusters', '1');
  await run('train', 'expert', at('labelled'), '--cluster', '0', '--out', at('classes'), ...toy);
  await run('assemble', at('classes'), '--out', at('class-model'));
  await run('sample', at('class-model'), '--prompt', 'red', '--steps', '2', '--out', at('red.png'));
  const { code, stderr } = await parisHere([
    'sample',
    at('class-model'),
    '--prompt',
    'violet',
    '--out',
    at('none.png'),
  ]);
  expect([code, stderr]).toEqual([2, expect.stringContaining('there is no class "violet". Give a number from 0 to 2')]);
}, 600_000);
