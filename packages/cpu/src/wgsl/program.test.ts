// What programs the front end makes of texts.
import { describe, expect, it } from 'vitest';
import { parseModule } from './check-module.js';
import { ProgramError } from './module.js';
import { printBody, printProgram } from './print.testing.js';

const HEAD = `enable f16; enable subgroups;
  struct S { a: f32, b: vec3<i32> }
  @group(0) @binding(0) var<storage, read_write> x: array<f32>;
  @group(0) @binding(1) var<storage, read_write> n: atomic<u32>;
  var<workgroup> w: array<f32, 8>; var<private> p: S; override o = 3; const c = 2;
  fn g(v: f32) -> f32 { p.a = v; return v + 1; }
  fn h(v: ptr<function, i32>) -> i32 { *v += 1; return *v; }
  @compute @workgroup_size(8) fn main(@builtin(workgroup_id) id: vec3u, @builtin(local_invocation_index) i: u32) {`;

/** The statements that a text becomes in a function with some variables around it. */
function bodyOf(body: string): string {
  const module = parseModule(`${HEAD} ${body} }`);
  expect(module.messages).toEqual([]);
  return printBody(module.program());
}

describe('statements', () => {
  it.each([
    // Constants are computed, abstract numbers get their types.
    ['let a = 1 + 2 * c;', 'let a: i32 = 5i'],
    [
      'let a: f32 = 1 / 4.0; let b = vec3(1, 2.5, 3) * 2;',
      'let a: f32 = 0.25f\nlet b: vec3<f32> = vec3<f32>(2f, 5f, 6f)',
    ],
    ['let a = vec2(1) + 0; let b = vec3f();', 'let a: vec2<i32> = vec2<i32>(1i …)\nlet b: vec3<f32> = vec3<f32>()'],
    ['let a = 0.1h; let b = -0.0f;', 'let a: f16 = 0.0999755859375h\nlet b: f32 = -0f'],
    ['let a = o * 2; let b = f32(o) + f32(i);', 'let a: i32 = 6i\nlet b: f32 = (3f + f32(i))'],
    ['let a = i32(1.9) + i32(1e20f); let b = 7 / -2;', 'let a: i32 = 2147483521i\nlet b: i32 = -3i'],
    ['let a = i32(i) + 0x7fffffff; let b = max(2, 3.5);', 'let a: i32 = (i32(i) + 2147483647i)\nlet b: f32 = 3.5f'],
    [
      'let a = array(1, 2)[i]; const t = array<S, 2>(); let b = t[1].b.y;',
      'let a: i32 = array<i32, 2>(1i, 2i)[i]\nlet b: i32 = 0i',
    ],
    // Scalars next to vectors are spread.
    ['let a = vec3f(id) * 2;', 'let a: vec3<f32> = (vec3<f32>(id) * vec3<f32>(2f …))'],
    [
      'let a = mix(vec2f(p.a), vec2f(1), p.a);',
      'let a: vec2<f32> = mix(vec2<f32>(p.a …), vec2<f32>(1f …), vec2<f32>(p.a …))',
    ],
    [
      'let a = select(vec2f(p.a), vec2f(1), i > 2);',
      'let a: vec2<f32> = select(vec2<f32>(p.a …), vec2<f32>(1f …), vec2<bool>((i > 2u) …))',
    ],
    [
      'let m = mat2x2f(p.a, 1, 2, 3); let a = 2 * m * m[1] ;',
      'let m: mat2x2<f32> = mat2x2<f32>(p.a, 1f, 2f, 3f)\nlet a: vec2<f32> = ((m matrix-scale 2f) matrix* m[1i])',
    ],
    // Places and values.
    ['let a = p; let b = a.b.zyx; let d = p.b.z;', 'let a: S = p\nlet b: vec3<i32> = a.b.zyx\nlet d: i32 = p.b[2u]'],
    [
      'var a: vec2f; a.y = 1; let q = &a; q.x = (*q).y; (*q)[i] = 2;',
      'var a: vec2<f32>\na[1u] = 1f\nlet q: ptr<function, vec2<f32>> = &a\n*q[0u] = *q[1u]\n*q[i] = 2f',
    ],
    ['_ = arrayLength(&x); _ = atomicAdd(&n, 1); _ = i;', 'arrayLength(x)\natomicAdd(n, 1u)\ni'],
    [
      'let a = bitcast<f32>(i); let b = vec2<u32>(vec2(p.a)); let d = bool(i);',
      'let a: f32 = bitcast<f32>(i)\nlet b: vec2<u32> = vec2<u32>(vec2<f32>(p.a …))\nlet d: bool = bool(i)',
    ],
    ['let a = 3 << i; let b = -7 % 4;', 'let a: i32 = (3i << i)\nlet b: i32 = -3i'],
    // Compound assignments: the place is evaluated once, before the value.
    ['var a = 1u; a++; a -= i; a <<= 2;', 'var a: u32 = 1u\na = (a + 1u)\na = (a - i)\na = (a << 2u)'],
    ['x[i] *= 2;', 'x[i] = (x[i] * 2f)'],
    ['x[i + 1] += 2;', 'let kept: u32 = (i + 1u)\nx[kept] = (x[kept] + 2f)'],
    ['var a = 1; x[h(&a)] += f32(a);', 'var a: i32 = 1i\nlet kept: i32 = h(&a)\nx[kept] = (x[kept] + f32(a))'],
    // Loops.
    [
      'for (var a = 0; a < 4; a++) { continue; }',
      '{\n  var a: i32 = 0i\n  loop {\n    if !(a < 4i) {\n      break\n    }\n    continue\n  continuing\n    a = (a + 1i)\n  }\n}',
    ],
    ['while i < 2 { break; }', 'loop {\n  if !(i < 2u) {\n    break\n  }\n  break\n}'],
    ['for (;;) { return; }', 'loop {\n  return\n}'],
    [
      'loop { var a = i; continuing { a += 1; break if a > 3; } }',
      'loop {\n  var a: u32 = i\ncontinuing\n  a = (a + 1u)\nbreak if (a > 3u)\n}',
    ],
    [
      'if i < 1 { } else if i < 2 { x[0] = 1; } else { }',
      'if (i < 1u) {\n} else {\n  if (i < 2u) {\n    x[0i] = 1f\n  }\n}',
    ],
    [
      'switch i { case 1, c: { break; } case default: { return; } }',
      'switch i {\ncase 1, 2\n  break\ncase default\n  return\n}',
    ],
    ['return; x[0] = 1;', 'return'],
    ['{ let i = 1; { let i = 2; } }', '{\n  let i: i32 = 1i\n  {\n    let i.1: i32 = 2i\n  }\n}'],
  ])('%s', (body, expected) => expect(bodyOf(body)).toBe(expected));
});

