// What a command says of the words in a prompt, before it draws.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { nodeStore } from '@paris/files/node';
import type { PromptWords } from '@paris/model';
import { type Device, openDevice } from '@paris/tensor';
import { requireCapability } from '@paris/test-tools';
import { afterAll, beforeAll, expect, it, type TestContext } from 'vitest';
import { sample } from './sample/sample.js';
import { parisHere } from './testing/paris-here.js';

const model = fileURLToPath(new URL('../../../examples/quickstart/model', import.meta.url));
let device: Device | undefined;
let folder: string;
beforeAll(async () => {
  device = await openDevice().catch(() => undefined);
  folder = await mkdtemp(join(tmpdir(), 'paris-words-'));
});
afterAll(async () => {
  await device?.close();
  await rm(folder, { recursive: true });
});

/** What is said of prompts, and how many pictures are drawn. */
async function drawn(context: TestContext, prompts: string[], allowUnknown = false) {
  requireCapability(context, 'adapter', device !== undefined, 'WebGPU gives no adapter');
  const said: [string, PromptWords][] = [];
  const how = { count: 1, seed: 1, steps: 1, guidance: 1, sampler: 'euler', allowUnknown };
  const onWords = (prompt: string, words: PromptWords) => said.push([prompt, words]);
  const { images } = await sample({ device: device!, model: nodeStore(model), prompts, ...how, onWords });
  return { said, count: images.length };
}

it('lists words that the model does not know, and those that it does not see', async (context) => {
  const long = 'cat cat cat cat cat cat cat cat zebra';
  const { said, count } = await drawn(context, ['cat', 'Zyzzyva cat', long, '']);
  expect(count).toBe(4);
  expect(said).toEqual([
    ['Zyzzyva cat', { known: ['cat'], unknown: ['zyzzyva'], cut: [] }],
    [long, { known: new Array(8).fill('cat'), unknown: [], cut: ['zebra'] }],
  ]);
});

it('refuses a prompt of which no word is known, unless that is allowed', async (context) => {
  for (const prompt of ['zyzzyva qux', '…']) {
    await expect(drawn(context, ['cat', prompt])).rejects.toThrow(
      `[sample] the model knows no word of the prompt "${prompt}". paris info MODEL --words lists those it knows;`,
    );
    expect((await drawn(context, [prompt], true)).count).toBe(1);
  }
});

it('paris sample warns, and names what is waited for; paris info --words lists the vocabulary', async (context) => {
  requireCapability(context, 'adapter', device !== undefined, 'WebGPU gives no adapter');
  const out = join(folder, 'a.png');
  const args = ['sample', model, '--prompt', 'zyzzyva cat', '--count', '1', '--steps', '1', '--out', out];
  const { code, stderr } = await parisHere(args);
  expect(code, stderr).toBe(0);
  expect(stderr).toContain('warning: words of "zyzzyva cat" that the model does not know: zyzzyva\n');
  const loading = [...stderr.matchAll(/^loading kB (\d+)\/(\d+)$/gm)].map(([, done, total]) =>
    [done, total].map(Number),
  );
  expect(loading.at(-1)![0]).toBe(loading.at(-1)![1]);
  for (const [done, total] of loading) expect(done).toBeLessThanOrEqual(total!);
  expect(stderr).toMatch(/^compiling kernels for the first step\n(.*\n)*sample 1\/1$/m);

  const listed = await parisHere(['info', model, '--words']);
  const words = listed.stdout.trim().split('\n');
  expect(words).toContain('cat');
  expect(words.some((word) => word.startsWith('<'))).toBe(false);
  const none = await parisHere(['info', folder, '--words']);
  expect([none.code, none.stderr]).toEqual([2, expect.stringContaining('has no list of words.')]);
});
