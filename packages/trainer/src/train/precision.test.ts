// Training in mixed precision on a real device, at toy size: it follows the f32 run, resumes with the same bytes, and is
// refused where there is no f16.
import { dit } from '@paris/dit';
import { type FileStore, folderStore, memoryStore } from '@paris/files';
import { parseSafetensors } from '@paris/files/safetensors';
import { routerTransformer } from '@paris/router';
import { type Device, LimitError, openDevice } from '@paris/tensor';
import { requireCapability } from '@paris/test-tools';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { InterruptedError, RunError } from '../errors.js';
import { readMetrics } from '../run/metrics.js';
import { toySize, toyTraining, writeToyData } from '../testing/toy.js';
import { ditConfig, routerConfig } from './configs.js';
import { type TrainExpertOptions, trainExpert } from './expert.js';
import { trainRouter } from './router.js';

let device: Device | undefined;
const data = memoryStore();
beforeAll(async () => {
  await writeToyData(data);
  device = await openDevice().catch(() => undefined);
});
afterAll(() => device?.close());

const mixed = { ...toyTraining, precision: 'mixed-f16' } as const;
const train = (runs: FileStore, change: Partial<TrainExpertOptions>) =>
  trainExpert({
    device: device!,
    data,
    cluster: 1,
    runs,
    architecture: dit,
    config: ditConfig(toySize),
    training: mixed,
    ...change,
  });
const weightsOf = (runs: FileStore) => runs.read('expert-01/model.safetensors');
const mean = (part: readonly number[]) => part.reduce((a, b) => a + b, 0) / part.length;

describe('mixed-f16', { timeout: 300_000 }, () => {
  it('follows the curve of f32 over 200 steps, within 2 % in every stretch of 20', async (context) => {
    requireCapability(context, 'f16', device?.hasFeature('shader-f16') === true, 'this adapter has no f16');
    const curve = async (precision: 'f32' | 'mixed-f16') => {
      const runs = memoryStore();
      await train(runs, { training: { ...toyTraining, steps: 200, precision }, checkpointEvery: 1000 });
      return { runs, losses: (await readMetrics(folderStore(runs, 'expert-01'))).map(({ loss }) => loss) };
    };
    const [wide, narrow] = [await curve('f32'), await curve('mixed-f16')];
    expect(narrow.losses).toHaveLength(200);
    expect(narrow.losses).not.toEqual(wide.losses);
    for (let at = 0; at < 200; at += 20) {
      const [a, b] = [wide, narrow].map(({ losses }) => mean(losses.slice(at, at + 20)));
      expect(Math.abs(b! / a! - 1), `steps ${at} to ${at + 19}`).toBeLessThan(0.02);
    }
    expect(mean(narrow.losses.slice(-20))).toBeLessThan(0.6 * mean(narrow.losses.slice(0, 5)));
    // What is saved are the f32 weights.
    const saved = Object.values(parseSafetensors(await weightsOf(narrow.runs)));
    expect(saved.every(({ dtype }) => dtype === 'f32')).toBe(true);
  });

  it('ends with the same bytes when it was stopped and continued, and is another run than one in f32', async (context) => {
    requireCapability(context, 'f16', device?.hasFeature('shader-f16') === true, 'this adapter has no f16');
    const whole = memoryStore();
    await train(whole, {});
    const [runs, stop] = [memoryStore(), new AbortController()];
    const stopping = train(runs, {
      checkpointEvery: 3,
      signal: stop.signal,
      onEvent: (event) => {
        if (event.type === 'checkpoint') stop.abort();
      },
    });
    await expect(stopping).rejects.toThrow(InterruptedError);
    await expect(train(runs, { training: toyTraining })).rejects.toThrow(
      new RunError(
        'train',
        'expert-01 holds another run: precision was "mixed-f16" and is now "f32". Use the old value, or --fresh to start again.',
      ),
    );
    await train(runs, {});
    expect(await weightsOf(runs)).toEqual(await weightsOf(whole));
  });

  it('trains routers too', async (context) => {
    requireCapability(context, 'f16', device?.hasFeature('shader-f16') === true, 'this adapter has no f16');
    const runs = memoryStore();
    const config = routerConfig(toySize);
    await trainRouter({ device: device!, data, runs, architecture: routerTransformer, config, training: mixed });
    const losses = (await readMetrics(folderStore(runs, 'router'))).map(({ loss }) => loss);
    expect(losses.every(Number.isFinite)).toBe(true);
  });

  it('is refused where the adapter has no f16, before anything runs', async (context) => {
    requireCapability(context, 'adapter', device !== undefined, 'WebGPU gives no adapter');
    const without = new Proxy(device!, {
      get: (on, name) => {
        if (name === 'hasFeature') return (feature: string) => feature !== 'shader-f16' && on.hasFeature(feature);
        const value = Reflect.get(on, name, on);
        return typeof value === 'function' ? value.bind(on) : value;
      },
    });
    const runs = memoryStore();
    await expect(train(runs, { device: without })).rejects.toThrow(
      new LimitError(
        'precision',
        `mixed-f16 needs f16 (the feature shader-f16), and ${device!.info.adapter} has none. Train in f32.`,
      ),
    );
    expect(await runs.list()).toEqual([]);
  });
});
