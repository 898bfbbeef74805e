// Writes one kernel: bindings, a block of named expressions, shader functions by name. Text is made of counters and
// shapes alone, so that the same work in another plan gives the same text and shares its pipeline.
import { computeType, type DType } from '../graph/dtype.js';
import type { Extent, GeneratedKernel } from '../graph/kernel.js';
import type { Value } from '../graph/node.js';
import { type Namer, Position } from '../graph/position.js';
import { declaredName, type ShaderFunction, withNames } from '../graph/shader-function.js';

/** A list of statements with the names it has given; an inner block sees the names of its outer ones. */
export class Block {
  readonly lines: string[] = [];
  readonly names: Map<string, string> = new Map<string, string>();

  constructor(readonly outer?: Block | undefined) {}

  find(key: string): string | undefined {
    return this.names.get(key) ?? this.outer?.find(key);
  }
}

export interface Binding {
  readonly name: string;
  readonly value: Value;
  readonly written: boolean;
}

/** One word of a dispatch's uniforms: a size, or a word of an operand that changes with each call. */
export type UniformWord = { readonly size: number } | { readonly operand: Value; readonly word: number };

export class KernelWriter implements Namer {
  readonly bindings: Binding[] = [];
  readonly words: UniformWord[] = [];
  loop: { readonly row: string; readonly length: number } | undefined;
  private block = new Block();
  private rowBlock: Block | undefined;
  private readonly bound = new Map<Value, string>();
  /** What each shader function is called here, and what they declare, by name. */
  private readonly functions = new Map<ShaderFunction, string>();
  private readonly declared = new Map<string, string>();
  /** Functions that read operands of tiled kernels. */
  private readonly loaders: string[] = [];
  private readonly wordNames = new Map<string, string>();
  private counter = 0;
  /** Values that this kernel computes itself, by name, at the place of the block. */
  private readonly local = new Map<Value, string>();

  /**
   * @param boundary - tells the values that are read from memory, not recomputed
   * @param writable - tells those whose buffer is written in the same dispatch: reading them needs the same access
   */
  constructor(
    private readonly boundary: (value: Value) => boolean,
    private readonly writable: (value: Value) => boolean,
  ) {}

  // Bindings and uniforms

  private bind(value: Value, written: boolean): string {
    const known = this.bound.get(value);
    if (known) return known;
    const name = `${written ? 'out' : 'in'}${this.bindings.length}`;
    this.bindings.push({ name, value, written });
    this.bound.set(value, name);
    return name;
  }

  size(value: number): Extent {
    return { value, wgsl: this.word({ size: value }, `size ${this.words.length}`) };
  }

  private word(word: UniformWord, key: string): string {
    const known = this.wordNames.get(key);
    if (known) return known;
    const index = this.words.length;
    this.words.push(word);
    const name = `words[${index >> 2}].${'xyzw'[index & 3]}`;
    this.wordNames.set(key, name);
    return name;
  }

  private operandElement(value: Value, position: Position): string {
    const word = (index: number) => {
      const text = this.word({ operand: value, word: index }, `${value.id} ${index}`);
      const type = computeType(value.dtype);
      if (type === 'u32') return text;
      return type === 'bool' ? `(${text} != 0u)` : `bitcast<${type}>(${text})`;
    };
    if (value.operand!.length === 1) return this.name(word(0));
    const literal = /^(\d+)u$/.exec(position.linear);
    if (literal) return this.name(word(Number(literal[1])));
    // A key has two words; longer operands are read by a chain of selects.
    let text = word(value.operand!.length - 1);
    for (let i = value.operand!.length - 2; i >= 0; i--)
      text = `select(${text}, ${word(i)}, ${position.linear} == ${i}u)`;
    return this.name(text);
  }

  /** How tiled kernels read an operand: from its buffer, or through a function of what it is made of. */
  reader(value: Value): (index: string) => string {
    if (value.operand) throw new Error('internal: an operand has no buffer.');
    if (!this.boundary(value) && value.node.op.kind === 'pointwise') {
      const load = this.loader(value);
      return (index) => `${load}(${index})`;
    }
    const name = this.bind(value, false);
    return (index) => loaded(name, index, value.dtype);
  }

  /** The name of a function that computes an element at a row-major index. */
  private loader(value: Value): string {
    const name = `load${this.loaders.length}`;
    let result = '';
    const lines = this.within(() => {
      result = this.element(value, Position.atIndex(this, value.shape, 'i'));
    });
    this.loaders.push(
      `fn ${name}(i: u32) -> ${computeType(value.dtype)} {\n${[...lines, `return ${result};`].join('\n')}\n}`,
    );
    return name;
  }

  // Statements

  statement(line: string): void {
    this.block.lines.push(line);
  }

  /** Gives an expression a name in this block, or finds the one it has. */
  name(expression: string): string {
    if (/^[\w.[\]]+$/.test(expression)) return expression;
    const known = this.block.find(expression);
    if (known) return known;
    const name = `v${this.counter++}`;
    this.block.lines.push(`let ${name} = ${expression};`);
    this.block.names.set(expression, name);
    return name;
  }

  fresh(prefix: string): string {
    return `${prefix}${this.counter++}`;
  }

