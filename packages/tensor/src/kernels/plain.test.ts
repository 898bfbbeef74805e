// Every family of kernels against its plain form (plain.testing.ts): on the CPU, on a bare device, and as the op.
import { requireCapability } from '@paris/test-tools';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { argmax, attention, matmul, prod, type Tensor } from '../index.js';
import { bareDevice, mapOnDevice } from '../testing/map-on-device.js';
import { useDevice } from '../testing/use-device.testing.js';
import { largestError } from './kernel.testing.js';
import * as plain from './plain.testing.js';

const device = useDevice();
let bare: GPUDevice | undefined;
beforeAll(async () => {
  bare = (await bareDevice())?.device;
});
afterAll(() => bare?.destroy());

interface Case {
  readonly form: plain.Elements;
  readonly shape: readonly number[];
  /** Shapes of the operands; operand i holds `numbers(i)`. */
  readonly operands: readonly (readonly number[])[];
  readonly op: (...operands: Tensor[]) => Tensor;
}

const [first, second, third] = [0, 1, 2].map(plain.numbers) as [plain.Elements, plain.Elements, plain.Elements];
const sizeOf = (shape: readonly number[]) => shape.reduce((size, n) => size * n, 1);
const reduced = (name: keyof typeof plain.reductions, op: Case['op'], length = 37): Case => ({
  form: plain.reductions[name](length, first),
  ...{ shape: [9], operands: [[9, length]], op },
});
const cases: Record<string, Case> = {
  product: {
    form: plain.product({ n: 21, k: 19 }, first, second),
    ...{
      shape: [23, 21],
      operands: [
        [23, 19],
        [19, 21],
      ],
      op: (a, b) => matmul(a!, b!),
    },
  },
  attention: {
    form: plain.attention({ queries: 7, keys: 11, heads: 2, headDim: 8 }, first, second, third),
    ...{
      shape: [3, 7, 2, 8],
      operands: [
        [3, 7, 2, 8],
        [3, 11, 2, 8],
        [3, 11, 2, 8],
      ],
    },
    op: (q, k, v) => attention(q!, k!, v!),
  },
  sum: reduced('sum', (x) => x!.sum(1)),
  prod: reduced('prod', (x) => prod(x!, 1), 5),
  max: reduced('max', (x) => x!.max(1)),
  min: reduced('min', (x) => x!.min(1)),
  argmax: reduced('argmax', (x) => argmax(x!, 1).cast('f32')),
};

it.for(Object.entries(cases))('%s', async ([, { form, shape, operands, op }], context) => {
  const on = device(context);
  requireCapability(context, 'adapter', bare !== undefined, 'WebGPU gives no adapter');
  const count = sizeOf(shape);
  const expected = Float32Array.from({ length: count }, (_, i) => form(i));
  expect(new Set(expected).size).toBeGreaterThan(Math.min(count, 40) / 2); // not all alike
  const words = await mapOnDevice(bare!, count, 'bitcast<u32>(form(i))', { form });
  expect(largestError(new Float32Array(words.buffer), expected)).toBeLessThan(2e-6);
  const tensors = operands.map((of, i) => {
    const values = plain.numbers(i);
    return on.tensor(
      Float32Array.from({ length: sizeOf(of) }, (_, at) => values(at)),
      { shape: of },
    );
  });
  const result = op(...tensors);
  expect(result.shape).toEqual(shape);
  expect(largestError(Float32Array.from(await result.read()), expected)).toBeLessThan(2e-6);
});
