// Ops as a user would define them: checked by checkOp, fused like ours, and identified by their object.
import tgpu, { d, std } from 'typegpu';
import { describe, expect, it } from 'vitest';
import { grad } from '../../autodiff/gradient.js';
import { signatureOf } from '../../compile/signature.js';
import { shaderFunction } from '../../shader/fn.js';
import type { Tensor } from '../../tensor.js';
import { checkOp } from '../../testing/check-op/check-op.js';
import { elementwiseSamples, sample } from '../../testing/samples.js';
import { useDevice } from '../../testing/use-device.testing.js';
import { sigmoid } from '../activation/activations.js';
import { rsqrt } from '../arithmetic/functions.js';
import { defineOp, type Kernel } from './define-op.js';
import { elementwise } from './elementwise.js';
import { none, zeroGradient } from './op.js';
import { reduction } from './reduction.js';

const device = useDevice();
const timeoutMs = 900_000;

const swish = elementwise({
  name: 'swish',
  inputs: ['x', 'beta'],
  wgsl: 'x / (1 + exp(-beta * x))',
  reference: (x, beta) => x / (1 + Math.exp(-beta * x)),
  vjp({ x, beta, cotangent }) {
    const s = sigmoid(x.mul(beta));
    const slope = s.mul(s.rsub(1));
    return [cotangent.mul(s.add(x.mul(beta).mul(slope))), cotangent.mul(x.square().mul(slope))];
  },
});

const norm = reduction({
  name: 'norm',
  accumulator: {
    variables: [{ type: 'f32', initial: '0' }],
    step: ([sum], x) => `${sum} += ${x} * ${x};`,
    merge: ([a], [b]) => `${a} += ${b};`,
    result: ([sum]) => `sqrt(${sum})`,
  },
  splits: true,
  reference: (xs) => Math.hypot(...xs),
  vjp: ({ x, output, cotangent }) => cotangent.mul(x.div(output)),
});

const rmsNorm = defineOp({
  name: 'rmsNorm',
  inputs: ['x'],
  attributes: { eps: 1e-6 },
  infer: ({ x }) => x,
  decompose: ({ x }, { eps }) => x.mul(rsqrt(x.square().mean(-1, { keepDims: true }).add(eps))),
  vjp({ x, cotangent }, { eps }) {
    const scale = rsqrt(x.square().mean(-1, { keepDims: true }).add(eps));
    const along = cotangent.mul(x).mean(-1, { keepDims: true }).mul(scale.square());
    return [cotangent.sub(x.mul(along)).mul(scale)];
  },
});

/** Sums up to each element of the rows of [R, C], a row an invocation, and where each row's largest element is. */
const scan = defineOp({
  name: 'scan',
  inputs: ['x'],
  infer: ({ x }) => [x, { shape: [x.shape[0]!], dtype: 'u32' }] as const,
  kernel({ inputs, read, store, uniform }): Kernel {
    const [rows, columns] = inputs.x.shape as [number, number];
    const [height, width] = [uniform(rows), uniform(columns)];
    return {
      workgroupSize: [64, 1, 1],
      workgroups: [Math.ceil(rows / 64), 1, 1],
      body: `
  let row = workgroup_id.x * 64u + local_index;
  if (row >= ${height}) { return; }
  var sum = 0f;
  var best = ${read('x', `row * ${width}`)};
  var at = 0u;
  for (var i = 0u; i < ${width}; i++) {
    let x = ${read('x', `row * ${width} + i`)};
    sum += x;
    if (x > best) { best = x; at = i; }
    ${store(`row * ${width} + i`, 'sum')}
  }
  ${store('row', 'at', 1)}`,
    };
  },
  reference({ x }) {
    const width = x.shape[1]!;
    const sums = x.data.slice();
    for (let i = 0; i < sums.length; i++) if (i % width > 0) sums[i]! += sums[i - 1]!;
    const rows = Array.from({ length: x.shape[0]! }, (_, r) => x.data.subarray(r * width, (r + 1) * width));
    return [sums, rows.map((row) => row.indexOf(Math.max(...row)))] as const;
  },
  vjp: ({ cotangent: [sums] }) => [runningSums(sums.flip(1)).flip(1)],
});

function runningSums(x: Tensor): Tensor {
  return scan(x)[0];
}