describe('operations that all invocations carry out together', () => {
  it.each([
    ['workgroupBarrier(); storageBarrier();', 'workgroupBarrier\nstorageBarrier'],
    [
      'let a = workgroupUniformLoad(&w[1]) + 1;',
      'let workgroupUniformLoad = workgroupUniformLoad(w[1i])\nlet a: f32 = (workgroupUniformLoad + 1f)',
    ],
    // What comes before them is evaluated before them.
    [
      'x[i] = g(1) + subgroupAdd(p.a) * g(2);',
      'let kept: f32 = g(1f)\nlet subgroupAdd: f32 = subgroupAdd(p.a)\nx[i] = (kept + (subgroupAdd * g(2f)))',
    ],
    [
      'let a = vec3(p.a, f32(i), subgroupMax(1f));',
      'let kept: f32 = p.a\nlet kept.1: f32 = f32(i)\nlet subgroupMax: f32 = subgroupMax(1f)\nlet a: vec3<f32> = vec3<f32>(kept, kept.1, subgroupMax)',
    ],
    [
      'x[u32(p.a)] = subgroupAdd(1f);',
      'let kept: u32 = u32(p.a)\nlet subgroupAdd: f32 = subgroupAdd(1f)\nx[kept] = subgroupAdd',
    ],
    // Only where it is evaluated.
    [
      'if id.x > 1 && subgroupAny(i > 2) { }',
      'var condition: bool = (id[0u] > 1u)\nif condition {\n  let subgroupAny: bool = subgroupAny((i > 2u))\n  condition = subgroupAny\n}\nif condition {\n}',
    ],
    [
      'let a = id.x > 1 || workgroupUniformLoad(&w[0]) > 2;',
      'var condition: bool = (id[0u] > 1u)\nif !condition {\n  let workgroupUniformLoad = workgroupUniformLoad(w[0i])\n  condition = (workgroupUniformLoad > 2f)\n}\nlet a: bool = condition',
    ],
    [
      'while workgroupUniformLoad(&w[0]) > 2 { }',
      'loop {\n  let workgroupUniformLoad = workgroupUniformLoad(w[0i])\n  if !(workgroupUniformLoad > 2f) {\n    break\n  }\n}',
    ],
    [
      'loop { continuing { break if workgroupUniformLoad(&w[0]) > 2; } }',
      'loop {\ncontinuing\n  let workgroupUniformLoad = workgroupUniformLoad(w[0i])\nbreak if (workgroupUniformLoad > 2f)\n}',
    ],
    [
      'if id.x > 1 { } else if subgroupElect() { }',
      'if (id[0u] > 1u) {\n} else {\n  let subgroupElect: bool = subgroupElect()\n  if subgroupElect {\n  }\n}',
    ],
  ])('%s', (body, expected) =>
    expect(bodyOf(`@diagnostic(off, subgroup_uniformity) { ${body} }`)).toBe(`{\n${expected.replace(/^/gm, '  ')}\n}`),
  );
});

