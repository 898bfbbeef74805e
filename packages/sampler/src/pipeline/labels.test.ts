import { classNumber } from '@paris/model/classes';
import { type Device, openDevice } from '@paris/tensor';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { encodeLabels, subjectsOf } from './labels.js';
import { loadPipeline } from './load.js';
import { classModelFolder, classNames as names } from './model.testing.js';
import type { GenerateOptions } from './options.js';
import type { Pipeline } from './pipeline.js';

let device: Device;
let pipeline: Pipeline;
beforeAll(async () => {
  device = await openDevice();
  pipeline = await loadPipeline(await classModelFolder(device), { device });
});
afterAll(async () => {
  await pipeline.close();
  await device.close();
});

const draw = async (options: GenerateOptions) =>
  (await pipeline.generate({ steps: 2, seed: 3, ...options })).images[0]!.data;

it('a model of one expert, without a router, draws classes by number and by name', async () => {
  expect(pipeline.labels).toMatchObject({ classes: 3, names });
  const fish = await draw({ label: 1 });
  for (const label of ['1', 'Goldfish', ' carassius auratus ']) expect(await draw({ label })).toEqual(fish);
  for (const change of [{ label: 0 }, {}, { guidance: 1 }, { negativePrompt: 'shark' }]) {
    expect(
      await draw({ label: 1, ...change, ...(Object.keys(change).length === 0 && { label: undefined }) } as never),
    ).not.toEqual(fish);
  }
  const { prompts, images } = await pipeline.generate({ labels: [1, 'shark'], count: 2, steps: 2, seed: 3 });
  expect(prompts).toEqual(['1', '1', 'shark', 'shark']);
  expect(images[0]!.data).toEqual(fish);
});

it('the unconditional is the class that stands for anything', async () => {
  const refuse = (what: string): never => {
    throw new Error(what);
  };
  const numbers = async (labels: string[], negative?: string) => {
    const { condition, unconditional } = encodeLabels(
      device,
      pipeline.labels!,
      labels,
      negative === undefined ? undefined : labels.map(() => negative),
      refuse,
    );
    const rows = [condition, unconditional].flatMap((each) => (each?.kind === 'label' ? [each.label] : []));
    return Promise.all(rows.map(async (row) => [...(await row.read())]));
  };
  expect(await numbers(['2', 'tench'], '')).toEqual([
    [2, 0],
    [3, 3],
  ]);
  expect(await numbers(['', '0'])).toEqual([[3, 0]]);
});

it('a number is a number where names are digits, and its text is that class too', () => {
  const refuse = (what: string): never => {
    throw new Error(what);
  };
  const digits = { classes: 3, names: ['1', '02', '2'] };
  const texts = subjectsOf({ labels: [0, 1, 2, '1', '2'] }, digits, refuse);
  expect(texts).toEqual(['0', '01', '2', '1', '2']);
  expect(texts.map((text) => classNumber(digits, text))).toEqual([0, 1, 2, 0, 2]);
  const [three, none] = subjectsOf({ labels: [1, 3] }, { classes: 3, names: ['1', '3', '01'] }, refuse);
  expect([three, none]).toEqual(['001', '03']);
});

it.each([
  [
    { label: 3 },
    'label: there is no class "3". Give a number from 0 to 2, or one of its names, such as "tench, Tinca tinca".',
  ],
  [{ label: 'whale' }, 'label: there is no class "whale".'],
  [{ label: -1 }, 'label: there is no class "-1".'],
  [{ label: 1.5 }, 'label: there is no class "1.5".'],
  [{ label: 1, negativePrompt: 'whale' }, 'negativePrompt: there is no class "whale".'],
  [{ prompt: 'a fish' }, 'a prompt is given, and this model takes classes. Give a label.'],
  [{ label: 1, labels: [2] }, 'both label and labels are given. Give one of them.'],
  [{ labels: [] }, 'labels is an empty list. Give a label at least, or leave labels out.'],
])('%j is refused', async (options, message) => {
  await expect(pipeline.generate(options)).rejects.toThrow(`[generate] ${message}`);
});
