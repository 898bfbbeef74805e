// Weights of our own at 32 px, trained at full length: from the pictures of the pack, else from shapes that are made. Each network
// gets its part of the time that is left, and a checkpoint when that is over: its run is resumed here or anywhere else.
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { dit } from '@paris/dit';
import { nodeStore } from '@paris/files/node';
import { routerTransformer } from '@paris/router';
import { encodePng, loadPipeline, tileImages } from '@paris/sampler';
import {
  assemble,
  ditConfig,
  evaluate,
  InterruptedError,
  logitNormalDensity,
  partitionData,
  readLabelled,
  routerConfig,
  trainExpert,
  trainRouter,
  velocityError,
  writeShapes,
} from '@paris/trainer';
import { PREPARED, TRAINING } from '../plan.js';

/** Experts predict the picture, as those of models/emoji do (examples/emoji): a patch of 192 numbers goes through few channels. */
const OBJECTIVE = { prediction: 'sample', path: 'linear' };

export async function run(context) {
  const { open, note, out, tiny } = context;
  const device = await open();
  const folder = join(out, 'weights');
  const { experts, steps, batchSize, router } = tiny ? { experts: 2, steps: 4, batchSize: 4, router: 2 } : TRAINING;
  const data = await pictures(context, device, nodeStore(join(folder, 'data')), experts);
  const runs = nodeStore(join(folder, 'runs'));
  const size = tiny ? { patch: 8, width: 16, depth: 1, heads: 2 } : { patch: 8, width: 160, depth: 6, heads: 5 };
  const common = { device, data, runs, checkpointEvery: 500 };
  const trainings = Array.from(
    { length: experts },
    (_, cluster) => (limits) =>
      trainExpert({
        ...{ ...common, ...limits, cluster, architecture: dit, config: ditConfig(size, OBJECTIVE) },
        ...{ times: logitNormalDensity(), lossWeight: velocityError(100) },
        training: { steps, batchSize, learningRate: 2e-3, emaDecay: 0.998, warmupSteps: 50, seed: 0 },
      }),
  );
  // The router comes second: with it and one expert there is a model.
  const config = routerConfig({ ...size, width: tiny ? 16 : 96, depth: tiny ? 1 : 3, heads: tiny ? 2 : 4 }, 'words');
  const training = { steps: router, batchSize, learningRate: 2e-3, emaDecay: 0.998, seed: 0 };
  trainings.splice(1, 0, (limits) =>
    trainRouter({ ...common, ...limits, architecture: routerTransformer, config, training, conditionDropout: 0.1 }),
  );
  const done = [];
  for (const [i, train] of trainings.entries()) {
    // A tenth is kept for the pictures and the figures.
    const maxHours = Math.max(1e-6, (0.9 * context.secondsLeft()) / (trainings.length - i) / 3600);
    const result = await train({ maxHours }).catch((error) => {
      if (error instanceof InterruptedError) return { status: 'stopped' };
      throw error;
    });
    done.push({ seconds: result.result?.seconds, loss: result.result?.loss, status: result.status });
    note({ experts, steps, trainings: done });
  }
  const whole = done.every(({ status }) => status === 'finished');
  if (done[1].status === 'finished' && done.some(({ status }, i) => i !== 1 && status === 'finished')) {
    await show(context, device, { data, runs, model: nodeStore(join(folder, 'model')), folder });
  }
  await device.close();
  return whole;
}

/** The pictures of the pack in as many clusters as there are experts. */
async function pictures({ data: source, note, tiny }, device, store, clusters) {
  const given = existsSync(join(source, 'manifest.json'));
  note({ pictures: given ? 'of the pack' : 'shapes that are made, since the pack has none' });
  if (await store.exists('partition/partition.json')) return store;
  if (given) {
    const from = nodeStore(source);
    for (const path of await from.list()) {
      if (PREPARED.test(path)) await store.write(path, await from.read(path));
    }
  } else {
    await writeShapes(store, tiny ? 48 : 1920, 32);
  }
  await partitionData({ device, data: store, clusters, seed: 0, balance: 'auction' });
  return store;
}

/** The model, sixteen pictures of held-out captions, and the held-out losses. */
async function show({ note, tiny }, device, { data, runs, model, folder }) {
  await assemble({ runs, out: model, weights: 'q8' });
  const { items } = await readLabelled(data, 'test');
  const shown = await items.read(0, Math.min(items.count, tiny ? 2 : 16));
  const prompts = shown.map(({ caption }) => caption);
  const pipeline = await loadPipeline(model, { device });
  const { images } = await pipeline.generate({ prompts, seed: 0, steps: tiny ? 2 : 30 });
  await pipeline.close();
  writeFileSync(join(folder, 'samples.png'), encodePng(tileImages(images, 8)));
  note({ prompts });
  const { router, losses } = await evaluate({ device, model, data, timeCount: tiny ? 2 : 10 });
  note({
    routerAccuracy: router.accuracy,
    losses: Object.fromEntries(Object.entries(losses.policies).map(([name, { mean }]) => [name, mean])),
  });
}
