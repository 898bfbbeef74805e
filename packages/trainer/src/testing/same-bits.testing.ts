// A training of fifty steps on the CPU device, in numbers: tests run it in Node, Deno and Chromium.
import { dit } from '@paris/dit';
import { memoryStore, sha256 } from '@paris/files';
import { openDevice } from '@paris/tensor';
import { ditConfig } from '../train/configs.js';
import { trainExpert } from '../train/expert.js';
import { toySize, toyTraining, writeToyData } from './toy.js';

/** What a training left. */
export interface Trained {
  readonly adapter: string;
  /** SHA-256 of the losses of all steps. */
  readonly losses: string;
  /** SHA-256 of the final weights. */
  readonly weights: string;
}

/** With cosine decay, AdamW, clipping and a moving average. @param threads - that compute */
export async function trainOnCpu(threads: number): Promise<Trained> {
  const device = await openDevice({ require: 'cpu', threads });
  const [data, runs] = [memoryStore(), memoryStore()];
  await writeToyData(data);
  const training = { ...toyTraining, steps: 50 };
  await trainExpert({ device, data, runs, cluster: 1, architecture: dit, config: ditConfig(toySize), training });
  const hash = async (name: string) => sha256(await runs.read(`expert-01/${name}`));
  const trained = { losses: await hash('metrics.jsonl'), weights: await hash('model.safetensors') };
  const { adapter } = device.info;
  await device.close();
  return { adapter, ...trained };
}
