// Random programs that every implementation must carry out alike. What a mutation must not touch, lest a program run forever
// or leave its arrays, is between « and »; mutate.testing.ts removes the marks.
import { forms, KINDS, type Kind, ROUGH } from './forms.testing.js';
import type { Random } from './random.testing.js';

/** Words of `out` and floats of `exact` for each invocation. */
export const WORDS = 10;
export const FLOATS = 5;

const VARIABLES: Readonly<Record<Kind, string>> = {
  u32: 'a',
  i32: 'b',
  f32: 'c',
  bool: 'd',
  vec2u: 'e',
  vec3i: 'f',
  vec4f: 'g',
};

export class PortableWriter {
  private names = 0;
  private readonly scopes: { name: string; kind: Kind; mutable: boolean }[] = [];
  private loops = 0;
  readonly rough: readonly number[];

  constructor(
    private readonly random: Random,
    private readonly barriers: boolean,
  ) {
    this.rough = [0, 0, 0].map(() => random.below(ROUGH.length));
  }

  program(size: number): string {
    for (const name of ['i', 'group']) this.scopes.push({ name, kind: 'u32', mutable: false });
    for (const kind of KINDS) this.scopes.push({ name: VARIABLES[kind], kind, mutable: true });
    const lines: string[] = [];
    for (let n = 0; n < 4; n++) {
      if (this.barriers && n % 2) lines.push(this.exchange(size));
      lines.push(this.statement(3));
    }
    const rough = this.rough.map((at, k) => `rough[i * 3u + ${k}u] = ${ROUGH[at]!.text};`).join(' ');
    return `«${header(size)}
@compute @workgroup_size(${size}) fn main(@builtin(global_invocation_id) id: vec3u, @builtin(local_invocation_index) local: u32, @builtin(workgroup_id) wg: vec3u) {
  let i = id.x; let group = wg.x; let zero = limits.w; let izero = i32(zero);
  var fuel = 60u; var own: array<u32, 5>; var state: State;
  var a = i; var b = i32(i) - 5; var c = data[inData(i)]; var d = i % 2u == 0u;
  var e = vec2u(i, 7u); var f = vec3i(b, 3, -b); var g = vec4f(c, 0.5, 2.0, -c);»
  ${lines.join('\n  ')}
  «out[i * ${WORDS}u] = a; out[i * ${WORDS}u + 1u] = bitcast<u32>(b); out[i * ${WORDS}u + 2u] = u32(d); out[i * ${WORDS}u + 3u] = e.x; out[i * ${WORDS}u + 4u] = e.y;
  for (var n = 0u; n < 3u; n++) { out[i * ${WORDS}u + 5u + n] = bitcast<u32>(f[n]); } out[i * ${WORDS}u + 8u] = own[i % 5u] ^ words[0]; out[i * ${WORDS}u + 9u] = mine + state.count;
  exact[i * ${FLOATS}u] = c; for (var n = 0u; n < 4u; n++) { exact[i * ${FLOATS}u + 1u + n] = g[n]; }
  let x = keep(c * 0.25); let y = keep(g.x + 0.5); seen[i * 2u] = x; seen[i * 2u + 1u] = y; ${rough}
}»`;
  }

  /** Values of other invocations, by way of workgroup memory; and a sum over all. */
  private exchange(size: number): string {
    const value = this.value('u32', 1);
    return `«box[local] =» ${value}; «workgroupBarrier(); a += box[(local + 3u) % ${size}u]; workgroupBarrier();» atomicAdd(&total, ${value}); «workgroupBarrier(); b ^= i32(atomicLoad(&total)); workgroupBarrier(); if (local == 0u) { atomicStore(&total, 0u); } workgroupBarrier();»`;
  }

  private variable(kind: Kind, mutable = false): string | undefined {
    const fitting = this.scopes.filter((v) => v.kind === kind && (!mutable || v.mutable));
    return fitting.length > 0 ? this.random.pick(fitting).name : undefined;
  }

  private value(kind: Kind, depth: number): string {
    const { random } = this;
    if (depth === 0 || random.below(5) === 0) {
      const name = random.below(3) ? this.variable(kind) : undefined;
      return name ?? this.literal(kind);
    }
    return random.pick(forms[kind])((other) => this.value(other, depth - 1), random);
  }

  private literal(kind: Kind): string {
    const n = this.random.below(9);
    const texts: Record<Kind, string> = {
      u32: this.random.pick([`${n}u`, '0xffffffffu', '31u']),
      i32: this.random.pick([`${n - 4}i`, '0x7fffffffi']),
      f32: `${n - 4}.5f`,
      bool: n % 2 ? 'true' : 'false',
      vec2u: `vec2u(${n}u, 5u)`,
      vec3i: `vec3i(${n - 4})`,
      vec4f: `vec4f(${n}.25, -1, 0, 3)`,
    };
    return texts[kind];
  }

  /** A value to be kept: floats stay in a range in which nothing overflows. */
  private stored(kind: Kind, depth: number): string {
    const value = this.value(kind, depth);
    if (kind === 'f32') return `«keep(»${value}«)»`;
    return kind === 'vec4f' ? `«keep4(»${value}«)»` : value;
  }

  private block(depth: number): string {
    const visible = this.scopes.length;
    const lines = Array.from({ length: 1 + this.random.below(3) }, () => this.statement(depth));
    this.scopes.length = visible;
    return `{ ${lines.join(' ')} }`;
  }

