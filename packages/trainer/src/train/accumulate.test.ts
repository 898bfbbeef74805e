// A step computed in parts is the step of the whole batch: gradients and weights agree to rounding, and a run stops and resumes
// as any other does.
import { dit } from '@paris/dit';
import { type FileStore, folderStore, memoryStore } from '@paris/files';
import { parseSafetensors } from '@paris/files/safetensors';
import { routerTransformer } from '@paris/router';
import { requireCapability } from '@paris/test-tools';
import { describe, expect, it } from 'vitest';
import { InterruptedError } from '../errors.js';
import { readMetrics } from '../run/metrics.js';
import { readRun } from '../run/record.js';
import { toySize, toyTraining } from '../testing/toy.js';
import { useToy } from '../testing/use-toy.testing.js';
import { ditConfig, routerConfig } from './configs.js';
import { type TrainExpertOptions, trainExpert } from './expert.js';
import { minSnr } from './loss-weight.js';
import { trainRouter } from './router.js';

const toy = useToy();
const { data } = toy;

const common = { schedule: 'constant', batchSize: 12, steps: 1 } as const;

async function trained(accumulate: number, change: Partial<TrainExpertOptions> = {}) {
  const runs = change.runs ?? memoryStore();
  const training = { ...toyTraining, ...common, accumulate, ...change.training };
  const given = {
    device: toy.device,
    data,
    cluster: 1,
    runs,
    architecture: dit,
    config: ditConfig(toySize),
    ...change,
  };
  await trainExpert({ ...given, training });
  return folderStore(runs, 'expert-01');
}

/** ‖a − b‖ / ‖b‖ over the tensors of two files whose names match. */
async function difference(a: FileStore, b: FileStore, path: string, names: RegExp): Promise<number> {
  const [ours, theirs] = [parseSafetensors(await a.read(path)), parseSafetensors(await b.read(path))];
  const chosen = Object.keys(theirs).filter((name) => names.test(name));
  expect(chosen.length).toBeGreaterThan(0);
  let [apart, size] = [0, 0];
  for (const name of chosen) {
    theirs[name]!.data.forEach((value, i) => {
      apart += (ours[name]!.data[i]! - value) ** 2;
      size += value ** 2;
    });
  }
  return Math.sqrt(apart / size);
}

describe('a step in parts', () => {
  it.each([2, 3, 12])('has the gradient and the loss of the whole batch: %d parts', async (parts) => {
    const training = { ...common, clipNorm: 0, warmupSteps: 0 };
    const [whole, split] = [await trained(1, { training }), await trained(parts, { training })];
    // The first moment of Adam after one step is a tenth of the gradient.
    expect(await difference(split, whole, 'checkpoints/00000001.safetensors', /^train\.optimizer\.m$/)).toBeLessThan(
      1e-6,
    );
    const [a, b] = [(await readMetrics(split))[0]!, (await readMetrics(whole))[0]!];
    expect(Math.abs(a.loss / b.loss - 1)).toBeLessThan(1e-6);
  });

  it('leads to the weights of the whole batch, with a loss weight and clipping, over several steps', async () => {
    const training = { ...common, steps: 6 };
    const change = { training, lossWeight: minSnr() };
    const [whole, split] = [await trained(1, change), await trained(4, change)];
    expect(await difference(split, whole, 'model.safetensors', /./)).toBeLessThan(1e-5);
  });

  it('scales its loss in mixed precision as the whole batch does', async (context) => {
    requireCapability(context, 'f16', toy.device.hasFeature('shader-f16'), 'this adapter has no f16');
    const training = { ...common, clipNorm: 0, warmupSteps: 0, precision: 'mixed-f16' } as const;
    const [whole, split] = [await trained(1, { training }), await trained(4, { training })];
    // Gradients of f16 activations, summed in f32: rounding is that of f16, 2⁻¹¹.
    expect(await difference(split, whole, 'checkpoints/00000001.safetensors', /^train\.optimizer\.m$/)).toBeLessThan(
      2e-3,
    );
  });

  it('computes the accuracy of a router over all parts', async () => {
    const last = async (accumulate: number) => {
      const runs = memoryStore();
      const training = { ...toyTraining, ...common, steps: 4, accumulate };
      await trainRouter({
        device: toy.device,
        data,
        runs,
        architecture: routerTransformer,
        config: routerConfig(toySize),
        training,
      });
      return (await readMetrics(folderStore(runs, 'router'))).at(-1)!;
    };
    const [whole, split] = [await last(1), await last(3)];
    expect(split.accuracy).toBeCloseTo(whole.accuracy!, 6);
    expect(split.loss).toBeCloseTo(whole.loss, 5);
  });

  it('is in run.json, and resumes to the same bytes', async () => {
    const training = { ...common, steps: 8 };
    const straight = await trained(3, { training });
    expect((await readRun(straight))!.options.accumulate).toBe(3);
    const stop = new AbortController();
    const runs = memoryStore();
    const onEvent: TrainExpertOptions['onEvent'] = ({ type }) => type === 'checkpoint' && stop.abort();
    const stopped = trained(3, { training, runs, checkpointEvery: 3, signal: stop.signal, onEvent });
    await expect(stopped).rejects.toThrow(InterruptedError);
    const resumed = await trained(3, { training, runs });
    expect(await resumed.read('model.safetensors')).toEqual(await straight.read('model.safetensors'));
    await expect(trained(2, { training, runs })).rejects.toThrow('accumulate was 3 and is now 2');
    await expect(trained(1, { training, runs })).rejects.toThrow('accumulate was 3 and is now null');
  });

  it('refuses parts that are not equal', async () => {
    const message = '[train] accumulate must be a divisor of batchSize (12), got 5.';
    await expect(trained(5)).rejects.toThrow(message);
    await expect(trained(0)).rejects.toThrow('[train] accumulate must be a whole number from 1 on, got 0.');
  });

  it('allocates nothing once it runs', async () => {
    let [early, late] = [0, 0];
    const onEvent: TrainExpertOptions['onEvent'] = (event) => {
      if (event.type !== 'checkpoint') return;
      if (event.step === 4) early = toy.device.counters.buffersCreated;
      if (event.step === 10) late = toy.device.counters.buffersCreated;
    };
    await trained(3, { training: { ...common, steps: 12 }, checkpointEvery: 2, onEvent });
    expect(early).toBeGreaterThan(0);
    expect(late).toBe(early);
  });
});
