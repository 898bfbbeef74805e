// How a kernel declares the shader functions that it calls, and what they call.

import tgpu, { d } from 'typegpu';
import { expect, it } from 'vitest';
import { elementwise, noGradient, type ShaderFunction, unary } from '../index.js';
import { element, shaderFunction } from '../shader/fn.js';
import { useDevice } from '../testing/use-device.testing.js';

const device = useDevice();
const op = (name: string, ...declarations: string[]) =>
  elementwise({ name, inputs: ['x'], wgsl: { declarations }, reference: Number, vjp: noGradient('of no use here') });

it('renames helpers of one name and different text, and leaves members and equal texts alone', async (context) => {
  const on = device(context);
  const twice = ['fn x(v: vec2f) -> f32 { return v.x * 2.0; }', 'fn own(v: f32) -> f32 { return x(vec2f(v, 0.0)); }'];
  const first = op('first', ...twice);
  const second = op('second', ...twice.map((text) => text.replace('2.0', '3.0')));
  const third = op('third', twice[0]!, 'fn other(v: f32) -> f32 { return x(vec2f(v)) + 1.0; }');
  const y = third(second(first(on.tensor([1, 2]))));
  expect([...(await y.read())]).toEqual([13, 25]);
});

it('takes names from helpers that are the compiler’s', async (context) => {
  const on = device(context);
  const names = ['f0', 'words', 'in0', 'out1', 'load0'].map((name, i) =>
    op(
      `op${i}`,
      `fn ${name}(v: f32) -> f32 { return v + ${i + 1}.0; }`,
      `fn own(v: f32) -> f32 { return ${name}(v); }`,
    ),
  );
  const y = names.reduce((x, each) => each(x), on.tensor([0]));
  expect(await y.item()).toBe(15);
});

it('takes functions of TypeGPU with what they call', async (context) => {
  const on = device(context);
  const helper = tgpu.fn([d.f32], d.f32)`(x) { return x * 4.0; }`;
  const typed: ShaderFunction = shaderFunction(tgpu.fn([d.f32], d.f32)`(x) { return helper(x); }`.$uses({ helper }));
  const fourfold = elementwise({
    name: 'fourfold',
    inputs: ['x'],
    wgsl: typed,
    reference: (x) => 4 * x,
    vjp: noGradient(''),
  });
  const body = element((x: number) => {
    'use gpu';
    return x + 0.5;
  });
  const shifted = unary({ name: 'shifted', kernel: body, vjp: noGradient('of no use here') });
  expect(await shifted(fourfold(on.tensor([3]))).item()).toBe(12.5);
});
