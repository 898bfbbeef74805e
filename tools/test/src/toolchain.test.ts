// What the build step must deliver: one function that runs as JavaScript and resolves to WGSL.
import tgpu, { d } from 'typegpu';
import { expect, it } from 'vitest';

const scaled = tgpu.fn(
  [d.f32],
  d.f32,
)((x) => {
  'use gpu';
  return x / (1 + x * x);
});

it('a shader function runs on the CPU and resolves to WGSL', () => {
  expect(scaled(2)).toBeCloseTo(0.4);
  expect(tgpu.resolve([scaled])).toContain('fn scaled(x: f32) -> f32');
});
