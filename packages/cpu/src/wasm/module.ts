// An assembler for WebAssembly modules: functions are built instruction by instruction, the module is put together at the
// end. It checks nothing but names: the engine's validation does the rest.
import { Bytes } from './bytes.js';
import { opcode } from './opcodes.js';

export type ValueType = 'i32' | 'i64' | 'f32' | 'v128';

const valueTypes: Record<ValueType, number> = { i32: 0x7f, i64: 0x7e, f32: 0x7d, v128: 0x7b };
const emptyBlock = 0x40;

/** Where `br` goes: the end of a block or if, the start of a loop. */
export interface Label {
  readonly depth: number;
}

/** One function, written in order. Operands are on the stack, as in WebAssembly's text. */
export class FunctionBuilder {
  private readonly code = new Bytes();
  private readonly locals: ValueType[] = [];
  private depth = 0;

  constructor(
    readonly index: number,
    readonly parameters: readonly ValueType[],
    readonly results: readonly ValueType[],
  ) {}

  /** A new local variable; it begins as zero. Parameters are locals 0, 1, … */
  local(type: ValueType): number {
    this.locals.push(type);
    return this.parameters.length + this.locals.length - 1;
  }

  /** An instruction; `immediates` are unsigned numbers (lane, index, label depth). */
  op(name: string, ...immediates: readonly number[]): this {
    const { prefix, code } = opcode(name);
    if (prefix) this.code.byte(prefix).unsigned(code);
    else this.code.byte(code);
    for (const value of immediates) this.code.unsigned(value);
    return this;
  }

  get(local: number): this {
    return this.op('local.get', local);
  }

  set(local: number): this {
    return this.op('local.set', local);
  }

  tee(local: number): this {
    return this.op('local.tee', local);
  }

  i32(value: number): this {
    this.op('i32.const').code.signed(value);
    return this;
  }

  i64(value: bigint): this {
    this.op('i64.const').code.signed64(value);
    return this;
  }

  f32(value: number): this {
    this.op('f32.const').code.append(new Uint8Array(new Float32Array([value]).buffer));
    return this;
  }

  /** A vector of four f32 (one number: in all lanes). */
  f32x4(...values: readonly number[]): this {
    return this.v128(new Uint8Array(new Float32Array(spread(values, 4)).buffer));
  }

  /** A vector of four i32 or u32 (one number: in all lanes). */
  i32x4(...values: readonly number[]): this {
    return this.v128(new Uint8Array(new Int32Array(spread(values, 4).map((value) => value | 0)).buffer));
  }

  /** A vector of two f64 (one number: in both lanes). */
  f64x2(...values: readonly number[]): this {
    return this.v128(new Uint8Array(new Float64Array(spread(values, 2)).buffer));
  }

  v128(bytes: Uint8Array): this {
    this.op('v128.const').code.append(bytes);
    return this;
  }

  /** `i8x16.shuffle` of lanes of four bytes: 0 … 3 are the first operand's, 4 … 7 the second's. */
  shuffle(...lanes: readonly [number, number, number, number]): this {
    this.op('i8x16.shuffle').code.append(lanes.flatMap((lane) => [0, 1, 2, 3].map((byte) => lane * 4 + byte)));
    return this;
  }

  /** A load or store. @param align - log2 of the alignment that is promised */
  memory(name: string, offset = 0, align = 2): this {
    return this.op(name, align, offset);
  }

  /** `v128.store64_lane`. */
  memoryLane(name: string, lane: number, offset = 0, align = 2): this {
    return this.op(name, align, offset, lane);
  }

  /** Opens a block, loop or if. */
  begin(kind: 'block' | 'loop' | 'if', result?: ValueType): Label {
    this.op(kind).code.byte(result ? valueTypes[result] : emptyBlock);
    return { depth: ++this.depth };
  }

  otherwise(): this {
    return this.op('else');
  }

  end(): this {
    this.depth--;
    return this.op('end');
  }

  br(label: Label): this {
    return this.op('br', this.depth - label.depth);
  }

  brIf(label: Label): this {
    return this.op('br_if', this.depth - label.depth);
  }

  call(target: FunctionBuilder | number): this {
    return this.op('call', typeof target === 'number' ? target : target.index);
  }

  /** @internal The function's entry of the code section. */
  body(): Bytes {
    const runs: { type: ValueType; count: number }[] = [];
    for (const type of this.locals) {
      if (runs.at(-1)?.type === type) runs.at(-1)!.count++;
      else runs.push({ type, count: 1 });
    }
    const body = new Bytes().unsigned(runs.length);
    for (const { type, count } of runs) body.unsigned(count).byte(valueTypes[type]);
    body.append(this.code.view()).byte(opcode('end').code);
    return new Bytes().sized(body);
  }
}

/** Limits of the imported memory, in pages of 64 KiB. */
export interface MemoryLimits {
  readonly initial: number;
  readonly maximum: number;
  readonly shared: boolean;
}

/** A module that imports one memory, `env.memory`, and has no data of its own: several threads instantiate it over it. */
export class ModuleBuilder {
  private readonly functions: FunctionBuilder[] = [];
  private readonly exported: { name: string; index: number }[] = [];

  constructor(private readonly memory: MemoryLimits) {}

  function(parameters: readonly ValueType[], results: readonly ValueType[], exportAs?: string): FunctionBuilder {
    const made = new FunctionBuilder(this.functions.length, parameters, results);
    this.functions.push(made);
    if (exportAs) this.exported.push({ name: exportAs, index: made.index });
    return made;
  }

  finish(): Uint8Array<ArrayBuffer> {
    const { types, declared } = this.signatures();
    const { initial, maximum, shared } = this.memory;
    const imports = new Bytes().unsigned(1).name('env').name('memory').byte(2);
    imports
      .byte(shared ? 3 : 1)
      .unsigned(initial)
      .unsigned(maximum);
    const exports = new Bytes().unsigned(this.exported.length);
    for (const { name, index } of this.exported) exports.name(name).byte(0).unsigned(index);
    const code = new Bytes().unsigned(this.functions.length);
    for (const made of this.functions) code.append(made.body().view());
    const module = new Bytes().append([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]);
    const sections = [
      [1, types],
      [2, imports],
      [3, declared],
      [7, exports],
      [10, code],
    ] as const;
    for (const [id, section] of sections) module.byte(id).sized(section);
    return module.view().slice();
  }

  private signatures(): { types: Bytes; declared: Bytes } {
    const kinds = new Map<string, { index: number; parameters: readonly ValueType[]; results: readonly ValueType[] }>();
    const declared = new Bytes().unsigned(this.functions.length);
    for (const { parameters, results } of this.functions) {
      const key = `${parameters.join()}>${results.join()}`;
      const kind = kinds.get(key) ?? { index: kinds.size, parameters, results };
      kinds.set(key, kind);
      declared.unsigned(kind.index);
    }
    const types = new Bytes().unsigned(kinds.size);
    for (const { parameters, results } of kinds.values()) {
      types.byte(0x60);
      for (const side of [parameters, results])
        types.unsigned(side.length).append(side.map((type) => valueTypes[type]));
    }
    return { types, declared };
  }
}

function spread(values: readonly number[], count: number): readonly number[] {
  return values.length === 1 ? Array<number>(count).fill(values[0]!) : values;
}
