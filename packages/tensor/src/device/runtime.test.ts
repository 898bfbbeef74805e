// What every runtime must do: train, draw, save and load. The ops are in their own suites.

import { memoryStore } from '@paris/files';
import { readSafetensors, writeSafetensors } from '@paris/files/safetensors';
import { valueAndGrad } from '../autodiff/gradient.js';
import { gelu } from '../ops/activation/activations.js';
import { mse } from '../ops/loss/losses.js';
import { normal, randomBits } from '../ops/random/random.js';
import { adamw } from '../optim/adamw.js';
import type { TrainState } from '../optim/optimizer.js';
import { hostBits, hostNormal, key } from '../random/index.js';
import { philox4x32 } from '../random/philox.js';
import type { Tensor } from '../tensor.js';
import { declareSuite, type SuiteContext } from '../testing/suite.js';
import { uploadTensor } from './upload.js';

declareSuite({
  name: 'a runtime',
  cases: [
    { name: 'trains: the loss of a compiled step goes down, and a replay makes nothing new', run: trains },
    { name: 'draws: known answers of Philox, and the same bits on the device', run: draws },
    { name: 'saves and loads: tensors come back as the same bytes', run: savesAndLoads },
    { name: 'refuses: errors are typed and come before anything runs', run: refuses },
  ],
});

type Params = { readonly first: Tensor; readonly second: Tensor };

async function trains({ device }: SuiteContext) {
  const data = (seed: number, shape: number[]) =>
    device.tensor(hostNormal(key(seed), shape[0]! * shape[1]!), { shape });
  const x = data(1, [32, 4]);
  const y = x.slice([null, [0, 2]]).mul(0.5);
  const optimizer = adamw({ learningRate: 0.02 });
  const lossOf = ({ first, second }: Params) => mse(gelu(x.matmul(first)).matmul(second), y);
  const step = device.compile(
    (state: TrainState<Params>) => {
      const [loss, gradients] = valueAndGrad(lossOf)(state.params);
      return { state: optimizer.update(state, gradients), loss };
    },
    { donate: [0] },
  );
  let state = await device.run(optimizer.init<Params>({ first: data(2, [4, 16]), second: data(3, [16, 2]) }));
  const losses: number[] = [];
  for (let i = 0; i < 40; i++) {
    const before = device.counters;
    const result = await step(state);
    const { submits, pipelinesCreated } = device.counters;
    const made = pipelinesCreated - before.pipelinesCreated;
    if (i > 2 && (submits - before.submits !== 1 || made !== 0)) {
      throw new Error(`step ${i} took ${submits - before.submits} submits and ${made} new pipelines, not 1 and 0.`);
    }
    state = result.state;
    losses.push(await result.loss.item());
    result.loss.dispose();
  }
  const [first, last] = [losses[0]!, losses.at(-1)!];
  if (!(last < 0.5 * first)) throw new Error(`the loss went from ${first} to ${last}, not below half.`);
  return { compared: losses.length };
}

async function draws({ device }: SuiteContext) {
  // Random123, tests/kat_vectors, "philox4x32 10": the digits of π.
  const words = philox4x32([0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344], [0xa4093822, 0x299f31d0]);
  same('Philox', words, [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1]);
  const count = 1025;
  const [bits, numbers] = await device.run([randomBits(key(4), [count]), normal(key(4), [count])]);
  same('the bits', await read(device, bits!), hostBits(key(4), count));
  const expected = hostNormal(key(4), count);
  (await read(device, numbers!)).forEach((x, i) => {
    if (!(Math.abs(x - expected[i]!) < 1e-6)) throw new Error(`normal number ${i} is ${x}, expected ${expected[i]}.`);
  });
  return { compared: 4 + 2 * count };
}

/** What was drawn from a key alone belongs to no device, and is read where it was computed. */
async function read(device: SuiteContext['device'], drawn: Tensor): Promise<readonly number[]> {
  return [...(await device.download(drawn))];
}

async function savesAndLoads({ device }: SuiteContext) {
  const data = { weight: hostNormal(key(8), 65 * 17), ids: Uint32Array.from([0, 1, 2 ** 32 - 1]) };
  const bytes = writeSafetensors({
    'layers.0.weight': { data: data.weight, shape: [65, 17], dtype: 'f32' },
    ids: { data: data.ids, shape: [3], dtype: 'u32' },
  });
  const file = await readSafetensors(memoryStore({ 'model.safetensors': bytes }), 'model.safetensors');
  const [weight, ids] = [uploadTensor(device, file['layers.0.weight']!), uploadTensor(device, file.ids!)];
  const again = writeSafetensors({
    'layers.0.weight': { data: await weight.read(), shape: weight.shape, dtype: weight.dtype },
    ids: { data: await ids.read(), shape: ids.shape, dtype: ids.dtype },
  });
  same('the file', again, bytes);
  return { compared: bytes.length };
}

async function refuses({ device }: SuiteContext) {
  const [a, b] = [device.tensor([[1, 2, 3]]), device.tensor([[1, 2, 3]])];
  let said = '';
  try {
    a.matmul(b);
  } catch (error) {
    said = `${error}`;
  }
  const expected =
    'ShapeError: [matmul] the inner sizes differ: a is [1, 3], b is [1, 3] (3 ≠ 1). Transpose b or reshape.';
  if (said !== expected) throw new Error(`the error was ${said || 'missing'}, expected ${expected}`);
  return { compared: 1 };
}

function same(what: string, actual: ArrayLike<number>, expected: ArrayLike<number>): void {
  if (actual.length !== expected.length) throw new Error(`${what}: ${actual.length} values, not ${expected.length}.`);
  for (let i = 0; i < expected.length; i++) {
    if (actual[i] !== expected[i]) throw new Error(`${what}: value ${i} is ${actual[i]}, expected ${expected[i]}.`);
  }
}
