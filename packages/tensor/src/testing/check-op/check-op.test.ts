// checkOp catches what it is there to catch: ops that are wrong on purpose.

import { d, std } from 'typegpu';
import { describe, expect, it } from 'vitest';
import { floats } from '../../graph/dtype.js';
import type { PointwiseOp, ReduceOp, TiledOp } from '../../graph/op.js';
import { sigmoid, silu } from '../../ops/activation/activations.js';
import { unary } from '../../ops/define/elementwise.js';
import { applyOp, pointwise, requireTensor, zeroGradient } from '../../ops/define/op.js';
import { scatterAdd } from '../../ops/index/indices.js';
import { sum } from '../../ops/reduce/reductions.js';
import { stopGradient } from '../../ops/view/identity.js';
import { expand } from '../../ops/view/views.js';
import { fn } from '../../shader/fn.js';
import type { Tensor } from '../../tensor.js';
import { elementwiseSamples, type OpFixture, sample } from '../samples.js';
import { useDevice } from '../use-device.testing.js';
import { readFixture } from '../vitest.testing.js';
import { checkOp } from './check-op.js';
import { CheckError } from './comparison.js';

const device = useDevice();
const fixture = readFixture<OpFixture>('ops/silu');
const samples = elementwiseSamples(fixture.samples);

const right = {
  name: 'silu',
  dtypes: floats,
  cost: 6,
  kernel: fn([d.f32], d.f32, (x) => {
    'use gpu';
    return x / (1 + std.exp(-x));
  }),
  vjp: ({ x, cotangent }: { x: Tensor; cotangent: Tensor }) => {
    const s = sigmoid(x);
    return cotangent.mul(s).mul(x.mul(s.rsub(1)).add(1));
  },
};

