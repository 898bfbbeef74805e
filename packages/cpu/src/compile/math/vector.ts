// Arithmetic on vectors as expressions: each operation leaves its result in a local of its own, so that formulas read as
// they are written. A number stands for a constant in all lanes.
import type { FunctionBuilder } from '../../wasm/module.js';

/** A v128 local. */
export interface Vector {
  readonly local: number;
}

type Operand = Vector | number;
type Lanes = 'f32x4' | 'i32x4' | 'f64x2' | 'i64x2';

export class VectorMath {
  constructor(private readonly f: FunctionBuilder) {}

  /** `lanes.name` of the operands: `op('f32x4', 'add', x, 1)`. */
  op(lanes: Lanes, name: string, ...operands: readonly Operand[]): Vector {
    for (const operand of operands) this.push(lanes, operand);
    this.f.op(`${lanes}.${name}`);
    return this.keep();
  }

  /** A shift of each lane by a constant number of bits. */
  shift(lanes: 'i32x4' | 'i64x2', name: 'shl' | 'shr_s' | 'shr_u', x: Vector, bits: number): Vector {
    this.f.get(x.local).i32(bits).op(`${lanes}.${name}`);
    return this.keep();
  }

  /** `and`, `or`, `xor`, `andnot` of bits; a number is the bits of an i32. */
  bits(name: 'and' | 'or' | 'xor' | 'andnot', a: Operand, b: Operand): Vector {
    this.push('i32x4', a);
    this.push('i32x4', b);
    this.f.op(`v128.${name}`);
    return this.keep();
  }

  /** Lane by lane `a` where the mask is set, else `b`. */
  select(mask: Vector, a: Operand, b: Operand, lanes: Lanes = 'f32x4'): Vector {
    this.push(lanes, a);
    this.push(lanes, b);
    this.f.get(mask.local).op('v128.bitselect');
    return this.keep();
  }

  shuffle(a: Vector, b: Vector, lanes: readonly [number, number, number, number]): Vector {
    this.f
      .get(a.local)
      .get(b.local)
      .shuffle(...lanes);
    return this.keep();
  }

  add(a: Operand, b: Operand): Vector {
    return this.op('f32x4', 'add', a, b);
  }

  sub(a: Operand, b: Operand): Vector {
    return this.op('f32x4', 'sub', a, b);
  }

  mul(a: Operand, b: Operand): Vector {
    return this.op('f32x4', 'mul', a, b);
  }

  div(a: Operand, b: Operand): Vector {
    return this.op('f32x4', 'div', a, b);
  }

  abs(x: Vector): Vector {
    return this.op('f32x4', 'abs', x);
  }

  sqrt(x: Vector): Vector {
    return this.op('f32x4', 'sqrt', x);
  }

  /** `magnitude`, which is not negative, with the sign of `sign`. */
  copySign(magnitude: Vector, sign: Vector): Vector {
    return this.bits('or', magnitude, this.bits('and', sign, -0x80000000));
  }

  /** Horner's rule: coefficients from the constant on. */
  polynomial(x: Vector, coefficients: readonly number[], lanes: 'f32x4' | 'f64x2' = 'f32x4'): Vector {
    let sum: Operand = coefficients.at(-1)!;
    for (const coefficient of coefficients.slice(0, -1).reverse()) {
      sum = this.op(lanes, 'add', this.op(lanes, 'mul', sum, x), coefficient);
    }
    return sum as Vector;
  }

  private push(lanes: Lanes, operand: Operand): void {
    if (typeof operand !== 'number') this.f.get(operand.local);
    else if (lanes === 'f32x4') this.f.f32x4(operand);
    else if (lanes === 'i32x4') this.f.i32x4(operand);
    else if (lanes === 'f64x2') this.f.f64x2(operand);
    else this.f.v128(new Uint8Array(new BigInt64Array([BigInt(operand), BigInt(operand)]).buffer));
  }

  private keep(): Vector {
    const local = this.f.local('v128');
    this.f.set(local);
    return { local };
  }
}
