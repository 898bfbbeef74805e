// A mixture at toy size, for tests of what learns from one.
import { dit } from '@paris/dit';
import { type FileStore, memoryStore } from '@paris/files';
import { routerTransformer } from '@paris/router';
import type { Device } from '@paris/tensor';
import { assemble } from '../assemble/assemble.js';
import { toySize, toyTraining } from '../testing/toy.js';
import { ditConfig, routerConfig } from '../train/configs.js';
import { trainExpert } from '../train/expert.js';
import { trainRouter } from '../train/router.js';

/**
 * Trains a mixture on toy data and assembles it. Its experts have two objectives on two paths, so that what they say has to be
 * converted.
 */
export async function trainToyTeacher(device: Device, data: FileStore, out: FileStore): Promise<void> {
  const runs = memoryStore();
  const training = { ...toyTraining, steps: 30 };
  for (const cluster of [0, 1, 2]) {
    const objective = cluster === 2 ? ({ prediction: 'epsilon', path: 'cosine' } as const) : undefined;
    const config = ditConfig(toySize, objective);
    await trainExpert({ device, data, runs, cluster, architecture: dit, config, training });
  }
  const config = routerConfig(toySize);
  await trainRouter({ device, data, runs, architecture: routerTransformer, config, training });
  await assemble({ runs, out });
}
