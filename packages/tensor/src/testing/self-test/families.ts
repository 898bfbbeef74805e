// A small graph for each family of kernels, in odd sizes: what an adapter is compared with the CPU on.
import { grad } from '../../autodiff/gradient.js';
import type { Device } from '../../device/device.js';
import { type Shape, sizeOf } from '../../graph/shape.js';
import { chooseAttention } from '../../kernels/attention/choose.js';
import { chooseMatmul } from '../../kernels/matmul/choose.js';
import { gelu, silu, tanh } from '../../ops/activation/activations.js';
import { cos, exp, floor, log, rsqrt, sin } from '../../ops/arithmetic/functions.js';
import { pow } from '../../ops/arithmetic/pow.js';
import { attention } from '../../ops/attention/attention.js';
import { conv2d, convTranspose2d } from '../../ops/image/convolutions.js';
import { resize } from '../../ops/image/resize.js';
import { avgPool2d, maxPool2d } from '../../ops/image/windows.js';
import { embedding, gather, scatterAdd } from '../../ops/index/indices.js';
import { crossEntropy } from '../../ops/loss/losses.js';
import { cumsum, logSoftmax, softmax } from '../../ops/normalize/along.js';
import { groupNorm, layerNorm } from '../../ops/normalize/norms.js';
import { sort, topK } from '../../ops/order/order.js';
import { normal, permutation, randomBits, uniform } from '../../ops/random/random.js';
import { argmax, logSumExp, max, min } from '../../ops/reduce/reductions.js';
import { concat, pad } from '../../ops/view/parts.js';
import { flip } from '../../ops/view/views.js';
import { where } from '../../ops/where.js';
import { adamw } from '../../optim/adamw.js';
import { clipByGlobalNorm } from '../../optim/clip.js';
import { chain } from '../../optim/optimizer.js';
import { hostBits, hostNormal } from '../../random/host.js';
import { key } from '../../random/key.js';
import type { Tensor } from '../../tensor.js';

/** Kernels of one kind, as tensors that need them. */
export interface KernelFamily {
  readonly name: string;
  /** How far a number may be off: |difference| / (1 + |expected|). Integers and booleans are exact. */
  readonly bound: number;
  /** Which kernel of several the device's adapter is given. */
  readonly kernel?: (device: Device) => string;
  /** Why a device cannot run it. */
  readonly lacks?: (device: Device) => string | undefined;
  /** Takes so much work that only a fast device should. */
  readonly large?: boolean;
  /** The same numbers on every device. */
  readonly results: (device: Device) => Readonly<Record<string, Tensor>>;
}

/** Repeatable normal numbers. */
function given(device: Device, seed: number, shape: Shape): Tensor {
  return device.tensor(hostNormal(key(seed), sizeOf(shape)), { shape });
}

function ids(device: Device, seed: number, shape: Shape, below: number): Tensor {
  return device.tensor(
    hostBits(key(seed), sizeOf(shape)).map((word) => word % below),
    { shape, dtype: 'u32' },
  );
}

/** A product with its gradients, which are products of transposed operands. */
function product(m: number, n: number, k: number, large = false): KernelFamily {
  return {
    name: `product ${m} × ${k} × ${n}`,
    bound: 3e-6 * Math.sqrt(Math.max(m, n, k)),
    large,
    kernel: (device) => JSON.stringify(chooseMatmul({ m, n, k, batch: 1 }, device.adapter)),
    results(device) {
      const [a, b, c] = [given(device, 1, [m, k]), given(device, 2, [k, n]), given(device, 3, [m, n])];
      return { ab: a.matmul(b), da: c.matmul(b.transpose()), db: a.transpose().matmul(c) };
    },
  };
}

