// A worker that does not do what it was asked for, in ways that it may choose, with a chain that fits what it hands over.
import { dit } from '@paris/dit';
import { type FileStore, folderStore, memoryStore, sha256 } from '@paris/files';
import { type HostTensor, readSafetensors, writeSafetensors } from '@paris/files/safetensors';
import type { Device } from '@paris/tensor';
import { chainOf, readChain, statePath, writeChain } from '../run/chain.js';
import { hashFile } from '../run/checkpoint.js';
import { readRun, writeRun } from '../run/record.js';
import { runTraining, type TrainingJob } from '../run/run.js';
import { toySize, toyTraining, writeToyData } from '../testing/toy.js';
import { ditConfig } from '../train/configs.js';
import { expertRecipe } from '../train/expert.js';
import { createJob } from '../train/job.js';
import type { TrainingOptions } from '../train/options.js';
import type { Recipe } from '../train/recipe.js';
import type { State } from '../train/step.js';
import { version } from '../version.js';

export const steps = 20;
export const every = 2;

export async function toyData(): Promise<FileStore> {
  const data = memoryStore();
  await writeToyData(data);
  return data;
}

/** The training that was asked for. */
export function asked(
  device: Device,
  data: FileStore,
  cluster = 1,
  training: Partial<TrainingOptions> = {},
): Promise<Recipe> {
  const options = { cluster, architecture: dit, config: ditConfig(toySize) };
  return expertRecipe({
    ...{ device, data, runs: memoryStore(), ...options },
    training: { ...toyTraining, steps, ...training },
  });
}

/** Trains `done` and says that it was `said`. The folder of the run. */
export function work(
  device: Device,
  said: Recipe,
  done: Partial<Recipe> = {},
  proveEvery: number = every,
): Promise<FileStore> {
  return runOf(device, said, createJob(device, { ...said, ...done }), proveEvery);
}

/** Honest work, but at the end of some segments the parameters are the initial ones again, and all goes on from there. */
export function workWithJumps(device: Device, said: Recipe, jumps: readonly number[]): Promise<FileStore> {
  const job = createJob(device, said);
  const { advance, start } = job;
  job.advance = async (state, step) => {
    const next = await advance(state, step);
    if (!jumps.some((k) => step === every * (k + 1) - 1)) return next;
    const { params } = (await start()).train;
    return { ...next, state: { ...next.state, train: { ...next.state.train, params } } };
  };
  return runOf(device, said, job);
}

async function runOf(
  device: Device,
  said: Recipe,
  job: TrainingJob<State>,
  proveEvery: number = every,
): Promise<FileStore> {
  const runs = memoryStore();
  const { name, identity, companions } = said;
  await runTraining(async () => job, {
    ...{ runs, name, identity, companions, proveEvery },
    versions: { '@paris/trainer': version },
    adapter: { fingerprint: device.info.fingerprint, name: device.info.adapter },
  });
  return folderStore(runs, name);
}

/** Writes the chain of whatever the folder holds now. */
export async function commit(run: FileStore): Promise<void> {
  const chain = await readChain(run);
  const record = (await readRun(run))!;
  const states = [];
  for (const { step } of chain.states) states.push({ step, ...(await hashFile(run, statePath(step))) });
  const weights = await sha256(await run.read('model.safetensors'));
  record.result = { ...record.result!, sha256: weights };
  const forged = await chainOf(record, chain.every, states);
  record.proof = { every: chain.every, root: forged.root };
  await writeChain(run, forged);
  await writeRun(run, record);
}

/** Changes the f32 tensors of a file whose names begin with a prefix. */
export async function change(
  run: FileStore,
  path: string,
  to: (value: number, name: string, i: number) => number,
): Promise<void> {
  const tensors = await readSafetensors(run, path);
  const changed = Object.entries(tensors).map(([name, tensor]): [string, HostTensor] => {
    if (!(tensor.data instanceof Float32Array)) return [name, tensor];
    return [name, { ...tensor, data: tensor.data.map((value, i) => to(value, name, i)) } as HostTensor];
  });
  await run.write(path, writeSafetensors(Object.fromEntries(changed)));
}
