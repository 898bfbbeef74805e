// Toy data whose cluster 1 is in six files of two pictures each, and a training on it.
import { dit } from '@paris/dit';
import { type FileStore, memoryStore } from '@paris/files';
import type { Device } from '@paris/tensor';
import { readCluster, writeCluster } from '../data/files.js';
import type { TrainEvent } from '../run/events.js';
import type { RunRecord } from '../run/record.js';
import { toySize, toyTraining, writeToyData } from '../testing/toy.js';
import { ditConfig } from './configs.js';
import { trainExpert } from './expert.js';
import type { RunControls } from './train.js';

export const shardBytes = 500; // two pictures in a file
export const [count, batchSize] = [12, 2] as const;

export const shard = (at: number): string => `clusters/01/images-0000${at}.safetensors`;
export const weights = (runs: FileStore): Promise<Uint8Array> => runs.read('expert-01/model.safetensors');

export async function freshData(): Promise<FileStore> {
  const data = memoryStore();
  await writeToyData(data);
  const { manifest, rows } = await readCluster(data, 1);
  await data.remove('clusters/01/images.safetensors');
  await writeCluster(data, manifest, rows, { shardBytes });
  return data;
}

/** A run of so many steps, with what it said. */
export async function trainOn(
  data: FileStore,
  { device, steps, runs, ...controls }: RunControls & { device: Device; steps: number; runs: FileStore },
): Promise<{ runs: FileStore; record: RunRecord; notices: string[] }> {
  const notices: string[] = [];
  const record = await trainExpert({
    ...{ device, data, cluster: 1, runs, architecture: dit, config: ditConfig(toySize) },
    training: { ...toyTraining, steps, batchSize },
    ...controls,
    onEvent: (event: TrainEvent) => {
      if (event.type === 'notice') notices.push(event.message);
      controls.onEvent?.(event);
    },
  });
  return { runs, record, notices };
}
