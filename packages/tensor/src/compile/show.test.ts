// What a program prints: read it as a newcomer would.
import { describe, expect, it } from 'vitest';
import { matmul, relu, softmax, type Tensor } from '../index.js';
import { useDevice } from '../testing/use-device.testing.js';

const device = useDevice();
/** Workgroups are the adapter's choice. */
const plain = (text: string) => text.replace(/\d+ × \d+ × \d+ workgroups/g, 'W workgroups');

describe('device.explain', () => {
  it('names what each kernel reads, makes and stores, and where', async (context) => {
    const on = device(context);
    const x = on.tensor([
      [1, 2, 3],
      [4, 5, 6],
    ]);
    const text = await on.explain((y: Tensor) => softmax(y.mul(2)))(x);
    expect(plain(text)).toMatchInlineSnapshot(`
      "1 kernel, 0 copies, 48 B moved, 0 B of temporaries

      kernel 1: W workgroups, 48 B
        reads  a: f32 [2, 3] from argument 1, 24 B
        makes  b: f32 [2] = max(multiply(a, number))
        makes  c: f32 [2, 3] = exp(subtract(multiply(a, number), where(finite(b), b, number)))
        makes  d: f32 [2] = sum(c)
        makes  e: f32 [2, 3] = divide(c, d) in result 1, 24 B"
    `);
  });

  it('shows temporaries, products with what is fused behind them, and operands that are read through', async (context) => {
    const on = device(context);
    const [x, w, bias] = [[8, 4], [4, 8], [8]].map((shape) =>
      on.tensor(new Float32Array(shape.reduce((a, b) => a * b)), { shape }),
    );
    const before = on.counters.dispatches;
    const layer = (a: Tensor, b: Tensor, c: Tensor) => {
      const hidden = relu(matmul(a, b.mul(0.5)).add(c));
      return matmul(hidden, hidden.transpose());
    };
    expect(plain(await on.explain(layer)(x!, w!, bias!))).toMatchInlineSnapshot(`
      "2 kernels, 0 copies, 1.03 KiB moved, 256 B of temporaries

      kernel 1: W workgroups, 0.000512 MFLOP, 544 B
        reads  a: f32 [8, 4] from argument 1, 128 B
        reads  b: f32 [4, 8] from argument 2, 128 B
        reads  c: f32 [8] from argument 3, 32 B
        makes  d: f32 [8, 8] = matmul(a, multiply(b, number))
        makes  e: f32 [8, 8] = relu(add(d, c)) in arena at 0, 256 B

      kernel 2: W workgroups, 0.00102 MFLOP, 512 B
        reads  a: f32 [8, 8] from arena at 0, 256 B
        makes  b: f32 [8, 8] = matmul(a, a) in result 1, 256 B"
    `);
    expect(on.counters.dispatches).toBe(before);
  });

  it('throws what compile throws, and runs nothing', async (context) => {
    const on = device(context);
    const number = on.explain((y: Tensor) => y) as unknown as (x: number) => Promise<string>;
    await expect(number(1)).rejects.toThrow(TypeError);
  });
});
