import { describe, expect, it } from 'vitest';
import {
  argmax,
  attention,
  exp,
  gelu,
  grad,
  key,
  layerNorm,
  log,
  logSoftmax,
  logSumExp,
  mse,
  normal,
  scalar,
  sigmoid,
  silu,
  softmax,
  stopGradient,
  type Tensor,
  tanh,
  ValueError,
  valueAndGrad,
  vjp,
} from '../index.js';
import { hostNormal } from '../random/index.js';
import { interpret } from '../testing/interpret.js';
import { useDevice } from '../testing/use-device.testing.js';

const device = useDevice();
const list = async (tensor: Tensor) => [...(await tensor.read())];

describe('grad', () => {
  it('adds up what comes back over shared subexpressions', async (context) => {
    const x = device(context).tensor([1, 2, 3]);
    const d = grad((t: Tensor) => {
      const shared = t.square(); // used three times
      return shared.mul(shared).add(shared).sum();
    });
    expect(await list(d(x))).toEqual([6, 36, 114]); // 4x³ + 2x
  });

  it('sums over what was broadcast', async (context) => {
    const on = device(context);
    const params = { row: on.tensor([1, 2, 3]), column: on.tensor([[1], [2]]), scalar: on.tensor(2) };
    const d = grad((p: typeof params) => p.row.mul(p.column).mul(p.scalar).sum())(params);
    expect([d.row.shape, d.column.shape, d.scalar.shape]).toEqual([[3], [2, 1], []]);
    expect(await list(d.row)).toEqual([6, 6, 6]);
    expect(await list(d.column)).toEqual([12, 12]);
    expect(await list(d.scalar)).toEqual([18]);
  });

  it('gives a tree of the form of the parameters, zeros where nothing depends on one', async (context) => {
    const on = device(context);
    const params = { layers: [{ w: on.tensor([1, 2]) }, { w: on.tensor([3, 4]) }], unused: on.tensor([[5, 6]]) };
    const d = grad((p: typeof params) => p.layers[0]!.w.mul(p.layers[1]!.w).sum())(params);
    expect(await list(d.layers[0]!.w)).toEqual([3, 4]);
    expect(await list(d.layers[1]!.w)).toEqual([1, 2]);
    await on.run(d.unused);
    expect([d.unused.shape, [...(await on.download(d.unused))]]).toEqual([
      [1, 2],
      [0, 0],
    ]);
  });

  it('is by its argument, not by the same tensor used elsewhere', async (context) => {
    const x = device(context).tensor([1, 2]);
    expect(await list(grad((t: Tensor) => t.mul(x).sum())(x))).toEqual([1, 2]);
  });

  it('passes nothing through stopGradient, comparisons and indices', async (context) => {
    const x = device(context).tensor([1, 5, 3]);
    expect(await list(grad((t: Tensor) => t.mul(stopGradient(t)).sum())(x))).toEqual([1, 5, 3]);
    expect(await list(grad((t: Tensor) => t.mul(t.greater(2).cast('f32')).sum())(x))).toEqual([0, 1, 1]);
    expect(await list(grad((t: Tensor) => t.sum().mul(argmax(t, 0).cast('f32')))(x))).toEqual([1, 1, 1]);
  });

  it('shares the gradient of a maximum among equal elements', async (context) => {
    const x = device(context).tensor([2, 5, 5]);
    expect(await list(grad((t: Tensor) => t.max())(x))).toEqual([0, 0.5, 0.5]);
    expect(await list(grad((t: Tensor) => t.maximum(5).sum())(x))).toEqual([0, 0.5, 0.5]);
  });

  it('returns value and auxiliary results from one pass', async (context) => {
    const x = device(context).tensor([1, 2]);
    const [[loss, aux], d] = valueAndGrad(
      (t: Tensor): [Tensor, { doubled: Tensor }] => [t.square().sum(), { doubled: t.mul(2) }],
      { hasAux: true },
    )(x);
    expect([await loss.item(), await list(aux.doubled), await list(d)]).toEqual([5, [2, 4], [2, 4]]);
  });

  it('vjp pulls back a cotangent of any shape', async (context) => {
    const on = device(context);
    const { value, pull } = vjp((t: Tensor) => t.square(), on.tensor([1, 2]));
    expect(await list(pull(on.tensor([10, 100])))).toEqual([20, 400]);
    expect(await list(value)).toEqual([1, 4]);
    // Also when the value is there already, and twice.
    expect(await list(pull(on.tensor([1, 1])))).toEqual([2, 4]);
  });

  it('refuses integers and results that are not one number', (context) => {
    const on = device(context);
    const ids = { table: on.tensor([1]), ids: on.tensor(new Uint32Array([1])) };
    expect(() => grad((p: typeof ids) => p.table.sum())(ids)).toThrow(ValueError);
    expect(() => grad((p: typeof ids) => p.table.sum())(ids)).toThrow(
      '[grad] parameter ids has dtype u32; only floats have gradients. Cast it, or pass it as another argument.',
    );
    expect(() => grad((t: Tensor) => t)(on.tensor([1, 2]))).toThrow(
      '[grad] the result is [2] and must be one number. Use mean() or sum().',
    );
    expect(() => grad(() => 1 as unknown as Tensor)(on.tensor([1]))).toThrow('[grad] the function returned no tensor.');
    expect(() => grad((t: Tensor) => argmax(t))(on.tensor([1, 2]))).toThrow(
      '[grad] the result has dtype u32; only floats have gradients. Return what it is made of.',
    );
    expect(() => valueAndGrad((t: Tensor) => t.sum().cast('i32'))(on.tensor([1]))).toThrow('dtype i32');
  });

  it('vjp refuses what is no value, and a cotangent of another shape', (context) => {
    const on = device(context);
    const x = on.tensor([1, 2]);
    expect(() => vjp((t: Tensor) => argmax(t), x)).toThrow('[vjp] the result has dtype u32;');
    expect(() => vjp((t: Tensor) => [t] as unknown as Tensor, x)).toThrow('[vjp] the function returned no tensor.');
    const { pull } = vjp((t: Tensor) => t.square(), x);
    expect(() => pull(on.tensor([[1, 1]]))).toThrow(
      '[vjp] the cotangent is [1, 2] and the value [2]. Give one of the same shape.',
    );
    expect(() => pull(scalar(1))).toThrow('[vjp] the cotangent is [] and the value [2].');
    expect(() => pull(1 as unknown as Tensor)).toThrow('[vjp] the argument must be a tensor, got number.');
  });

  it('works on random numbers drawn inside', async (context) => {
    const x = device(context).tensor([1, 1, 1]);
    const d = grad((t: Tensor) => t.mul(normal(key(3), [3])).sum())(x);
    (await list(d)).forEach((z, i) => {
      expect(z).toBeCloseTo(hostNormal(key(3), 3)[i]!, 5);
    });
  });
});

