// Which texts are valid WGSL, and the messages for the others. The tables are in packages/cpu/fixtures/wgsl; each rule has a
// valid and an invalid neighbour.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseModule } from './check-module.js';
import type { Message } from './module.js';

const errorsOf = (code: string): readonly Message[] =>
  parseModule(code).messages.filter(({ type }) => type === 'error');
const show = ({ line, column, message }: Message) => `${line}:${column} ${message}`;

for (const [table, least] of [
  ['statements', 380],
  ['declarations', 295],
  ['uniformity', 105],
] as const) {
  describe(table, () => {
    const text = readFileSync(new URL(`../../fixtures/wgsl/${table}.txt`, import.meta.url), 'utf8');
    const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    it(`has a table of at least ${least} texts`, () => expect(lines.length).toBeGreaterThanOrEqual(least));
    it.each(lines)('%s', (line) => {
      const [code = '', expected] = line.split(/ +=> +/);
      const [, module] = /^module: (.*)$/.exec(code) ?? [];
      const errors = errorsOf(module ?? `fn f(i: i32, u: u32, x: f32, b: bool) { ${code} }`);
      expect(errors.slice(0, 1).map(show)).toEqual(expected === undefined ? [] : [expected]);
    });
  });
}

describe('messages', () => {
  it('say where, in UTF-16 code units, and how long', () => {
    const code = '// 🎲\nfn f() {\r\n  let 変数 = true + 1;\n}';
    const [message] = errorsOf(code);
    expect(message).toEqual({
      type: 'error',
      message: '"+" does not take bool and AbstractInt.',
      line: 3,
      column: 12,
      offset: code.indexOf('true'),
      length: 'true + 1'.length,
    });
  });

  it('are one for each faulty declaration, in the order of the text', () => {
    const code = 'fn a() { b(); let x = 1 + true; }\nfn b() { let y: i32 = 1.5; }\nfn c() { return 1; }';
    expect(errorsOf(code).map(show)).toEqual([
      '2:23 The value of "y" must be i32, not AbstractFloat.',
      '3:10 This function returns nothing.',
    ]);
  });

  it('warn of what may be a mistake', () => {
    const { messages } = parseModule('diagnostic(off, speed);');
    expect(messages.map((message) => [message.type, show(message)])).toEqual([
      ['warning', '1:17 There is no diagnostic rule "speed".'],
    ]);
  });

  it('have the severity that a diagnostic filter gives', () => {
    const body = '@builtin(local_invocation_index) i: u32) { if (i == 1) { _ = subgroupAdd(1); } }';
    const code = `enable subgroups; diagnostic(info, subgroup_uniformity); @compute @workgroup_size(4) fn f(${body}`;
    expect(parseModule(code).messages.map(({ type }) => type)).toEqual(['info']);
  });
});

describe('extensions', () => {
  it('can be enabled where the device has them', () => {
    expect(parseModule('enable f16;', ['f16', 'subgroups']).messages).toEqual([]);
    expect(parseModule('enable f16;', ['subgroups']).messages.map(show)).toEqual([
      '1:8 "enable f16" is not supported.',
    ]);
  });
});

describe('rendering', () => {
  const rendering = `
    @group(0) @binding(0) var picture: texture_2d<f32>;
    @group(0) @binding(1) var how: sampler;
    fn shade(at: vec2f) -> vec4f { return textureSample(picture, how, at) + dpdx(1.0); }
    @fragment fn fragment(@location(0) at: vec2f) -> @location(0) vec4f { return shade(at); }
    @vertex fn vertex() -> @builtin(position) vec4f { return vec4f(); }`;

  it('may be in a module whose compute shaders do without', () => {
    const module = parseModule(`${rendering} @compute @workgroup_size(1) fn main() { }`);
    expect(module.messages).toEqual([]);
    expect(module.entryPoints).toEqual(['main']);
  });

  it('is an error where a compute shader reaches it', () => {
    const [message] = errorsOf(`${rendering} @compute @workgroup_size(1) fn main() { _ = shade(vec2f()); }`);
    expect(message?.message).toBe('textureSample is not supported: only compute shaders without textures are.');
  });
});
