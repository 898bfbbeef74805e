import type { Tensor } from '../../tensor.js';
import type { StoredTensor } from '../../testing/parity.js';
import { type OpSample, sample } from '../../testing/samples.js';
import { cumsum } from '../normalize/along.js';
import { opSuite } from '../suite.testing.js';
import { all, any, argmax, argmin, logSumExp, max, mean, min, prod, sum } from './reductions.js';

interface Attributes {
  readonly axes?: number[];
  readonly axis: number;
  readonly keepDims: boolean;
}
type Reduction = (x: Tensor, axes?: number[], options?: { keepDims: boolean }) => Tensor;

/** Rows in front of, behind and around the reduced axes, in odd sizes; 4096 is long enough for two stages. */
const shapes: [number[], number[] | undefined][] = [
  [[1], undefined],
  [[257], [0]],
  [[4096], undefined],
  [[3, 1025], [1]],
  [[65, 17], [1]],
  [[256, 3], [0]],
  [[3, 17, 5], [1]],
  [
    [3, 17, 5],
    [0, 2],
  ],
  [
    [2, 3, 4, 5],
    [1, 2],
  ],
  [
    [2, 3, 4, 5],
    [0, 3],
  ],
];

function reductions(ofNothing: boolean): OpSample[] {
  const drawn = shapes.map(([shape, axes], i) =>
    sample.call([sample.normal(shape, 40 + i)], { ...(axes ? { axes } : {}), keepDims: i % 2 === 0 }),
  );
  const integers = [
    sample.call([sample.integers([65, 17], 5, 100, 'i32')], { axes: [1], keepDims: false }),
    sample.call([sample.integers([17, 65], 6, 100, 'u32')], { axes: [0], keepDims: true }),
  ];
  // No rows at all, and (for a sum) rows of no elements.
  const empty = [sample.call([sample.normal([0, 17], 1)], { axes: [1], keepDims: false })];
  if (ofNothing) {
    empty.push(
      sample.call([sample.normal([3, 0], 1)], { axes: [1], keepDims: false }),
      sample.call([sample.normal([0, 5], 1)], { axes: [0], keepDims: true }),
      sample.call([sample.normal([3, 0, 2], 1)], { axes: [1], keepDims: false }),
    );
  }
  return [...drawn, ...integers, ...empty];
}

const over =
  (reduce: Reduction) =>
  ([x]: readonly Tensor[], attributes: OpSample['attrs']) => {
    const { axes, keepDims } = attributes as unknown as Attributes;
    return reduce(x!, axes, { keepDims });
  };

const along = [
  [[65, 17], 1],
  [[65, 17], 0],
  [[3, 257, 2], 1],
  [[1025], 0],
] as const;
const byAxis = along.map(([shape, axis], i) => sample.call([sample.normal(shape, 60 + i)], { axis }));

opSuite('reduce', (ops) => {
  // In f16 a sum of 4096 numbers of size 1 has an error of its largest, 64, halves: stated as 4e-3 of the largest.
  // In f32 the bound is absolute where numbers cancel: 2e-5 of numbers of size 1.
  const tolerance = { absolute: 2e-5 };
  ops.check(sum, 'sum', { apply: over(sum), samples: reductions(true), tolerance });
  const means = reductions(true).filter(isFloatSample).filter(hasElements);
  ops.check(mean, 'mean', { apply: over(mean), samples: means, tolerance });
  ops.check(max, 'max', { apply: over(max), samples: reductions(false) });
  ops.check(min, 'min', { apply: over(min), samples: reductions(false) });
  const products = reductions(true).map((call) => ({ ...call, inputs: call.inputs.map(nearOne) }));
  ops.check(prod, 'prod', { apply: over(prod), samples: products, tolerance: { relative: 5e-4 } });
  const half = { none: 'the result is bool' };
  ops.check(any, 'any', { apply: over(any), half });
  ops.check(all, 'all', { apply: over(all), half });
  ops.check(logSumExp, 'logSumExp', {
    apply: ([x], attributes) => {
      const { axis, axes = axis, keepDims } = attributes as unknown as Attributes;
      return logSumExp(x!, axes, { keepDims });
    },
    samples: [
      ...byAxis.map((call) => ({ ...call, attrs: { ...call.attrs, keepDims: true } })),
      sample.call([sample.normal([3, 17, 5], 66)], { axes: [0, 2], keepDims: false }),
      sample.call([sample.normal([3], 67)], { axes: [], keepDims: false }),
    ],
  });
  ops.check(cumsum, 'cumsum', {
    apply: ([x], { axis }) => cumsum(x!, axis as number),
    samples: [
      ...byAxis,
      sample.call([sample.normal([3, 0], 1)], { axis: 1 }),
      sample.call([sample.normal([0, 65], 1)], { axis: 1 }),
      sample.call([sample.integers([2, 129], 5, 100, 'u32')], { axis: 1 }),
    ],
    // Sums of 1025 numbers of size 1, of which the steps' errors add up.
    tolerance: { absolute: 2e-5 },
    gradientTolerance: { absolute: 2e-5 },
  });
  const whole = { none: 'the result is an index' };
  const places = [
    ...byAxis,
    sample.call([sample.normal([3, 17, 5], 66)], { axis: [0, 2] }),
    sample.call([sample.normal([3, 17, 5], 67)], {}),
    sample.call([sample.integers([4, 65], 68, 9)], { axis: [0, 1] }),
    sample.call([sample.normal([], 69)], {}),
  ];
  ops.check(argmax, 'argmax', { apply: ([x], { axis }) => argmax(x!, axis as number), samples: places, half: whole });
  ops.check(argmin, 'argmin', { apply: ([x], { axis }) => argmin(x!, axis as number), samples: places, half: whole });
});

function isFloatSample({ inputs }: OpSample): boolean {
  return inputs[0]!.dtype === 'f32';
}

function hasElements({ inputs }: OpSample): boolean {
  return inputs[0]!.data.length > 0;
}

/** Factors whose product neither grows nor falls far. */
function nearOne(input: StoredTensor): StoredTensor {
  return input.dtype === 'f32' ? { ...input, data: input.data.map((x) => Math.fround(1 + x / 64)) } : input;
}