describe('second derivatives', () => {
  const functions: Record<string, (x: Tensor) => Tensor> = {
    tanh,
    sigmoid,
    silu,
    gelu,
    softmax: (x) => softmax(x).square(),
    logSoftmax: (x) => logSoftmax(x).square(),
    logSumExp: (x) => logSumExp(x),
    layerNorm: (x) => layerNorm(x).pow(3),
    attention: (x) => {
      const heads = x.reshape([1, 3, 2, 2]);
      return attention(heads, heads.square(), heads.mul(2)).square();
    },
    'log, exp, division': (x) => log(exp(x).add(1)).div(x.square().add(1)),
    'matmul and mse': (x) => mse(x.matmul(x.transpose()), x.matmul(x.transpose()).square()),
  };
  for (const [name, fn] of Object.entries(functions)) {
    it(`of ${name} are the differences of the first`, async (context) => {
      const on = device(context);
      const data = Float64Array.from(hostNormal(key(11), 12));
      const x = on.tensor(Float32Array.from(data), { shape: [3, 4] });
      const direction = hostNormal(key(12), 12);
      const along = on.tensor(direction, { shape: [3, 4] });
      const slope = (t: Tensor) =>
        grad((u: Tensor) => fn(u).sum())(t)
          .mul(along)
          .sum();
      const first = slope(x);
      const second = grad(slope)(x);
      const leaves = new Map([[along, direction as ArrayLike<number>]]);
      const at = (offset: number, axis: number) => {
        const moved = Float64Array.from(data, (value, i) => value + (i === axis ? offset : 0));
        return interpret([first], { leaves: new Map([...leaves, [x, moved]]) })[0]![0]!;
      };
      const expected = Array.from(data, (_, i) => (at(1e-5, i) - at(-1e-5, i)) / 2e-5);
      const scale = Math.max(...expected.map(Math.abs), 1);
      const actual = await list(second);
      actual.forEach((value, i) => {
        expect(Math.abs(value - expected[i]!), `element ${i}: ${value}, expected ${expected[i]}`).toBeLessThan(
          1e-4 * scale,
        );
      });
    });
  }
});
