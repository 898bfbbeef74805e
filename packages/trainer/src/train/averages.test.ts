// Several moving averages of one training: each is that of a training which keeps it alone.
import { dit } from '@paris/dit';
import { folderStore, memoryStore, sha256 } from '@paris/files';
import { routerTransformer } from '@paris/router';
import { describe, expect, it } from 'vitest';
import { assemble } from '../assemble/assemble.js';
import { InterruptedError, RunError } from '../errors.js';
import { readRun } from '../run/record.js';
import { toySize, toyTraining } from '../testing/toy.js';
import { useToy } from '../testing/use-toy.testing.js';
import { ditConfig, routerConfig } from './configs.js';
import { type TrainExpertOptions, trainExpert } from './expert.js';
import { trainRouter } from './router.js';

const toy = useToy();
const { data } = toy;

async function trained(emaDecay: number | readonly number[], change: Partial<TrainExpertOptions> = {}) {
  const runs = change.runs ?? memoryStore();
  const training = { ...toyTraining, emaDecay };
  await trainExpert({
    ...{ device: toy.device, data, cluster: 1, runs, architecture: dit, config: ditConfig(toySize), training },
    ...change,
  });
  return folderStore(runs, 'expert-01');
}

describe('several moving averages', () => {
  it('are each what it is alone, and their hashes are in run.json', async () => {
    const [low, high, both] = [await trained(0.2), await trained(0.4), await trained([0.4, 0.2])];
    const other = await both.read('model-ema-0.2.safetensors');
    expect(await both.read('model.safetensors')).toEqual(await high.read('model.safetensors'));
    expect(other).toEqual(await low.read('model.safetensors'));
    expect(other).not.toEqual(await high.read('model.safetensors'));
    const record = (await readRun(both))!;
    expect(record.options.emaDecay).toEqual([0.4, 0.2]);
    expect(record.result?.averages).toEqual({ 'model-ema-0.2.safetensors': await sha256(other) });
    expect((await readRun(await trained([0.4])))!.options).toEqual((await readRun(high))!.options);
  });

  it('resume to the same bytes', async () => {
    const [straight, runs, stop] = [await trained([0.4, 0.2, 0.1]), memoryStore(), new AbortController()];
    const onEvent: TrainExpertOptions['onEvent'] = ({ type }) => type === 'checkpoint' && stop.abort();
    const stopped = trained([0.4, 0.2, 0.1], { runs, checkpointEvery: 3, signal: stop.signal, onEvent });
    await expect(stopped).rejects.toThrow(InterruptedError);
    const resumed = await trained([0.4, 0.2, 0.1], { runs });
    const files = ['model.safetensors', 'model-ema-0.2.safetensors', 'model-ema-0.1.safetensors'];
    for (const file of files) expect(await resumed.read(file), file).toEqual(await straight.read(file));
    await expect(trained([0.4, 0.2], { runs })).rejects.toThrow('emaDecay was [0.4,0.2,0.1] and is now [0.4,0.2]');
  });

  it('are what assemble takes experts from where one is named', async () => {
    const runs = memoryStore();
    for (const cluster of [0, 1, 2]) await trained([0.4, 0.2], { runs, cluster });
    const router = { architecture: routerTransformer, config: routerConfig(toySize), training: toyTraining };
    await trainRouter({ device: toy.device, data, runs, ...router });
    const [first, second] = [memoryStore(), memoryStore()];
    await assemble({ runs, out: first, licence: 'MIT' });
    await assemble({ runs, out: second, licence: 'MIT', emaDecay: 0.2 });
    const weights = 'experts/01/model.safetensors';
    expect(await first.read(weights)).toEqual(await runs.read('expert-01/model.safetensors'));
    expect(await second.read(weights)).toEqual(await runs.read('expert-01/model-ema-0.2.safetensors'));
    expect(await second.read('router/model.safetensors')).toEqual(await runs.read('router/model.safetensors'));
    const missing = assemble({ runs, out: memoryStore(), emaDecay: 0.3 });
    await expect(missing).rejects.toThrow(RunError);
    await expect(missing).rejects.toThrow(
      'expert-00 kept no moving average of decay 0.3; it has that of 0.4, 0.2. Choose one that all experts have.',
    );
  });

  it.each([
    [[], '[train] emaDecay must be a number, or several above 0, each once, got [].'],
    [[0.9, 0.9], '[train] emaDecay must be a number, or several above 0, each once, got [0.9, 0.9].'],
    [[0.9, 0], '[train] emaDecay must be a number, or several above 0, each once, got [0.9, 0].'],
    [[0.9, 1], '[train] emaDecay must be a number in [0, 1), got 1.'],
  ])('are refused: %j', async (emaDecay, message) => {
    await expect(trained(emaDecay)).rejects.toThrow(message);
  });
});
