// device.debug: where a number stopped being finite. (Graphs that change between calls: compiled.test.ts.)
import { afterEach, beforeEach, describe, expect, it, type TestContext } from 'vitest';
import { showType } from '../graph/node.js';
import {
  crossEntropy,
  embedding,
  gather,
  IndexError,
  NonFiniteError,
  scatterAdd,
  softmax,
  sqrt,
  square,
  type Tensor,
  valueAndGrad,
  where,
} from '../index.js';
import { useDevice } from '../testing/use-device.testing.js';
import type { Device } from './device.js';

const device = useDevice();
let on: Device;
beforeEach((context: TestContext) => {
  on = device(context);
  on.debug = true;
});
afterEach(() => {
  on.debug = false;
});

const failure = (promise: Promise<unknown>): Promise<Error> =>
  promise.then(() => expect.unreachable('nothing was found')).catch((error: Error) => error);

/** The line of this file that runs when this is called. */
const lineHere = () => Number(/debug\.test\.ts:(\d+)/.exec(new Error().stack!.split('\n')[2]!)![1]);

describe('under debug', () => {
  it('a graph names the op that made the first infinity, its element, and where it was called', async () => {
    const x = on.tensor([1, 2, 1e30, 3]);
    const line = lineHere() + 1;
    const squared = square(x.mul(2));
    const error = await failure(softmax(squared.neg()).rdiv(1).read());
    expect(error).toBeInstanceOf(NonFiniteError);
    expect(error.message).toBe(
      '[square] this op made the first non-finite number: element 2 of its result f32 [4] is Infinity, and all its inputs are finite (f32 [4]). Look at what goes into it.',
    );
    expect((error.cause as Error).message).toBe('square was called here');
    expect((error.cause as Error).stack).toContain(`debug.test.ts:${line}:`);
  });

  it('a donating step that diverges fails before anything is donated', async () => {
    const step = on.compile((w: Tensor, x: Tensor) => valueAndGrad((p: Tensor) => sqrt(x.mul(p)).mean())(w), {
      donate: [0],
    });
    const w = on.tensor([1, 2]);
    const [loss] = await step(on.tensor([1, 2]), on.tensor([1, 4]));
    expect(await loss.item()).toBeGreaterThan(0);
    const error = await failure(step(w, on.tensor([4, 0])));
    expect(error.message).toMatch(/^\[(divide|reciprocal|rsqrt|pow)\] this op made the first non-finite number/);
    expect(await w.read()).toEqual(new Float32Array([1, 2]));
  });

  it('an infinity that is meant is no origin: a NaN made of it is', async () => {
    const mask = on.tensor([1, 1], { dtype: 'bool' });
    const masked = where(mask, Number.NEGATIVE_INFINITY, on.tensor([1, 2]));
    const error = await failure(masked.mul(0).read());
    expect(error.message).toMatch(/^\[multiply\] .* is NaN, and no input holds a NaN, but an infinity/);
  });

  it('names a non-finite argument as an argument', async () => {
    const x = on.tensor([1, Number.NaN]);
    const error = await failure(x.mul(2).read());
    expect(error.message).toBe(
      '[debug] an input of the graph, f32 [2], holds NaN at element 1. Look at where it was made.',
    );
  });

  it('a NaN made from a tensor that was run earlier is found, too', async () => {
    const x = await on.run(on.tensor([0, 1]).mul(2));
    const error = await failure(x.div(x).read());
    expect(error).toBeInstanceOf(NonFiniteError);
    expect(error.message).toMatch(/^\[divide\] this op made the first non-finite number: element 0 of its result/);
    const meanwhile = on.tensor([0, 1]).mul(2);
    const [, next] = await Promise.all([on.run(meanwhile), failure(meanwhile.div(meanwhile).read())]);
    expect(next.message).toBe(error.message);
  });

  it('an index beyond what it points into names the op, the index and where it was called', async () => {
    const ids = on.tensor(new Uint32Array([0, 2, 3]));
    const table = on.tensor([[1], [2], [3]]);
    const line = lineHere() + 1;
    const error = await failure(embedding(table, ids).sum().read());
    expect(error).toBeInstanceOf(IndexError);
    expect(error.message).toBe(
      '[embedding] index 2 is 3, and there are 3 places from 0 (f32 [3, 1], u32 [3]). Check the indices where they are made.',
    );
    expect((error.cause as Error).stack).toContain(`debug.test.ts:${line}:`);
    const computed = on.compile((x: Tensor, from: Tensor) => gather(x, from.add(1), 0));
    expect(await (await computed(table, on.tensor(new Uint32Array([0, 1]), { shape: [2, 1] }))).read()).toEqual(
      new Float32Array([2, 3]),
    );
    const beyond = await failure(computed(table, on.tensor(new Uint32Array([0, 2]), { shape: [2, 1] })));
    expect(beyond.message).toMatch(/^\[gather\] index 1 is 3, and there are 3 places/);
    expect((await failure(scatterAdd(table, ids, 3).read())).message).toMatch(/^\[scatterAdd\] index 2 is 3/);
    const labels = on.tensor(new Uint32Array([0, 1, 5]));
    expect(
      (
        await failure(
          crossEntropy(
            on.tensor([
              [1, 2],
              [3, 4],
              [5, 6],
            ]),
            labels,
          ).read(),
        )
      ).message,
    ).toMatch(/index 2 is 5, and there are 2 places/);
  });

  it('finite results and integers pass, and nothing is left behind', async () => {
    const x = on.tensor([1, 2]);
    const { live } = on.pool;
    const before = [...live];
    expect(await x.mul(2).cast('i32').read()).toEqual(new Int32Array([2, 4]));
    await failure(x.mul(1e30).square().read());
    const left = [...live].filter((storage) => !before.includes(storage));
    expect(left.map(({ type }) => showType(type))).toEqual(['i32 [2]']); // the result that was read
  });
});
