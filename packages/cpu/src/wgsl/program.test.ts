// What programs the front end makes of texts.
import { describe, expect, it } from 'vitest';
import { parseModule } from './parse-module.js';
import { printProgram } from './print.testing.js';

function programOf(code: string, constants?: Record<string, number>): string {
  const module = parseModule(code);
  expect(module.messages).toEqual([]);
  return printProgram(module.program(undefined, constants));
}

describe('whole programs', () => {
  it('doubles an array', () => {
    const code = `
      @group(0) @binding(0) var<storage, read_write> x: array<f32>;
      @compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) {
        if (id.x < arrayLength(&x)) { x[id.x] = x[id.x] * 2f; }
      }`;
    expect(programOf(code)).toBe(`storage read_write x: array<f32> @0.0
@workgroup_size(64, 1, 1)
fn main(id: vec3<u32> (global_invocation_id)) {
  if (id[0u] < arrayLength(x)) {
    x[id[0u]] = (x[id[0u]] * 2f)
  }
}`);
  });
});