  call(fn: ShaderFunction, ...args: string[]): string {
    let name = this.functions.get(fn);
    if (!name) {
      name = `f${this.functions.size}`;
      this.functions.set(fn, name);
      this.declare(fn, name);
    }
    return `${name}(${args.join(', ')})`;
  }

  /** Declares a function as `own`, and before it what it calls, under names that mean nothing else here. */
  private declare({ declarations }: ShaderFunction, own: string): void {
    const names = new Map<string, string>();
    declarations.forEach((declaration, i) => {
      const given = declaredName(declaration);
      const last = i === declarations.length - 1;
      for (let n = 0; ; n++) {
        const name = last ? own : n === 0 ? given : `${given}_${n}`;
        const text = withNames(declaration, names.set(given, name));
        const known = this.declared.get(name);
        if (last || (known === undefined ? !compilers.test(name) : known === text)) {
          this.declared.set(name, text);
          return;
        }
      }
    });
  }

  /** Writes `body` into a block of its own and returns its lines. */
  within(body: () => void, asRow = false): string[] {
    const [outer, outerRow] = [this.block, this.rowBlock];
    this.block = new Block(outer);
    if (asRow) this.rowBlock = this.block;
    body();
    const { lines } = this.block;
    this.block = outer;
    this.rowBlock = outerRow;
    return lines;
  }

  /** Lines written inside `body` that come before the block which is being written now. */
  private atRow<T>(body: () => T): T {
    if (!this.rowBlock || this.block === this.rowBlock) return body();
    const inner = this.block;
    this.block = this.rowBlock;
    const result = body();
    this.block = inner;
    return result;
  }

  // Values

  /** Makes a computed value known by name in the block. */
  define(value: Value, name: string): void {
    this.local.set(value, name);
  }

  /** The WGSL of an element: from memory, from this kernel, or computed from what it is made of. */
  element(value: Value, position: Position): string {
    if (position.relation === 'row') return this.atRow(() => this.elementHere(value, position));
    return this.elementHere(value, position);
  }

  private elementHere(value: Value, position: Position): string {
    if (value.operand) return this.operandElement(value, position);
    const own = this.local.get(value);
    if (own) return own;
    const key = `${value.id}@${position.key}`;
    const known = this.block.find(key);
    if (known) return known;
    const { node } = value;
    let text: string;
    if (this.boundary(value) || node.op.kind !== 'pointwise') {
      text = loaded(this.bind(value, false), position.linear, value.dtype);
    } else {
      const { op, attributes, inputs } = node;
      text = op.emit({
        attributes,
        inputs,
        output: value,
        position,
        read: (input, at) => this.element(inputs[input]!, at ?? position.reshaped(inputs[input]!.shape)),
        call: (fn, ...args) => this.call(fn, ...args),
        name: (expression) => this.name(expression),
      });
    }
    const name = this.name(text);
    this.block.names.set(key, name);
    return name;
  }

  store(value: Value, index: string, element: string): void {
    this.statement(`${this.bind(value, true)}[${index}] = ${stored(element, value.dtype)};`);
  }

  // The whole

  /** What each binding is to WebGPU, that of the words last. */
  layout(): GPUBufferBindingType[] {
    const storage = this.bindings.map(({ value }) => (this.writable(value) ? 'storage' : 'read-only-storage'));
    return this.words.length > 0 ? [...storage, 'uniform'] : storage;
  }

  /** The module's text. */
  module({ enable, declarations = '', body, workgroupSize }: GeneratedKernel): string {
    const declared = this.bindings.map(({ name, value }, i) => {
      const mode = this.writable(value) ? 'read_write' : 'read';
      return `@group(0) @binding(${i}) var<storage, ${mode}> ${name}: array<${storageType(value.dtype)}>;`;
    });
    if (this.words.length > 0) {
      declared.push(
        `@group(0) @binding(${this.bindings.length}) var<uniform> words: array<vec4u, ${Math.ceil(this.words.length / 4)}>;`,
      );
    }
    const text = `${[...declared, ...this.declared.values(), ...this.loaders].join('\n')}
${declarations}
@compute @workgroup_size(${workgroupSize.join(', ')})
fn main(@builtin(workgroup_id) workgroup_id: vec3u, @builtin(local_invocation_id) local_id: vec3u, @builtin(local_invocation_index) local_index: u32) {
${body}
}`;
    const f16 = this.bindings.some(({ value }) => value.dtype === 'f16');
    const enabled = [...(f16 ? ['f16'] : []), ...(enable ? [enable] : [])];
    return enabled.length > 0 ? `enable ${enabled.join(', ')};\n${text}` : text;
  }
}

/** Names of module scope that the compiler gives itself. */
const compilers = /^((in|out|load|f)\d+|words|main)$/;

function storageType(dtype: DType): string {
  return dtype === 'bool' ? 'u32' : dtype;
}

function loaded(name: string, index: string, dtype: DType): string {
  if (dtype === 'f16') return `f32(${name}[${index}])`;
  return dtype === 'bool' ? `(${name}[${index}] != 0u)` : `${name}[${index}]`;
}

function stored(element: string, dtype: DType): string {
  if (dtype === 'f16') return `f16(${element})`;
  return dtype === 'bool' ? `select(0u, 1u, ${element})` : element;
}
