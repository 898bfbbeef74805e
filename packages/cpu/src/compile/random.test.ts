// Random programs: lanes mode gives the bits of scalar mode, whatever control flow, types and memory they mix.
import { thorough } from '@paris/test-tools/thorough';
import { describe, expect, it } from 'vitest';
import { Random } from '../fuzz/random.testing.js';
import { parts } from '../parts.js';
import { watchedKernel } from '../sanitize/kernel.js';
import { parseModule } from '../wgsl/check-module.js';
import { compileProgram } from './compile.js';
import { runKernel, runWatchedKernel } from './compile.testing.js';

type Kind = 'u32' | 'i32' | 'f32' | 'bool';

/** Writes one program: variables of each type, statements to a given depth, loops that end. */
class Writer {
  private names = 0;
  private readonly scopes: { name: string; kind: Kind; mutable: boolean }[] = [];
  private loops = 0;

  constructor(
    private readonly random: Random,
    private readonly barriers: boolean,
  ) {}

  program(size: number): string {
    for (const name of ['i', 'group']) this.scopes.push({ name, kind: 'u32', mutable: false });
    const lines = [
      'var a = i;',
      'var b = i32(i) - 5;',
      'var c = data[i];',
      'var d = i % 2u == 0u;',
      'var own: array<u32, 5>;',
    ];
    const kinds: Kind[] = ['u32', 'i32', 'f32', 'bool'];
    ['a', 'b', 'c', 'd'].forEach((name, k) => void this.scopes.push({ name, kind: kinds[k]!, mutable: true }));
    for (let n = 0; n < 6; n++) {
      if (this.barriers && n % 2)
        lines.push(
          `box[local] = ${this.value('u32', 1)}; workgroupBarrier(); a += box[(local + 3u) % ${size}u]; workgroupBarrier();`,
        );
      lines.push(this.statement(3));
    }
    // A load from what may be written stays where it is in the text, one from what may not does not.
    const access = this.random.pick(['read', 'read_write']);
    return `@group(0) @binding(0) var<storage, read_write> out: array<u32>;
@group(0) @binding(1) var<storage, ${access}> data: array<f32>;
@group(0) @binding(2) var<storage, ${access}> words: array<u32>;
@group(0) @binding(3) var<uniform> limits: vec4u;
var<workgroup> box: array<u32, ${size}>;
fn early(x: u32, y: f32) -> u32 { if (x > 40u) { return x / 3u; } for (var k = 0u; k < x; k++) { if (f32(k) > y) { return k; } } return x ^ 5u; }
@compute @workgroup_size(${size}) fn main(@builtin(global_invocation_id) id: vec3u, @builtin(local_invocation_index) local: u32, @builtin(workgroup_id) wg: vec3u) {
  let i = id.x; let group = wg.x;
  ${lines.join('\n  ')}
  out[i * 4u] = a; out[i * 4u + 1u] = bitcast<u32>(b); out[i * 4u + 2u] = bitcast<u32>(c); out[i * 4u + 3u] = u32(d) + own[i % 5u];
}`;
  }

  private variable(kind: Kind, mutable = false): string | undefined {
    const fitting = this.scopes.filter((v) => v.kind === kind && (!mutable || v.mutable));
    return fitting.length ? this.random.pick(fitting).name : undefined;
  }

  private value(kind: Kind, depth: number): string {
    const { random } = this;
    if (depth === 0 || random.below(5) === 0) {
      const name = random.below(3) ? this.variable(kind) : undefined;
      if (name) return name;
      const n = random.below(9);
      return { u32: `${n}u`, i32: `${n - 4}i`, f32: `${n - 4}.5f`, bool: n % 2 ? 'true' : 'false' }[kind];
    }
    const of = (other: Kind) => this.value(other, depth - 1);
    const forms: Record<Kind, readonly string[]> = {
      u32: [
        `(${of('u32')} ${random.pick(['+', '-', '*', '/', '%', '&', '|', '^'])} (${of('u32')} + limits.w))`,
        `((${of('u32')} + limits.w) ${random.pick(['<<', '>>'])} (${of('u32')} & 7u))`,
        `min(${of('u32')}, ${random.pick(['limits.x', '20u', of('u32')])})`,
        `words[${of('u32')} + limits.w]`,
        `select(${of('u32')}, ${of('u32')}, ${of('bool')})`,
        `u32(${of('f32')} + f32(limits.w))`,
        `own[(${of('u32')} + limits.w) % 5u]`,
        `early(${of('u32')} % 64u, ${of('f32')})`,
        `bitcast<u32>(${of('i32')})`,
        `(i / limits.z)`,
        `(i % limits.z)`,
      ],
      i32: [
        `(${of('i32')} ${random.pick(['+', '-', '*', '/', '%', '&'])} (${of('i32')} + i32(limits.w)))`,
        `i32(${of('f32')} + f32(limits.w))`,
        `max(${of('i32')}, ${of('i32')})`,
        `abs(${of('i32')})`,
        `bitcast<i32>(${of('u32')})`,
      ],
      f32: [
        `(${of('f32')} ${random.pick(['+', '-', '*', '/'])} (${of('f32')} + f32(limits.w)))`,
        `data[${of('u32')} + limits.w]`,
        `data[i + ${of('u32')}]`,
        `f32(${of('u32')})`,
        `f32(${of('i32')})`,
        `${random.pick(['abs', 'floor', 'fract', 'exp', 'sin', 'sqrt', 'sign', 'saturate'])}(${of('f32')} + f32(limits.w))`,
        `clamp(${of('f32')}, -3f, ${of('f32')} + f32(limits.w))`,
        `select(${of('f32')}, ${of('f32')}, ${of('bool')})`,
      ],
      bool: [
        `(${of('u32')} ${random.pick(['<', '<=', '==', '!=', '>'])} ${of('u32')})`,
        `(${of('i32')} ${random.pick(['<', '>='])} ${of('i32')})`,
        `(${of('f32')} ${random.pick(['<', '>', '=='])} ${of('f32')})`,
        `(${of('bool')} ${random.pick(['&&', '||', '&', '|'])} ${of('bool')})`,
        `!${of('bool')}`,
        '(i < limits.y)',
      ],
    };
    return random.pick(forms[kind]);
  }