describe('checkOp', () => {
  it('passes an op that is right, and counts what it compared', async (context) => {
    const on = device(context);
    const report = await checkOp(unary(right), { device: on, fixture, samples });
    const stored = fixture.samples.reduce((n, { outputs }) => n + outputs[0]!.data.length, 0);
    const drawn = samples.reduce((n, { inputs }) => n + inputs[0]!.data.length, 0);
    expect(report.compared).toMatchObject({
      reading: stored,
      forward: stored + drawn,
      cpu: stored + drawn,
      fused: stored + drawn,
      gradient: stored + drawn,
      reference: 0,
    });
    expect(report.compared.differences).toBeGreaterThan(20);
    expect(report.worst).toMatchObject({ actual: expect.any(Number), expected: expect.any(Number) });
  });

  it('catches a wrong constant in a kernel, naming the worst element with both values', async (context) => {
    const wrong = unary({
      ...right,
      kernel: fn([d.f32], d.f32, (x) => {
        'use gpu';
        return x / (1.001 + std.exp(-x));
      }),
    });
    const checked = checkOp(wrong, { device: device(context), fixture, samples });
    await expect(checked).rejects.toThrow(CheckError);
    await expect(checked).rejects.toThrow(
      /\[checkOp\] silu: cpu of sample .*: element \d+ is -?[\d.e-]+, expected -?[\d.e-]+, off by [\d.e-]+ where [\d.e-]+ is allowed\./,
    );
  });

  it('catches it in text of WGSL too, which has no run on the CPU', async (context) => {
    const op = pointwise({
      name: 'silu',
      cost: 6,
      infer: ([x]) => [x!],
      relate: (relation) => relation,
      emit: ({ read, name }) => `${read(0)} / (1.001f + exp(-${name(read(0))}))`,
      vjp: ({ inputs, cotangent }) => [right.vjp({ x: inputs[0]!, cotangent })],
    });
    const wrong = Object.assign((x: Tensor) => applyOp(op, [x]), { op });
    await expect(checkOp(wrong, { device: device(context), fixture })).rejects.toThrow(/silu: forward of sample/);
  });

  const vjps: Record<string, (context: { x: Tensor; cotangent: Tensor }) => Tensor> = {
    'a wrong sign': ({ x, cotangent }) => right.vjp({ x, cotangent }).neg(),
    'a lost factor': ({ x, cotangent }) => cotangent.mul(sigmoid(x)),
    'a lost cotangent': ({ x }) => right.vjp({ x, cotangent: sigmoid(x).mul(0).add(1) }),
  };
  for (const [name, vjp] of Object.entries(vjps)) {
    it(`catches ${name} in a VJP`, async (context) => {
      const on = device(context);
      const wrong = unary({ ...right, vjp });
      await expect(checkOp(wrong, { device: on, fixture })).rejects.toThrow(/silu: gradient of sample/);
      // Where no gradients are stored, the differences find it.
      const unstored = { op: 'silu', samples: fixture.samples.map(({ gradients, ...rest }) => rest) };
      await expect(checkOp(wrong, { device: on, fixture: unstored })).rejects.toThrow(/silu: differences of sample/);
    });
  }

  it('catches a gradient that is right and has a wrong one itself', async (context) => {
    const flat = unary({
      ...right,
      vjp: ({ x, cotangent }) => right.vjp({ x: stopGradient(x), cotangent }),
    });
    const checked = checkOp(flat, { device: device(context), fixture });
    await expect(checked).rejects.toThrow(/silu: second of sample/);
    const { compared } = await checkOp(flat, { device: device(context), fixture, second: { none: 'planted' } });
    expect(compared.second).toBe(0);
  });

  it('catches a gradient that is declared zero and is not', async (context) => {
    const flat = unary({ ...right, vjp: zeroGradient('it is not') });
    await expect(checkOp(flat, { device: device(context), fixture })).rejects.toThrow(/silu: gradient of sample/);
  });

  it('catches a wrong shape rule', async (context) => {
    const on = device(context);
    const op: ReduceOp = {
      ...(sum.op as ReduceOp),
      infer: ([x], { axes }) => [
        { shape: x!.shape.filter((_, i) => !(axes as number[]).includes(i)).reverse(), dtype: x!.dtype },
      ],
    };
    const wrong = Object.assign((x: Tensor) => applyOp(op, [requireTensor('sum', x)], { axes: [0] }), { op });
    const x = sample.normal([2, 3, 4], 1);
    const known = { shape: [3, 4], dtype: 'f32' as const, data: new Array(12).fill(0) };
    const stored = { op: 'sum', samples: [{ attrs: {}, inputs: [x], outputs: [known] }] };
    await expect(checkOp(wrong, { device: on, fixture: stored })).rejects.toThrow(
      '[checkOp] sum: sample 0 gives f32[4,3], expected f32[3,4].',
    );
  });

  it('catches a view that reads the wrong place where it is fused', async (context) => {
    const on = device(context);
    const op: PointwiseOp = {
      ...(expand.op as PointwiseOp),
      // Claims to stay on the row it is read from, whatever the broadcast is.
      relate: () => 'element',
      emit: (context_) => context_.read(0, context_.position.reshaped(context_.inputs[0]!.shape)),
    };
    const wrong = Object.assign((x: Tensor) => applyOp(op, [x], { shape: [4, 3] }), { op });
    const stored = readFixture<OpFixture>('ops/expand').samples.slice(0, 1);
    await expect(checkOp(wrong, { device: on, fixture: { op: 'expand', samples: stored } })).rejects.toThrow(
      /expand: (forward|fused) of sample/,
    );
  });

  it('catches a tiled kernel that differs from its reference', async (context) => {
    const on = device(context);
    const op: TiledOp = {
      ...(scatterAdd.op as TiledOp),
      generate(context_) {
        const kernel = (scatterAdd.op as TiledOp).generate(context_);
        return { ...kernel, body: kernel.body.replace('part[c] +=', 'part[c] =') };
      },
    };
    const wrong = Object.assign((rows: Tensor, ids: Tensor) => applyOp(op, [rows, ids], { count: 3 }), { op });
    const call = sample.call([sample.normal([17, 5], 1), sample.integers([17], 2, 3)]);
    await expect(checkOp(wrong, { device: on, fixture: { none: 'broken' }, samples: [call] })).rejects.toThrow(
      /scatterAdd: (forward|reference) of sample/,
    );
  });

  it('fails without samples, and when nothing was compared that must be', async (context) => {
    const on = device(context);
    await expect(checkOp(silu, { device: on, fixture: { none: 'why' } })).rejects.toThrow('there is no sample');
    const empty = [sample.call([sample.normal([0], 1)])];
    await expect(checkOp(silu, { device: on, fixture: { none: 'why' }, samples: empty })).rejects.toThrow(
      '[checkOp] silu: nothing was compared in forward.',
    );
    const calls = [sample.call([sample.normal([3], 1)])];
    const none = () => [] as never;
    const checked = checkOp(silu, { device: on, fixture: { none: 'why' }, samples: calls, apply: none });
    await expect(checked).rejects.toThrow(CheckError);
  });
});