function attending(headDim: number, masked: boolean): KernelFamily {
  return {
    name: `attention, heads of ${headDim}${masked ? ', masked' : ''}`,
    bound: 1e-5,
    kernel: (device) =>
      JSON.stringify(
        (['forward', 'backwardQuery', 'backwardKey'] as const).map((kernel) =>
          chooseAttention(kernel, headDim, device.adapter),
        ),
      ),
    results(device) {
      const [q, k, v] = [17, 19, 19].map((rows, i) => given(device, i + 1, [2, rows, 3, headDim]));
      const mask = ids(device, 4, [2, 19], 3).notEqual(0);
      const weight = given(device, 5, [2, 17, 3, headDim]);
      const options = masked ? { mask } : {};
      const run = (inputs: { q: Tensor; k: Tensor; v: Tensor }) =>
        attention(inputs.q, inputs.k, inputs.v, options).mul(weight).sum();
      const { q: dq, k: dk, v: dv } = grad(run)({ q: q!, k: k!, v: v! });
      return { out: attention(q!, k!, v!, options), dq, dk, dv };
    },
  };
}

const elementwise: KernelFamily = {
  name: 'elementwise',
  bound: 1e-5,
  results(device) {
    const [x, y] = [given(device, 1, [37, 53]), given(device, 2, [53])];
    const positive = x.square().add(0.5);
    return {
      chain: silu(x).add(gelu(y)).mul(tanh(x)),
      powers: pow(positive, 1.5).add(log(positive)).sub(rsqrt(positive)),
      waves: sin(x.mul(100)).add(cos(x)),
      chosen: where(x.greater(y), exp(x), x.div(positive)),
      whole: floor(x.mul(10)).cast('i32'),
      gradient: grad((a: Tensor) => gelu(a).mul(y).sum())(x),
    };
  },
};

const half: KernelFamily = {
  name: 'f16 storage',
  bound: 4e-3,
  lacks: (device) => (device.hasFeature('shader-f16') ? undefined : 'the adapter has no shader-f16'),
  results(device) {
    const [x, w] = [given(device, 1, [19, 33]).cast('f16'), given(device, 2, [33, 21]).cast('f16')];
    return { product: x.matmul(w), sums: x.sum(1), softmax: softmax(x, 1), chain: silu(x).mul(x) };
  },
};

const reductions: KernelFamily = {
  name: 'reductions',
  bound: 1e-5,
  results(device) {
    const [x, row] = [given(device, 1, [65, 37]), given(device, 2, [3, 4099])];
    const all = Object.fromEntries(
      [0, 1, undefined].flatMap((axis) => [
        [`mean ${axis}`, x.mean(axis)],
        [`max ${axis}`, max(x, axis)],
        [`min ${axis}`, min(x, axis)],
        [`logSumExp ${axis}`, logSumExp(x, axis)],
        [`argmax ${axis}`, argmax(x, axis)],
      ]),
    ) as Record<string, Tensor>;
    return {
      ...all,
      long: row.mean(1),
      longMax: max(row, 1),
      whole: row.cast('i32').sum(1),
      running: cumsum(row.square(), 1),
    };
  },
};

const normalizations: KernelFamily = {
  name: 'softmax and norms, with gradients',
  bound: 3e-5,
  results(device) {
    const [x, w] = [given(device, 1, [17, 66]), given(device, 2, [17, 66])];
    const channels = [given(device, 3, [6]), given(device, 4, [6])] as const;
    const groups = (a: Tensor) => groupNorm(a.reshape([17, 6, 11]), 3, { weight: channels[0], bias: channels[1] });
    const of = (fn: (a: Tensor) => Tensor) => grad((a: Tensor) => fn(a).reshape([17, 66]).mul(w).sum())(x);
    return {
      softmax: softmax(x, 1),
      logSoftmax: logSoftmax(x, 0),
      layerNorm: layerNorm(x),
      groupNorm: groups(x),
      dSoftmax: of((a) => softmax(a, 1)),
      dLayerNorm: of((a) => layerNorm(a)),
      dGroupNorm: of(groups),
      loss: crossEntropy(x, ids(device, 5, [17], 66)),
    };
  },
};

