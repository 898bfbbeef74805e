// A training of thirty steps on a page's private files, which the page may be closed in the middle of.
import { dit } from '@paris/dit';
import { type FileStore, folderStore, memoryStore, opfsStore, sha256 } from '@paris/files';
import { type Device, openDevice } from '@paris/tensor';
import type { TrainEvent } from '../run/events.js';
import { readMetrics } from '../run/metrics.js';
import { ditConfig } from '../train/configs.js';
import { trainExpert } from '../train/expert.js';
import { toySize, toyTraining, writeToyData } from './toy.js';

/** What a training left, and where it began. */
export interface Trained {
  /** The step after which it resumed. */
  readonly from: number;
  readonly weights: string;
  readonly losses: number[];
}

/** Begins the training on the page's files or resumes it. @param seen - is called with each event */
export async function trainOnPage(where: 'cpu' | 'webgpu', seen: (event: TrainEvent) => void): Promise<Trained> {
  const device = await openDevice({ require: where, threads: 2 });
  const data = opfsStore('data');
  if (!(await data.exists('clusters/01/cluster.json'))) await writeToyData(data);
  return train(device, data, opfsStore(`runs-${where}`), seen);
}

/** The same in memory, without a break: what Node does. */
export async function trainInMemory(): Promise<Trained> {
  const data = memoryStore();
  await writeToyData(data);
  return train(await openDevice({ require: 'cpu', threads: 2 }), data, memoryStore(), () => undefined);
}

async function train(
  device: Device,
  data: FileStore,
  runs: FileStore,
  seen: (event: TrainEvent) => void,
): Promise<Trained> {
  let from = 0;
  const onEvent = (event: TrainEvent) => {
    if (event.type === 'start') from = event.step;
    seen(event);
  };
  const training = { ...toyTraining, steps: 30 };
  const config = ditConfig(toySize);
  await trainExpert({
    device,
    data,
    runs,
    cluster: 1,
    architecture: dit,
    config,
    training,
    checkpointEvery: 4,
    onEvent,
  });
  const weights = await sha256(await runs.read('expert-01/model.safetensors'));
  const losses = (await readMetrics(folderStore(runs, 'expert-01'))).map(({ loss }) => loss);
  await device.close();
  return { from, weights, losses };
}