describe('ops from outside', () => {
  it(
    'elementwise: values, gradients, fused, broadcast, f16',
    async (context) => {
      const on = device(context);
      const points = [sample.values([-6, -1, 0, 0.5, 3, 5]), sample.values([1, 0.5, -1, 2])];
      const samples = elementwiseSamples([sample.call(points)]);
      const gradientTolerance = { absolute: 1e-5 }; // 1 − σ(x) is what rounding leaves of it
      const { compared } = await checkOp(swish, { device: on, samples, gradientTolerance });
      expect(compared.forward).toBe(1368 + 51 + 51 + 5);
      expect(compared.differences).toBeGreaterThan(20);
      expect(compared.half > 0).toBe(on.hasFeature('shader-f16'));
    },
    timeoutMs,
  );

  it(
    'elementwise: integers, statements, another result',
    async (context) => {
      const bits = elementwise({
        name: 'countBits',
        inputs: ['x'],
        dtypes: ['i32', 'u32'],
        wgsl: { i32: 'countOneBits(x)', u32: 'let n = countOneBits(x); return n;' },
        reference: (x) => [...(x >>> 0).toString(2)].filter((bit) => bit === '1').length,
        vjp: zeroGradient('integers'),
      });
      const even = elementwise({
        name: 'even',
        inputs: ['x'],
        dtypes: ['u32'],
        result: 'bool',
        wgsl: { u32: '(x & 1) == 0' },
        reference: (x) => +(x % 2 === 0),
        vjp: zeroGradient('a truth value'),
      });
      const on = device(context);
      const u32 = sample.call([sample.integers([257], 1, 1e6)]);
      const i32 = sample.call([sample.values([-1, 0, 1, 7, 2 ** 30, -(2 ** 31)], 'i32')]);
      expect((await checkOp(bits, { device: on, samples: [u32, i32] })).compared.forward).toBe(263);
      expect((await checkOp(even, { device: on, samples: [u32] })).compared.forward).toBe(257);
    },
    timeoutMs,
  );

  it(
    'elementwise: a TypeGPU function, whose JavaScript is compared as well',
    async (context) => {
      const op = elementwise({
        name: 'bump',
        inputs: ['x'],
        wgsl: shaderFunction(
          tgpu.fn(
            [d.f32],
            d.f32,
          )((x) => {
            'use gpu';
            return std.exp(-(x * x));
          }),
        ),
        reference: (x) => Math.exp(-x * x),
        vjp: ({ x, output, cotangent }) => [cotangent.mul(output).mul(x.mul(-2))],
      });
      const samples = elementwiseSamples([sample.call([sample.values([-2, -1, 0, 0.5, 1.5])])]);
      const { compared } = await checkOp(op, { device: device(context), samples });
      expect(compared.cpu).toBe(compared.forward);
      expect(compared.forward).toBe(1368);
    },
    timeoutMs,
  );

  it(
    'reduction: over any axes, in one stage and in two',
    async (context) => {
      const shapes: [number[], number[] | undefined][] = [
        [[3, 65], [1]],
        [[65, 3], [0]],
        [
          [3, 5, 7],
          [0, 2],
        ],
        [[4096], undefined],
        [[17], undefined],
      ];
      const { compared } = await checkOp(norm, {
        device: device(context),
        apply: ([x], { axes }) => norm(x!, axes as number[] | undefined),
        samples: shapes.map(([shape, axes], i) => sample.call([sample.normal(shape, i)], axes ? { axes } : {})),
      });
      expect(compared.gradient).toBe(3 * 65 * 2 + 105 + 4096 + 17);
    },
    timeoutMs,
  );

  it(
    'composite: its own gradient, with attributes',
    async (context) => {
      const samples = [
        sample.call([sample.normal([3, 17], 1)]),
        sample.call([sample.normal([65, 8], 2)], { eps: 0.5 }),
      ];
      const { compared } = await checkOp(rmsNorm, { device: device(context), samples });
      expect(compared.gradient).toBe(3 * 17 + 65 * 8);
    },
    timeoutMs,
  );

  it(
    'kernel: two results against plain JavaScript, and its gradient',
    async (context) => {
      const shapes = [
        [1, 1],
        [3, 17],
        [65, 5],
        [130, 65],
      ];
      const samples = shapes.map((shape, i) => sample.call([sample.normal(shape, i)]));
      const tolerance = { absolute: 2e-5 };
      const { compared } = await checkOp(scan, {
        edges: { empty: { none: 'nothing has no last place' } },
        device: device(context),
        samples,
        tolerance,
      });
      expect(compared.reference).toBe(1 + 51 + 325 + 8450 + 1 + 3 + 65 + 130);
      expect(compared.fusedGradient).toBeGreaterThan(0);
    },
    timeoutMs,
  );

  it('a kernel reads a slice where it begins', async (context) => {
    const x = device(context).tensor([
      [9, 9],
      [1, 2],
      [3, 4],
    ]);
    expect([...(await scan(x.slice([[1, 3], null]))[0].read())]).toEqual([1, 3, 3, 7]);
  });

  it('fuses with its neighbours into one dispatch', async (context) => {
    const on = device(context);
    const x = on.tensor([1, 2, 3]);
    const before = on.counters.dispatches;
    await on.run(swish(x.add(1), 2).mul(3));
    expect(on.counters.dispatches - before).toBe(1);
    const middle = on.counters.dispatches;
    await on.run(norm(swish(x, 2)).mul(3));
    expect(on.counters.dispatches - middle).toBe(1);
  });
});

