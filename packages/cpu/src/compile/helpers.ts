// WebAssembly functions that kernels call: math, f16, atomics that are not instructions. Each is added when first needed.
import type { FunctionBuilder, ModuleBuilder } from '../wasm/module.js';
import { inlineMath, mathFunction } from './math/math.js';

/**
 * Calls to exp and the like that are replaced with the function's instructions. It saves a third of the time of exp, but a kernel
 * with many takes long to compile.
 */
const MOST_INLINED = 8;

export class Helpers {
  private inlined = 0;
  private readonly made = new Map<string, FunctionBuilder>();

  constructor(private readonly module: ModuleBuilder) {}

  get(name: string): FunctionBuilder {
    let found = this.made.get(name);
    if (!found) {
      found = this.make(name);
      this.made.set(name, found);
    }
    return found;
  }

  /** Applies a function to the vectors on the stack: by a call or, the first times in a kernel, by its instructions. */
  apply(f: FunctionBuilder, name: string): void {
    if (name.startsWith('math.') && this.inlined++ < MOST_INLINED) inlineMath(f, name.slice(5));
    else f.call(this.get(name));
  }

  private lanes(name: string): FunctionBuilder {
    const size = name.slice(-2);
    if (name.startsWith('lanes.load')) {
      const f = this.module.function(['i32', 'i32', 'i32'], ['v128']);
      loadSome(f, size);
      return f;
    }
    if (name.startsWith('lanes.scatter')) {
      const f = this.module.function(['v128', 'v128', 'v128'], []);
      scatter(f, size);
      return f;
    }
    const target = this.get(`lanes.scatter${size}`);
    const f = this.module.function(['i32', 'i32', 'i32', 'v128', 'v128'], []);
    storeSome(f, size, target);
    return f;
  }

  private make(name: string): FunctionBuilder {
    if (name.startsWith('math.')) return mathFunction(this.module, name.slice(5));
    if (name.startsWith('f16.')) {
      const f = this.module.function(['v128'], ['v128']);
      halves[name as keyof typeof halves](f);
      return f;
    }
    if (name.startsWith('lanes.')) return this.lanes(name);
    const f = this.module.function(['i32', 'i32'], ['i32']);
    atomicExtremum(f, name.startsWith('atomicMin'), name.at(-1)!);
    return f;
  }
}

/** `(addresses, mask, value)`: stores lanes one by one. */
function scatter(f: FunctionBuilder, size: string): void {
  for (let lane = 0; lane < 4; lane++) {
    f.get(1).op('i32x4.extract_lane', lane);
    f.begin('if');
    f.get(0).op('i32x4.extract_lane', lane).get(2).op('i32x4.extract_lane', lane);
    f.memory(size === '16' ? 'i32.store16' : 'i32.store', 0, size === '16' ? 1 : 2).end();
  }
}

/** `(address, index, count) → lanes`: what is side by side from an address on, zeros from index `count` on. */
function loadSome(f: FunctionBuilder, size: string): void {
  const result = f.local('v128');
  for (let lane = 0; lane < 4; lane++) {
    f.get(1).i32(lane).op('i32.add').get(2).op('i32.lt_u');
    f.begin('if');
    f.get(result).get(0);
    if (lane) f.i32((lane * Number(size)) / 8).op('i32.add');
    f.memory(size === '16' ? 'i32.load16_u' : 'i32.load', 0, size === '16' ? 1 : 2);
    f.op('i32x4.replace_lane', lane).set(result).end();
  }
  f.get(result);
}

/** `(address, index, count, mask, value)`: stores lanes side by side from an address on, none from index `count` on. */
function storeSome(f: FunctionBuilder, size: string, target: FunctionBuilder): void {
  const step = Number(size) / 8;
  f.get(0)
    .op('i32x4.splat')
    .i32x4(0, step, 2 * step, 3 * step)
    .op('i32x4.add');
  f.get(1).op('i32x4.splat').i32x4(0, 1, 2, 3).op('i32x4.add');
  f.get(2).op('i32x4.splat').op('i32x4.lt_u').get(3).op('v128.and');
  f.get(4).call(target);
}

const magnitude = (f: FunctionBuilder) => f.get(0).i32x4(0x7fffffff).op('v128.and');
const sign = (f: FunctionBuilder) => f.get(0).i32x4(-0x80000000).op('v128.and');

/** Conversions between f32 and IEEE half precision, four at a time. */
const halves = {
  /** To the nearest f16 (ties to even), still as f32. */
  'f16.round'(f: FunctionBuilder): void {
    const a = f.local('v128');
    const r = f.local('v128');
    magnitude(f).set(a);
    // Normal ones: add just less than half of what is cut off, and one more where the last bit that stays is odd.
    f.get(a).get(a).i32(13).op('i32x4.shr_u').i32x4(1).op('v128.and').op('i32x4.add');
    f.i32x4(0xfff).op('i32x4.add').i32x4(~0x1fff).op('v128.and').set(r);
    f.i32x4(0x7f800000).get(r).get(r).i32x4(0x47800000).op('i32x4.ge_u').op('v128.bitselect').set(r);
    // Those below 2^-14 are multiples of 2^-24, which is the last place of what lies between 0.5 and 1.
    f.get(a).f32x4(0.5).op('f32x4.add').f32x4(0.5).op('f32x4.sub');
    f.get(r).get(a).i32x4(0x38800000).op('i32x4.lt_u').op('v128.bitselect').set(r);
    f.get(0).get(r);
    sign(f).op('v128.or');
    f.get(0).get(0).op('f32x4.ne').op('v128.bitselect');
  },
  /** From the low 16 bits of each lane. */
  'f16.decode'(f: FunctionBuilder): void {
    const a = f.local('v128');
    f.get(0).i32x4(0x7fff).op('v128.and').set(a);
    f.get(a)
      .i32(13)
      .op('i32x4.shl')
      .i32x4(224 << 23)
      .op('i32x4.add');
    f.get(a)
      .i32(13)
      .op('i32x4.shl')
      .f32x4(2 ** 112)
      .op('f32x4.mul');
    f.get(a).i32x4(0x7c00).op('i32x4.ge_u').op('v128.bitselect');
    f.get(0).i32(16).op('i32x4.shl').i32x4(-0x80000000).op('v128.and').op('v128.or');
  },
  /** The bits of what is already rounded; of every NaN the same. */
  'f16.encode'(f: FunctionBuilder): void {
    const a = f.local('v128');
    magnitude(f).set(a);
    f.i32x4(0x7e00).i32x4(0x7c00);
    f.get(a)
      .f32x4(2 ** -112)
      .op('f32x4.mul')
      .i32(13)
      .op('i32x4.shr_u');
    f.get(a).i32x4(0x7f800000).op('i32x4.eq').op('v128.bitselect');
    sign(f).i32(16).op('i32x4.shr_u').op('v128.or');
    f.get(a).i32x4(0x7f800000).op('i32x4.gt_u').op('v128.bitselect');
  },
};

/** `(address, value) → old` for the minimum and maximum, which have no instruction. */
function atomicExtremum(f: FunctionBuilder, least: boolean, signedness: string): void {
  const old = f.local('i32');
  const again = f.begin('loop');
  f.get(0);
  f.get(0).memory('i32.atomic.load').tee(old);
  f.get(1)
    .get(old)
    .get(1)
    .get(old)
    .op(`i32.${least ? 'lt' : 'gt'}_${signedness}`)
    .op('select');
  f.memory('i32.atomic.rmw.cmpxchg').get(old).op('i32.ne').brIf(again).end();
  f.get(old);
}
