import { describe, expect, it } from 'vitest';
import { ModuleBuilder } from './module.js';

const limits = { initial: 1, maximum: 1, shared: false };

function instantiate(module: ModuleBuilder, memory = new WebAssembly.Memory({ initial: 1, maximum: 1 })) {
  const made = new WebAssembly.Module(module.finish());
  return new WebAssembly.Instance(made, { env: { memory } }).exports as Record<string, (...args: number[]) => number>;
}

describe('ModuleBuilder', () => {
  it('sums the numbers below n in a loop', () => {
    const module = new ModuleBuilder(limits);
    const f = module.function(['i32'], ['i32'], 'sum');
    const sum = f.local('i32');
    const done = f.begin('block');
    const again = f.begin('loop');
    f.get(0).op('i32.eqz').brIf(done);
    f.get(0).i32(1).op('i32.sub').tee(0).get(sum).op('i32.add').set(sum);
    f.br(again).end().end().get(sum);
    const { sum: run } = instantiate(module);
    expect(run!(0)).toBe(0);
    expect(run!(1000)).toBe(499_500);
  });

  it('encodes constants of every size', () => {
    const values = [0, 1, -1, 63, 64, -64, -65, 127, 128, 8191, 8192, -8193, 2 ** 31 - 1, -(2 ** 31)];
    const module = new ModuleBuilder(limits);
    values.forEach((value, i) => {
      module.function([], ['i32'], `i${i}`).i32(value);
      module.function([], ['i64'], `l${i}`).i64(BigInt(value) * 2n ** 20n);
      module.function([], ['f32'], `f${i}`).f32(value / 3);
    });
    const exports = instantiate(module);
    values.forEach((value, i) => {
      expect(exports[`i${i}`]!()).toBe(value);
      expect(exports[`l${i}`]!()).toBe(BigInt(value) * 2n ** 20n);
      expect(exports[`f${i}`]!()).toBe(Math.fround(value / 3));
    });
  });

  it('computes with vectors in memory', () => {
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 1 });
    const module = new ModuleBuilder(limits);
    const f = module.function([], [], 'run');
    f.i32(32);
    f.i32(0).memory('v128.load').i32(16).memory('v128.load').op('f32x4.mul').f32x4(1, 2, 3, 4).op('f32x4.add');
    f.f32x4(0).shuffle(3, 2, 1, 4).memory('v128.store');
    const floats = new Float32Array(memory.buffer);
    floats.set([1, 2, 3, 4, 10, 20, 30, 40]);
    instantiate(module, memory).run!();
    expect([...floats.slice(8, 12)]).toEqual([164, 93, 42, 0]);
  });
});
