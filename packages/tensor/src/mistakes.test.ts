// What a newcomer gets wrong first, and the sentence that comes back: what, what was got, what to do. Read them aloud.

import { memoryStore } from '@paris/files';
import { readSafetensors } from '@paris/files/safetensors';
import { saidBy } from '@paris/test-tools/said';
import { expect, it } from 'vitest';
import {
  attention,
  concat,
  crossEntropy,
  embedding,
  grad,
  key,
  matmul,
  normal,
  openDevice,
  type Tensor,
  type TensorLike,
  unflattenTree,
  zeros,
} from './index.js';
import { adamw } from './optim/index.js';
import { useDevice } from './testing/use-device.testing.js';

const deviceOf = useDevice();

it('shapes', (context) => {
  const device = deviceOf(context);
  const a = device.tensor([
    [1, 2, 3],
    [4, 5, 6],
  ]);
  const b = zeros([4, 5]);
  expect(saidBy(() => matmul(a, b))).toMatchInlineSnapshot(
    `"ShapeError: [matmul] the inner sizes differ: a is [2, 3], b is [4, 5] (3 ≠ 4). Transpose b or reshape."`,
  );
  expect(saidBy(() => a.add(b))).toMatchInlineSnapshot(
    `"ShapeError: [add] [2, 3] and [4, 5] do not broadcast (2 against 4). Reshape one."`,
  );
  expect(saidBy(() => a.reshape([4, 2]))).toMatchInlineSnapshot(
    `"ShapeError: [reshape] [2, 3] has 6 elements and [4, 2] has 8. Give a shape of the same size."`,
  );
  expect(saidBy(() => a.sum(2))).toMatchInlineSnapshot(
    `"ShapeError: [sum] axis 2 does not exist in a tensor of rank 2. Use -2 to 1."`,
  );
  for (const reduce of [a.sum.bind(a), a.permute.bind(a)]) {
    expect(saidBy(() => reduce({ axis: 1 } as never))).toMatch(
      /^ShapeError: \[(sum|permute)\] axes must be a number or a list, got object\. Options follow them\.$/,
    );
  }
  expect(saidBy(() => concat([a, b], 0))).toMatchInlineSnapshot(
    `"ShapeError: [concat] [2, 3] and [4, 5] differ in an axis other than 0. Reshape or slice one."`,
  );
  expect(saidBy(() => a.sum().sum(0))).toMatchInlineSnapshot(
    `"ShapeError: [sum] axis 0 does not exist in a tensor of rank 0. Reshape it to [1]."`,
  );
  expect(saidBy(() => a.slice([[2, 0, -1], null]))).toMatchInlineSnapshot(
    `"ValueError: [slice] [2, 0, -1] does not fit axis 0 of size 2. Use 0 ≤ start ≤ end ≤ 2, and a step from 1 on."`,
  );
  expect(saidBy(() => a.slice([[0, 5]]))).toMatchInlineSnapshot(
    `"ShapeError: [slice] 1 ranges for 2 axes. Give one each, null for all of it."`,
  );
  expect(saidBy(() => device.tensor([[1, 2], [3]]))).toMatchInlineSnapshot(
    `"ShapeError: [tensor] the list is ragged: 1 entries where 2 were expected. Make all lists of one depth equally long."`,
  );
  expect(saidBy(() => device.tensor(new Float32Array(6), { shape: [2, 2] }))).toMatchInlineSnapshot(
    `"ShapeError: [tensor] 6 numbers do not fill [2, 2], which takes 4. Give another shape, or other data."`,
  );
  expect(saidBy(() => attention(zeros([1, 2, 4, 8]), zeros([1, 2, 6, 16]), zeros([1, 2, 6, 8])))).toMatchInlineSnapshot(
    `"ShapeError: [attention] q must be [B, N, H, d] and k, v [B, M, H, d]: got [1, 2, 4, 8], [1, 2, 6, 16], [1, 2, 6, 8]. Permute or reshape."`,
  );
});

it('dtypes', (context) => {
  const device = deviceOf(context);
  const ids = device.tensor([0, 1], { dtype: 'u32' });
  expect(saidBy(() => ids.add(device.tensor([0.5, 1])))).toMatchInlineSnapshot(
    `"DTypeError: [add] the dtypes differ: u32 and f32. Use cast() on one of them."`,
  );
  expect(saidBy(() => embedding(zeros([4, 2]), device.tensor([0, 1])))).toMatchInlineSnapshot(
    `"DTypeError: [embedding] ids have dtype f32, not u32. Use cast('u32')."`,
  );
  expect(saidBy(() => crossEntropy(zeros([2, 3]), zeros([2, 3])))).toMatchInlineSnapshot(
    `"ShapeError: [crossEntropy] logits [2, 3] and labels [2, 3] must be [B, K] and [B]. A label is a class's number, no row of zeros and a one."`,
  );
});