  private statement(depth: number): string {
    const { random } = this;
    const kind = random.pick<Kind>(['u32', 'i32', 'f32', ...KINDS]);
    const simple = [
      () => `${this.variable(kind, true)} = ${this.stored(kind, 3)};`,
      () => `${this.variable(kind, true)} = ${this.stored(kind, 3)};`,
      () =>
        `${random.pick(['a', 'e.y'])} ${random.pick(['+=', '^=', '*=', '-=', '/=', '%=', '|='])} (${this.value('u32', 2)} + zero);`,
      () =>
        `${random.pick(['b', 'f.z', 'state.at.y'])} ${random.pick(['+=', '-=', '*=', '&='])} (${this.value('i32', 2)} + izero);`,
      () => `own[inFive(${this.value('u32', 1)})] = ${this.value('u32', 2)};`,
      () => `f[inTwo(${this.value('u32', 1)})] = ${this.value('i32', 2)};`,
      () => `bump(&own[inFive(${this.value('u32', 1)})], ${this.value('u32', 2)});`,
      () => `state = State(${this.value('u32', 2)}, ${this.value('vec3i', 2)});`,
      () => `mine ${random.pick(['+=', '^='])} ${this.value('u32', 2)};`,
      () => `${random.pick(['a++', 'b--', 'state.count++'])};`,
      () => `{ let p = &${random.pick(['a', 'state.count', 'mine'])}; *p = *p * 3u + ${this.value('u32', 1)}; }`,
    ];
    if (depth === 0 || random.below(2) === 0) return random.pick(simple)();
    return this.compound(depth, kind);
  }

  private compound(depth: number, kind: Kind): string {
    const { random } = this;
    const choice = random.below(8);
    if (choice === 0) {
      const name = `v${this.names++}`;
      const mutable = random.below(2) === 0;
      const text = `${mutable ? 'var' : 'let'} ${name} = ${this.stored(kind, 3)};`;
      this.scopes.push({ name, kind, mutable });
      return text;
    }
    if (choice < 4) {
      const otherwise = random.below(2) ? ` else ${this.block(depth - 1)}` : '';
      return `if (${this.value('bool', 2)}) ${this.block(depth - 1)}${otherwise}`;
    }
    if (choice === 4)
      return `switch (${this.value('u32', 1)} % 5u) { case 0u ${this.block(0)} case 1u, 2u: ${this.block(0)} case 3u, default: ${this.block(0)} }`;
    if (choice === 5 && this.loops > 0)
      return `if (${this.value('bool', 2)}) { ${random.pick(['break', 'continue'])}; }`;
    return this.loop(depth);
  }

  private loop(depth: number): string {
    const { random } = this;
    const name = `k${this.names++}`;
    const stop = '«if (spent(&fuel)) { break; }»';
    this.loops++;
    const visible = this.scopes.length;
    const form = random.below(3);
    if (form === 0) this.scopes.push({ name, kind: 'u32', mutable: false });
    const body = this.block(depth - 1).slice(1, -1);
    const end = this.value('bool', 1);
    this.scopes.length = visible;
    this.loops--;
    if (form === 0)
      return `for (var ${name} = 0u; ${name} < ${random.pick(['limits.x % 9u', '6u', '(i % 7u)', 'words[inWords(i)] % 8u'])}; ${name}++) { ${stop} ${body} }`;
    if (form === 1) return `while (${end}) { ${stop} ${body} }`;
    return `loop { ${stop} ${body.replaceAll('continue;', 'a += 3u;')} continuing { b += 1; «break if» ${end}; } }`;
  }
}

function header(size: number): string {
  return `struct State { count: u32, at: vec3i }
@group(0) @binding(0) var<storage, read_write> out: array<u32>;
@group(0) @binding(1) var<storage, read_write> exact: array<f32>;
@group(0) @binding(2) var<storage, read_write> rough: array<f32>;
@group(0) @binding(3) var<storage, read_write> seen: array<f32>;
@group(0) @binding(4) var<storage> data: array<f32>;
@group(0) @binding(5) var<storage> words: array<u32>;
@group(0) @binding(6) var<uniform> limits: vec4u;
var<workgroup> box: array<u32, ${size}>;
var<workgroup> total: atomic<u32>;
var<private> mine = 5u;
fn inData(at: u32) -> u32 { return at % arrayLength(&data); }
fn inWords(at: u32) -> u32 { return at % arrayLength(&words); }
fn inFive(at: u32) -> u32 { return at % 5u; }
fn inTwo(at: u32) -> u32 { return at & 1u; }
fn keep(x: f32) -> f32 { let y = clamp(x, -1000.0, 1000.0); return select(y, 0.0, abs(y) < 0.001); }
fn keep4(x: vec4f) -> vec4f { return vec4f(keep(x.x), keep(x.y), keep(x.z), keep(x.w)); }
fn spent(fuel: ptr<function, u32>) -> bool { if (*fuel == 0u) { return true; } *fuel -= 1u; return false; }
fn bump(p: ptr<function, u32>, by: u32) { if (by > 100u) { *p ^= by; return; } *p += by; }
fn early(x: u32, y: f32) -> u32 { if (x > 40u) { return x / 3u; } for (var k = 0u; k < x; k++) { if (f32(k) > y) { return k; } } return x ^ 5u; }`;
}