const order: KernelFamily = {
  name: 'sort and top-k',
  bound: 0,
  results(device) {
    const x = given(device, 1, [5, 67]);
    const { values, indices } = topK(x, 7);
    const sorted = sort(x, { axis: 1 });
    return { values, indices, sorted: sorted.values, places: sorted.indices };
  },
};

const indexing: KernelFamily = {
  name: 'gather, embedding and scatter',
  bound: 1e-5,
  results(device) {
    const table = given(device, 1, [23, 9]);
    const which = ids(device, 2, [5, 7], 23);
    const rows = given(device, 3, [5, 7, 9]);
    return {
      embedding: embedding(table, which),
      scatter: scatterAdd(rows, which, 23),
      gather: gather(table, ids(device, 4, [3, 9], 23), 0),
      gradient: grad((t: Tensor) => embedding(t, which).mul(rows).sum())(table),
    };
  },
};

const pictures: KernelFamily = {
  name: 'convolution, pooling and resizing, with gradients',
  bound: 3e-5,
  results(device) {
    const [x, w] = [given(device, 1, [2, 4, 9, 11]), given(device, 2, [6, 4, 3, 3])];
    const convolved = (a: Tensor) => conv2d(a, w, { stride: 2, padding: 1 });
    const weight = given(device, 3, [2, 6, 5, 6]);
    return {
      conv2d: convolved(x),
      gradient: grad((a: Tensor) => convolved(a).mul(weight).sum())(x),
      transposed: convTranspose2d(x, given(device, 4, [4, 3, 3, 3]), { stride: 2 }),
      max: maxPool2d(x, 2),
      mean: avgPool2d(x, 3),
      resized: resize(x, [13, 7], 'bilinear'),
    };
  },
};

const views: KernelFamily = {
  name: 'views and concatenation',
  bound: 0,
  results(device) {
    const [x, y] = [given(device, 1, [5, 7, 3]), given(device, 2, [5, 2, 3])];
    const padded = pad(
      x.permute([2, 0, 1]),
      [
        [1, 0],
        [0, 2],
        [1, 1],
      ],
      3,
    );
    return { joined: concat([x, y, x], 1), padded, flipped: flip(x, [0, 2]) };
  },
};

const random: KernelFamily = {
  name: 'random numbers',
  bound: 2e-6,
  // Creation nodes take the device of what they are added to.
  results: (device) => ({
    bits: randomBits(key(1), [1031]).add(device.tensor(0, { dtype: 'u32' })),
    uniform: uniform(key(2), [1031]).add(device.tensor(0)),
    normal: normal(key(3), [1031]).add(device.tensor(0)),
    permutation: permutation(key(4), 257).add(device.tensor(0, { dtype: 'u32' })),
  }),
};

const training: KernelFamily = {
  name: 'a training step',
  bound: 1e-4,
  results(device) {
    const params = { w1: given(device, 1, [13, 35]).mul(0.1), w2: given(device, 2, [35, 10]).mul(0.1) };
    const [x, labels] = [given(device, 3, [29, 13]), ids(device, 4, [29], 10)];
    const optimizer = chain(clipByGlobalNorm(1), adamw({ learningRate: 1e-3 }));
    const loss = (p: typeof params) => crossEntropy(layerNorm(silu(x.matmul(p.w1))).matmul(p.w2), labels).mean();
    const { w1, w2 } = optimizer.update(optimizer.init(params), grad(loss)(params)).params;
    return { loss: loss(params), w1, w2 };
  },
};

/** Every family of kernels, the quick ones first. */
export const kernelFamilies: readonly KernelFamily[] = [
  elementwise,
  half,
  views,
  reductions,
  normalizations,
  order,
  indexing,
  pictures,
  random,
  product(3, 2, 5),
  product(35, 67, 19),
  attending(16, false),
  attending(5, true),
  attending(72, true),
  training,
  // Enough tiles of 64 × 64 and of 128 × 128 to fill a GPU.
  product(769, 771, 17, true),
  product(1409, 1411, 17, true),
];