describe('programs', () => {
  const CODE = `
    @group(0) @binding(0) var<storage, read_write> x: array<f32>;
    @group(0) @binding(1) var<uniform> unused: vec4f;
    var<private> state: u32 = 7u; var<workgroup> tile: array<f32, size>;
    override size: u32 = 4; @id(9) override scale: f32; override on = false;
    struct In { @builtin(local_invocation_index) i: u32, @builtin(num_workgroups) n: vec3<u32> }
    fn last(v: f32) -> f32 { workgroupBarrier(); return v * scale; }
    fn first(v: f32) -> f32 { state += 1; return last(v); }
    fn other() { _ = unused; }
    @compute @workgroup_size(size, 2) fn main(in: In, @builtin(workgroup_id) w: vec3u) { tile[in.i] = first(1); x[0] = tile[0]; }
    @compute @workgroup_size(1) fn second() { other(); if on { x[1] = 2; } }`;

  it('hold what their entry point reaches, callees first', () => {
    expect(printProgram(parseModule(CODE).program('main', { size: 16, 9: 0.5 }))).toBe(`private state: u32 = 7u
workgroup tile: array<f32, 16>
storage read_write x: array<f32> @0.0
sync fn last(v: f32) -> f32 {
  workgroupBarrier
  return (v * 0.5f)
}
sync fn first(v.1: f32) -> f32 {
  state = (state + 1u)
  return last(v.1)
}
@workgroup_size(16, 2, 1)
sync fn main(in: In (local_invocation_index, num_workgroups), w: vec3<u32> (workgroup_id)) {
  tile[in.i] = first(1f)
  x[0i] = tile[0i]
}`);
  });

  it('need no value of an override that they do not reach', () => {
    expect(printProgram(parseModule(CODE).program('second', { on: 1 }))).toBe(`uniform unused: vec4<f32> @0.1
storage read_write x: array<f32> @0.0
fn other() {
  unused
}
@workgroup_size(1, 1, 1)
fn second() {
  other()
  if true {
    x[1i] = 2f
  }
}`);
  });

  it.each([
    [undefined, {}, "Name one of the module's 2 compute entry points."],
    ['other', {}, 'There is no compute entry point "other".'],
    ['main', {}, '5:45 Override "scale" has no value: give one in "constants".'],
    ['main', { scale: 1 }, 'No override is named "scale".'],
    ['main', { 9: 1, speed: 1 }, 'No override is named "speed".'],
    ['main', { 9: 1, size: 0 }, '10:30 A workgroup size is at least 1, not 0.'],
    ['main', { 9: 1, size: -1 }, '5:14 -1 is beyond the range of u32.'],
    ['main', { 9: 1e39 }, '5:45 1e+39 is beyond the range of f32.'],
    ['main', { 9: Number.NaN }, '5:45 The value of an override must be finite.'],
  ])('%s with %o is refused', (name, constants, message) => {
    const module = parseModule(CODE);
    expect(module.messages).toEqual([]);
    expect(() => module.program(name, constants as Record<string, number>)).toThrow(new ProgramError(message));
  });

  it('find faults of override expressions when the pipeline is made', () => {
    const module = parseModule('override d: i32; override q = 6 / d; @compute @workgroup_size(q) fn main() { }');
    expect(module.messages).toEqual([]);
    expect(module.program('main', { d: 3 }).entry.workgroupSize).toEqual([2, 1, 1]);
    expect(() => module.program('main', { d: 0 })).toThrow('1:35 An integer cannot be divided by zero.');
    expect(() => module.program('main', { d: -3 })).toThrow('1:63 A workgroup size is at least 1, not -2.');
  });

  it('share one expression for a constant table, however often it is named', () => {
    const code =
      'const t = array<u32, 3>(5, 6, 7); var<private> r: u32; @compute @workgroup_size(1) fn main() { r = t[r]; r = t[r + 1]; }';
    const bases = parseModule(code)
      .program()
      .entry.function.body.map((statement) =>
        statement.kind === 'assign' && statement.value.kind === 'extract' ? statement.value.base : undefined,
      );
    expect(bases[0]?.kind).toBe('construct');
    expect(bases[1]).toBe(bases[0]);
  });

  it('lay out structures as memory has them', () => {
    const code = `enable f16; struct A { a: f32, b: vec3<f32>, c: f32, d: vec2<f16>, e: mat2x3<f32>, f: array<vec3<f16>, 2> }
      struct B { @size(20) a: u32, @align(64) b: A, c: array<f32> }
      @group(0) @binding(0) var<storage, read_write> s: B; @compute @workgroup_size(1) fn main() { s.c[0] = 1; }`;
    const { type } = parseModule(code).program().globals[0]!;
    if (type.kind !== 'struct') throw new Error(type.kind);
    expect([type.size, type.align, type.members.map((member) => member.offset)]).toEqual([192, 64, [0, 64, 160]]);
    const inner = type.members[1]!.type;
    if (inner.kind !== 'struct') throw new Error(inner.kind);
    expect([inner.size, inner.align, inner.members.map((member) => member.offset)]).toEqual([
      96,
      16,
      [0, 16, 28, 32, 48, 80],
    ]);
  });
});