describe('two ops of one name', () => {
  const times = (factor: number) =>
    elementwise({
      name: 'silu', // also the name of one of ours
      inputs: ['x'],
      wgsl: `x * ${factor}`,
      reference: (x) => x * factor,
      vjp: ({ cotangent }) => [cotangent.mul(factor)],
    });
  const [double, triple] = [times(2), times(3)];

  it('are two in signatures, in one plan and in the checks', async (context) => {
    const on = device(context);
    const x = on.tensor([1, 2]);
    expect(signatureOf([double(x)]).key).not.toBe(signatureOf([triple(x)]).key);
    expect(signatureOf([double(x)]).key).toBe(signatureOf([double(x)]).key);
    const both = on.compile((y: Tensor) => [double(y), triple(y), grad((z: Tensor) => triple(z).sum())(y)]);
    const read = await Promise.all((await both(x)).map(async (tensor) => [...(await tensor.read())]));
    expect(read).toEqual([
      [2, 4],
      [3, 6],
      [3, 3],
    ]);
    const samples = [sample.call([sample.normal([17], 1)])];
    expect((await checkOp(triple, { device: on, samples })).compared.forward).toBe(17);
  });
});

describe('what cannot be', () => {
  const plain = { inputs: ['x'], wgsl: 'x', reference: (x: number) => x, vjp: none('it is a test') } as const;

  it('a wrong reference, and a wrong gradient, are found', async (context) => {
    const on = device(context);
    const samples = [sample.call([sample.normal([17], 1)])];
    const off = elementwise({ ...plain, name: 'off', reference: (x) => x + 1e-3 });
    await expect(checkOp(off, { device: on, samples })).rejects.toThrow(/off: forward of sample \[17\]: element/);
    const lost = elementwise({ ...plain, name: 'lost', wgsl: 'x * x', reference: (x) => x * x, vjp: ({ x }) => [x] });
    await expect(checkOp(lost, { device: on, samples })).rejects.toThrow(/lost: differences of sample/);
  });

  it('names that WGSL or the gradient has no place for', () => {
    expect(() => elementwise({ ...plain, name: 'id', inputs: ['2x'] })).toThrow(
      '[id] no variable of WGSL can be called 2x. Rename the input.',
    );
    expect(() => elementwise({ ...plain, name: 'id', inputs: ['output'] })).toThrow(
      '[id] two things would be called output. Rename the input.',
    );
  });

  it('names of ops are free: no function of WGSL is called so', async (context) => {
    const x = device(context).tensor([1, 2]);
    for (const name of ['2x', '平方', '__x', ''])
      expect([...(await elementwise({ ...plain, name })(x).read())], name).toEqual([1, 2]);
  });

  it('a dtype that there is no text for', () => {
    expect(() => elementwise({ ...plain, name: 'id', dtypes: ['f32', 'i32'], wgsl: { f32: 'x' } })).toThrow(
      '[id] there is no text for its dtype i32. Give one.',
    );
  });

  it('arguments and attributes that are not there', (context) => {
    const x = device(context).tensor([[1, 2]]);
    const [few, wrong] = [
      swish as unknown as (x: Tensor) => unknown,
      rmsNorm as (x: unknown, attributes: object) => unknown,
    ];
    expect(() => few(x)).toThrow('[swish] an operand must be a tensor or a number, got undefined.');
    expect(() => wrong(1, {})).toThrow('[rmsNorm] the argument must be a tensor, got number.');
    expect(() => wrong(x, { epsilon: 1 })).toThrow('[rmsNorm] there is no attribute epsilon. It has eps.');
    expect(() => wrong(x, { eps: Number.NaN })).toThrow(
      '[rmsNorm] attribute eps must be a finite number, a string or a boolean, got NaN.',
    );
    expect(() => wrong(x, { toString: 1 })).toThrow('[rmsNorm] there is no attribute toString. It has eps.');
    expect(() => wrong(x, 5 as unknown as object)).toThrow(
      '[rmsNorm] after its inputs come attributes by name, got a number. It has eps.',
    );
    expect(() => wrong(x, x)).toThrow('come attributes by name, got another tensor.');
  });

  it('parts that are not what infer says', async (context) => {
    const op = defineOp({
      name: 'halves',
      inputs: ['x'],
      infer: ({ x }) => x,
      decompose: ({ x }) => x.slice([[0, 1]]),
      vjp: none('it is a test'),
    });
    const on = device(context);
    await expect(on.run(op(on.tensor([1, 2])))).rejects.toThrow(
      '[halves] decompose gives [1], and infer says [2]. Change one of them.',
    );
  });

  it('a gradient that there is none of', (context) => {
    const x = device(context).tensor([1]);
    const op = elementwise({ ...plain, name: 'opaque' });
    expect(() => grad((y: typeof x) => op(y).sum())(x)).toThrow('[grad] opaque has no gradient: it is a test.');
  });

  it('WGSL that does not compile', async (context) => {
    const on = device(context);
    const op = elementwise({ ...plain, name: 'broken', wgsl: 'x +* 1' });
    await expect(op(on.tensor([1])).read()).rejects.toThrow(
      /^\[broken\] the kernel does not compile: .* If none of these ops is yours, it is a bug of ours\.$/s,
    );
  });
});