  private block(depth: number): string {
    const visible = this.scopes.length;
    const lines = Array.from({ length: 1 + this.random.below(3) }, () => this.statement(depth));
    this.scopes.length = visible;
    return `{ ${lines.join(' ')} }`;
  }

  private statement(depth: number): string {
    const { random } = this;
    const kind = random.pick<Kind>(['u32', 'u32', 'i32', 'f32', 'bool']);
    const choice = random.below(depth > 0 ? 10 : 4);
    if (choice < 3) return `${this.variable(kind, true)} = ${this.value(kind, 3)};`;
    if (choice === 3) return `own[(${this.value('u32', 1)} + limits.w) % 6u] = ${this.value('u32', 2)};`;
    if (choice === 4) {
      const name = `v${this.names++}`;
      const text = `let ${name} = ${this.value(kind, 3)};`;
      this.scopes.push({ name, kind, mutable: false });
      return text;
    }
    if (choice < 7) {
      const otherwise = random.below(2) ? ` else ${this.block(depth - 1)}` : '';
      return `if (${this.value('bool', 2)}) ${this.block(depth - 1)}${otherwise}`;
    }
    if (choice === 7 && this.loops > 0)
      return `if (${this.value('bool', 2)}) { ${random.pick(['break', 'continue'])}; }`;
    if (choice === 8)
      return `switch (${this.value('u32', 1)} % 4u) { case 0u: ${this.block(0)} case 1u, 2u: ${this.block(0)} default: ${this.block(0)} }`;
    const name = `k${this.names++}`;
    const bound = random.pick(['limits.x % 9u', '6u', '(i % 7u)', 'words[i] % 8u']);
    this.loops++;
    this.scopes.push({ name, kind: 'u32', mutable: false });
    const body = this.block(depth - 1);
    this.scopes.splice(
      this.scopes.findIndex((v) => v.name === name),
      1,
    );
    this.loops--;
    return `for (var ${name} = 0u; ${name} < ${bound}; ${name}++) ${body}`;
  }
}

describe('lanes mode, and the sanitizer', () => {
  it.each([
    { size: 8, barriers: false, first: 1 },
    { size: 8, barriers: true, first: 1001 },
    { size: 6, barriers: false, first: 2001 },
    { size: 7, barriers: true, first: 3001 },
    { size: 16, barriers: true, first: 4001 },
  ])(
    'equals scalar mode: workgroups of $size, barriers: $barriers',
    ({ size, barriers, first }) => {
      for (let seed = first; seed < first + (thorough ? 16 : 6); seed++) {
        const random = new Random(seed);
        const wgsl = new Writer(random, barriers).program(size);
        const module = parseModule(wgsl);
        expect(
          module.messages.filter(({ type }) => type === 'error'),
          wgsl,
        ).toEqual([]);
        const program = module.program();
        const groups = [3, 1, 1] as const;
        const buffers: Record<number, ArrayBufferView> = {
          0: new Uint32Array(3 * size * 4 - 2),
          1: Float32Array.from({ length: 2 * size + 1 }, (_, i) => (i % 5 === 0 ? -i : i / 3)),
          2: Uint32Array.from({ length: 2 * size + 3 }, () => random.below(50)),
          3: new Uint32Array([random.below(30), random.below(3 * size), 1 + random.below(9), 0]),
        };
        const [scalar, lanes] = (['scalar', 'lanes'] as const).map((mode) => {
          const kernel = compileProgram(program, { shared: false, mode });
          const given = kernel.bindings.map(({ binding }) => buffers[binding]!);
          const at = kernel.bindings.findIndex(({ binding }) => binding === 0);
          return [...new Uint32Array(runKernel(kernel, groups, given)[at]!)];
        });
        expect(lanes, `seed ${seed}\n${wgsl}`).toEqual(scalar);
        const watched = watchedKernel(program, parts, { subgroupSize: 4, code: wgsl, label: '' });
        const given = watched.bindings.map(({ binding }) => buffers[binding]!);
        const at = watched.bindings.findIndex(({ binding }) => binding === 0);
        expect(
          [...new Uint32Array(runWatchedKernel(watched, groups, given)[at]!)],
          `watched, seed ${seed}\n${wgsl}`,
        ).toEqual(scalar);
      }
    },
    60_000,
  );
});
