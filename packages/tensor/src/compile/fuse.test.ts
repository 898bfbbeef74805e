// What fusion must do in addition to being right, which fuzz.test.ts tests.
import { requireCapability } from '@paris/test-tools';
import { describe, expect, it } from 'vitest';
import {
  attention,
  exp,
  grad,
  hostNormal,
  key,
  LimitError,
  layerNorm,
  pack,
  silu,
  softmax,
  type Tensor,
  unpack,
} from '../index.js';
import { applyOp } from '../ops/define/op.js';
import { concat } from '../ops/view/parts.js';
import { useDevice } from '../testing/use-device.testing.js';
import { compileProgram } from './program.js';
import { signatureOf } from './signature.js';

const device = useDevice();

describe('fusion', () => {
  it('cuts an expression of more tensors than a kernel can bind', async (context) => {
    const on = device(context);
    const count = on.gpu.limits.maxStorageBuffersPerShaderStage + 5;
    const terms = Array.from({ length: count }, (_, i) => on.tensor([i, 1]));
    const total = terms.reduce((a, b) => a.add(b));
    expect(await total.read()).toEqual(new Float32Array([(count * (count - 1)) / 2, count]));
  });

  it('cuts it again where a part of it is stored for another', async (context) => {
    const on = device(context);
    const most = on.gpu.limits.maxStorageBuffersPerShaderStage - 1;
    const terms = Array.from({ length: most }, (_, i) => on.tensor([i + 1]));
    const part = terms[0]!.mul(terms[1]!);
    // As many as a kernel reads, as long as the part is none of them; then the part is cut out of the list.
    const whole = part.mul(terms.reduce((a, b) => a.add(b)));
    const list = concat([part, ...terms.slice(1).map((_, i) => on.tensor([i]))]);
    await on.run([whole, list]);
    expect(await whole.read()).toEqual(new Float32Array([most * (most + 1)]));
    expect(await list.read()).toEqual(new Float32Array([2, ...terms.slice(1).keys()]));
  });

  it('cuts a chain of thousands of operations, and orders hundreds of kernels', async (context) => {
    const on = device(context);
    const chainOf = (count: number) => Array.from({ length: count }).reduce<Tensor>((x) => x.add(1), on.tensor([0, 1]));
    let sums = on.tensor([[1], [2]]);
    for (let i = 0; i < 300; i++) sums = sums.sum(1, { keepDims: true }).sub(0.5).expand([2, 1]);
    for (const value of [chainOf(5000), sums]) {
      const { leaves } = signatureOf([value]);
      const { maxStorageBufferBindingSize, maxComputeWorkgroupsPerDimension } = on.gpu.limits;
      // Adapters that bind many buffers need few kernels.
      const limits = {
        maxStorageBufferBindingSize,
        maxComputeWorkgroupsPerDimension,
        maxStorageBuffersPerShaderStage: 10,
      };
      const target = { adapter: on.adapter, limits, f16: false };
      expect(compileProgram([value], leaves, target).steps.length).toBeGreaterThan(1); // its text takes a driver long
    }
    expect(await chainOf(300).read()).toEqual(new Float32Array([300, 301]));
  });

  it('packs empty tensors among others', async (context) => {
    const on = device(context);
    const [three, none] = [on.tensor([1, 2, 3]), on.tensor(new Float32Array(0))];
    for (const parts of [
      [three, none],
      [none, three],
      [none, three.mul(2)],
      [none, three.add(none.sum())],
    ]) {
      const shapes = parts.map(({ shape }) => shape);
      const again = await on.run(unpack(pack(parts), shapes));
      for (const [i, part] of again.entries()) expect(await part.read()).toEqual(await parts[i]!.read());
    }
    expect(await three.read()).toEqual(new Float32Array([1, 2, 3]));
  });

  it('says so where one op has too many inputs', async (context) => {
    const on = device(context);
    const parts = Array.from({ length: on.gpu.limits.maxStorageBuffersPerShaderStage + 1 }, (_, i) => on.tensor([i]));
    // Not concat itself, which joins many parts in groups.
    const joined = () => applyOp(concat.op, parts, { axis: 0 });
    await expect(joined().read()).rejects.toThrow(LimitError);
    await expect(joined().read()).rejects.toThrow(
      /\[concat\] the kernel that makes f32 \[\d+\] would bind \d+ buffers/,
    );
  });

  const kernels: [string, (x: Tensor) => Tensor][] = [
    ['a chain of elementwise work', (x) => silu(x.mul(2).add(1)).square()],
    ['a reduction and what is before and behind it', (x) => exp(x).sum(1).mul(0.5)],
    ['softmax', (x) => softmax(x)],
    ['layer norm with weight and bias', (x) => layerNorm(x, { weight: x.slice([[0, 1], null]).reshape([16]) }).add(1)],
    ['a product with bias and activation', (x) => silu(x.matmul(x.transpose()).add(1))],
    [
      'views',
      (x) =>
        x
          .permute([1, 0])
          .flip(0)
          .slice([[0, 3], null])
          .mul(2),
    ],
  ];
  for (const [name, fn] of kernels) {
    it(`runs ${name} in one dispatch`, async (context) => {
      const on = device(context);
      const x = on.tensor(
        Float32Array.from({ length: 8 * 16 }, (_, i) => Math.sin(i)),
        { shape: [8, 16] },
      );
      const before = on.counters.dispatches;
      await on.run(fn(x));
      expect(on.counters.dispatches - before).toBe(1);
    });
  }

  it('hands an attention its cotangent as it is: a product with the ones of a sum’s gradient is no kernel', async (context) => {
    const on = device(context);
    const data = Float32Array.from({ length: 2 * 3 * 4 }, (_, i) => Math.sin(i));
    const [q, k, v, cotangent] = Array.from({ length: 4 }, () => on.tensor(data, { shape: [1, 2, 3, 4] }));
    const before = on.counters.dispatches;
    await on.run(grad((x: Tensor) => attention(x, k!, v!).mul(cotangent!).sum())(q!));
    // Forward, and backward for the queries.
    expect(on.counters.dispatches - before).toBe(2);
  });

  it('stores what one kernel would compute at many places', async (context) => {
    const on = device(context);
    const x = on.tensor(Float32Array.from({ length: 64 }, (_, i) => i / 64));
    const expensive = silu(exp(x));
    const pieces = Array.from({ length: 8 }, (_, i) => expensive.slice([[8 * (7 - i), 8 * (8 - i)]]));
    const before = on.counters.dispatches;
    const [result, expected] = await Promise.all([concat(pieces).read(), expensive.read()]);
    expect(on.counters.dispatches - before).toBe(2 + 1);
    expect(result.slice(0, 8)).toEqual(expected.slice(56));
    expect(result.slice(56)).toEqual(expected.slice(0, 8));
  });

  it('adds f16 up in f32, also in two stages', async (context) => {
    const on = device(context);
    requireCapability(context, 'f16', on.hasFeature('shader-f16'), 'this adapter has no f16');
    // 4100 · 0.039001 = 159.9: with partial sums in f16, 205 of them, it would be 160.
    const x = on.tensor(new Float32Array(4100).fill(0.039), { dtype: 'f16' });
    const before = on.counters.dispatches;
    expect(await x.sum().item()).toBe(159.875);
    expect(on.counters.dispatches - before).toBe(2);
  });

  it('walks once for the gradients of shift, scale and gate', async (context) => {
    const on = device(context);
    const [x, g] = [0, 1].map((seed) => on.tensor(hostNormal(key(seed), 2 * 32 * 16), { shape: [2, 32, 16] }));
    const sums = concat([g!.sum(1), g!.mul(x!).sum(1), x!.square().sum(1)], 1);
    const before = on.counters.dispatches;
    await on.run(sums);
    expect(on.counters.dispatches - before).toBe(2);
  });

  it('lets producers write the parts of a sliced parameter where its gradient is packed', async (context) => {
    const on = device(context);
    const w = on.tensor(hostNormal(key(2), 128 * 64), { shape: [128, 64] });
    const x = on.tensor(hostNormal(key(3), 8 * 64), { shape: [8, 64] });
    const half = (at: number, p: Tensor) => x.matmul(p.slice([[64 * at, 64 * (at + 1)], null]).transpose());
    const gradient = grad((p: Tensor) => half(0, p).square().mean().add(half(1, p).square().mean()))(w);
    const before = on.counters.dispatches;
    const packed = await on.run(pack([gradient]));
    // Two products forward and two backward, which write into the pack: no kernel adds them up, nothing is copied.
    expect(on.counters.dispatches - before).toBe(4);
    expect(await packed.read()).toEqual(await gradient.read());
  });
});
