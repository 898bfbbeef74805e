// Whatever a text is, the front end answers with messages: it neither throws nor takes long.
import { describe, expect, it } from 'vitest';
import { parseModule } from './check-module.js';
import { ProgramError } from './module.js';

const firstError = (code: string) => parseModule(code).messages.find(({ type }) => type === 'error')?.message;

const KERNEL = `
enable f16; // extensions
struct S { a: f32, @align(16) b: vec2<u32>, c: array<vec4<f32>, 3> }
override scale: f32 = 2; const table = array(1, 2, 3);
@group(0) @binding(0) var<storage, read_write> x: array<f32>;
@group(0) @binding(1) var<uniform> s: S;
var<workgroup> tile: array<array<f32, 8>, 8>; var<workgroup> n: atomic<u32>;
fn add(p: ptr<function, f32>, y: f32) -> f32 { *p += y; if (y < 0) { return -y; } return *p; }
@compute @workgroup_size(8, 8) fn main(@builtin(local_invocation_id) id: vec3u, @builtin(workgroup_id) w: vec3u) {
  var sum = f32(f16(1.5h)); let p = &sum;
  for (var i = 0u; i < 8 && w.x > 2; i++) { tile[i][id.x] = x[i * 8 + id.x] * scale; workgroupBarrier(); sum += tile[id.y][i]; }
  loop { sum -= 1; if (sum < 0) { break; } continuing { sum /= 2; break if sum == 3; } }
  switch id.x { case 0, 1 { sum = add(p, s.c[1].y); } default { atomicAdd(&n, 1u << id.y); } }
  x[id.x] = select(sum, dot(vec3(1, 2, sum), s.c[0].xyz), !(sum >= 1.0)) + f32(table[id.x % 3]) + frexp(sum).fract;
}`;

/** A generator of numbers that is the same everywhere. */
function randomOf(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** Checks a text, and makes the programs of a valid one; gives whether it was valid. */
function survives(code: string): boolean {
  const module = parseModule(code);
  for (const { line, column, offset, length, message } of module.messages) {
    expect(line >= 1 && column >= 1 && offset >= 0 && offset + length <= code.length).toBe(true);
    expect(message).toMatch(/[.]$/);
  }
  if (module.messages.some(({ type }) => type === 'error')) {
    expect(() => module.program()).toThrow(ProgramError);
    return false;
  }
  for (const name of module.entryPoints) {
    try {
      module.program(name);
    } catch (error) {
      expect(error).toBeInstanceOf(ProgramError);
    }
  }
  return true;
}

describe('mutated texts', () => {
  it('starts from a valid one', () => expect(firstError(KERNEL)).toBeUndefined());

  it('are valid or have messages', () => {
    const random = randomOf(1);
    const tokens = KERNEL.match(/\s+|\w+(?:\.\d+)?|\/\/.*|<<|&&|[<>=!]=|./g)!;
    let valid = 0;
    for (let i = 0; i < 1500; i++) {
      const changed = [...tokens];
      for (let k = 0; k <= random(3); k++) {
        const [at, from] = [random(changed.length), random(changed.length)];
        changed.splice(at, random(2), ...changed.slice(from, from + random(2)));
      }
      if (survives(changed.join(''))) valid++;
    }
    expect(valid).toBeGreaterThan(50);
    expect(valid).toBeLessThan(1000);
  });

  it('may end anywhere, and hold any character', () => {
    const random = randomOf(2);
    for (let i = 0; i < 300; i++) {
      const end = random(KERNEL.length);
      survives(KERNEL.slice(0, end));
      survives(KERNEL.slice(0, end) + String.fromCharCode(random(0x3000)) + KERNEL.slice(end + random(2)));
    }
  });
});

describe('nesting', () => {
  const inFunction = (body: string) => `fn f(b: bool, i: i32) { ${body} }`;
  const DEPTH = 20_000;

  it.each([
    ['parentheses', `_ = ${'('.repeat(DEPTH)}i${')'.repeat(DEPTH)};`],
    ['calls', `_ = ${'abs('.repeat(DEPTH)}i${')'.repeat(DEPTH)};`],
    ['signs', `_ = ${'- '.repeat(DEPTH)}i;`],
    ['addresses', `_ = ${'&'.repeat(DEPTH)}i;`],
    ['indices', `_ = i${'[i]'.repeat(DEPTH)};`],
    ['indices in indices', `_ = ${'i['.repeat(DEPTH)}`],
    ['members', `_ = i${'.x'.repeat(DEPTH)};`],
    ['types', `var a: ${'array<'.repeat(DEPTH)}i32${', 1>'.repeat(DEPTH)};`],
    ['blocks', '{'.repeat(DEPTH) + '}'.repeat(DEPTH)],
    ['loops', 'loop { '.repeat(DEPTH) + '}'.repeat(DEPTH)],
    ['targets', `${'*'.repeat(DEPTH)}i = 1;`],
  ])('of 20,000 %s is a message', (_, body) => {
    expect(firstError(inFunction(body))).toMatch(/nested|deep/);
  });

  it.each([
    ['operators', `_ = i${' + i'.repeat(DEPTH)};`, /operators|nested/],
    ['branches', `if b { } ${'else if b { } '.repeat(DEPTH)}`, /nested|^undefined$/],
  ])('of 20,000 %s in a row is valid or a message', (_, body, expected) => {
    expect(String(firstError(inFunction(body)))).toMatch(expected);
  });

  it('is taken up to the limits', () => {
    expect(firstError(inFunction(`_ = ${'('.repeat(200)}i${')'.repeat(200)};`))).toBeUndefined();
    expect(firstError(inFunction(`_ = i${' + i'.repeat(1000)};`))).toBeUndefined();
    expect(firstError(inFunction(`${'{'.repeat(126)}${'}'.repeat(126)}`))).toBeUndefined();
    expect(firstError(inFunction(`if b { } ${'else if b { } '.repeat(300)}`))).toBeUndefined();
  });

  it('of declarations that need one another is valid or a message', () => {
    const chain = Array.from({ length: 5000 }, (_, i) => `const c${i} = c${i + 1} + 1;`).join('\n');
    expect(String(firstError(`${chain}\nconst c5000 = 0;`))).toMatch(/nested|^undefined$/);
  });
});

describe('long texts', () => {
  // In time that grows with the square of the length these would take minutes.
  it.each([
    [
      'statements',
      (i: number) => `let a${i} = i + ${i}; v += a${i}; if v > 3 { v = a${i} - -1; }\n`,
      'fn f(i: i32) { var v = 0; ',
      '}',
    ],
    ['functions', (i: number) => `fn g${i}(x: f32) -> f32 { return x * ${i}; }\n`, '', ''],
    ['elements', (i: number) => `${i}.5, `, 'const a = array(', ');'],
    ['comparisons that could open template lists', () => '_ = a < a; ', 'fn f(a: i32) { ', '}'],
    ['pairs of signs', () => '_ = a--a; ', 'fn f(a: i32) { ', '}'],
    ['nested comments', () => '/* ', '', '*/ '.repeat(20_000)],
  ])('of 20,000 %s are taken', (_, part, before, after) => {
    const code = before + Array.from({ length: 20_000 }, (_, i) => part(i)).join('') + after;
    expect(parseModule(code).messages).toEqual([]);
  });
});