it('a tensor without a device, and of two devices', async (context) => {
  const device = deviceOf(context);
  expect(await saidBy(() => zeros([2]).read())).toMatchInlineSnapshot(
    `"ValueError: [read] nothing in this graph belongs to a device yet. Use device.run(tensor), then read()."`,
  );
  const other = await openDevice();
  const sum = () => device.tensor([1]).add(other.tensor([1]));
  expect(saidBy(sum)).toMatchInlineSnapshot(
    `"ValueError: [add] the tensors belong to two devices. Read one and upload it to the other."`,
  );
  await other.close();
  expect(saidBy(() => other.tensor([1]))).toMatchInlineSnapshot(
    `"DeviceLostError: [device] the device was closed. Open a new one with openDevice()."`,
  );
});

it('compiled functions', async (context) => {
  const device = deviceOf(context);
  const x = device.tensor([1, 2]);
  const scale = device.compile((x: Tensor, by: TensorLike) => x.mul(by));
  expect(await saidBy(() => scale(x, 2 as never))).toMatchInlineSnapshot(
    `"TypeError: [compile] an argument is a plain number, which would be compiled in. Write scalar(x)."`,
  );
  const waits = device.compile((async (x: Tensor) => x) as never) as unknown as (x: Tensor) => Promise<Tensor>;
  expect(await saidBy(() => waits(x))).toMatchInlineSnapshot(
    `"TraceError: [compile] the function is asynchronous and must not be. Read tensors outside it."`,
  );
  const step = device.compile((state: Tensor) => state.add(1), { donate: [0] });
  const state = device.tensor([1]);
  await step(state);
  expect(await saidBy(() => state.read())).toMatchInlineSnapshot(
    `"DonatedTensorError: [read] the tensor was donated to a compiled call. Use what that call returned."`,
  );
  x.dispose();
  expect(await saidBy(() => x.read())).toMatchInlineSnapshot(
    `"DisposedTensorError: [read] the tensor was disposed before. Dispose it after its last use."`,
  );
});

it('gradients', (context) => {
  const device = deviceOf(context);
  const x = device.tensor([1, 2]);
  expect(saidBy(() => grad((x: Tensor) => x.square())(x))).toMatchInlineSnapshot(
    `"ValueError: [grad] the result is [2] and must be one number. Use mean() or sum()."`,
  );
  expect(saidBy(() => grad((x: Tensor) => x.sum())(device.tensor([1, 2], { dtype: 'i32' })))).toMatchInlineSnapshot(
    `"ValueError: [grad] the parameter has dtype i32; only floats have gradients. Cast it, or pass it as another argument."`,
  );
});

it('numbers out of their range', async (context) => {
  const device = deviceOf(context);
  expect(saidBy(() => device.tensor([0.5], { dtype: 'u32' }))).toMatchInlineSnapshot(
    `"ValueError: [tensor] element 0 is 0.5, which is no u32. Round it, or use f32."`,
  );
  expect(saidBy(() => key(-1))).toMatchInlineSnapshot(
    `"ValueError: [key] expected an integer in [0, 2⁵³), got -1. Round it or take its absolute value."`,
  );
  expect(saidBy(() => normal(key(0), [2, -1]))).toMatchInlineSnapshot(
    `"ShapeError: [normal] a shape holds whole numbers from 0 up, got [2, -1]."`,
  );
  expect(saidBy(() => adamw({ learningRate: -0.1 }))).toMatchInlineSnapshot(
    `"ValueError: [optimizer] the learning rate is -0.1. Give a number from 0 on, or a schedule."`,
  );
  expect(await saidBy(async () => device.tensor([1, 2]).item())).toMatchInlineSnapshot(
    `"ValueError: [item] the tensor has 2 elements, not 1. Use read()."`,
  );
  expect(
    saidBy(() =>
      unflattenTree([
        { path: 'a', value: 1 },
        { path: 'a.b', value: 2 },
      ]),
    ),
  ).toMatchInlineSnapshot(`"ValueError: [tree] "a.b" runs through a leaf. Rename one of the two."`);
});

it('files', async () => {
  const cut = new Uint8Array(64);
  cut[0] = 200;
  const store = memoryStore({ 'model.safetensors': cut, 'page.html': '<!doctype html><title>Not found</title>' });
  const load = (path: string) => saidBy(() => readSafetensors(store, path));
  expect(await load('mdoel.safetensors')).toMatchInlineSnapshot(
    `"FileNotFoundError: [store] there is no file "mdoel.safetensors". Check the path, or make the file first."`,
  );
  expect(await load('model.safetensors')).toMatchInlineSnapshot(
    `"CheckpointError: [safetensors] "model.safetensors": its header claims 200 of 56 bytes. Was it cut off?"`,
  );
  expect(await load('page.html')).toMatchInlineSnapshot(
    `"CheckpointError: [safetensors] "page.html": its header claims 8104636974849335000 bytes, more than the format allows (10⁸). Is it a safetensors file?"`,
  );
  expect(await load('../secret')).toMatchInlineSnapshot(
    `"FileAccessError: [store] "../secret" is not a path inside the store. Use names with "/" between them, without "." or ".."."`,
  );
});
