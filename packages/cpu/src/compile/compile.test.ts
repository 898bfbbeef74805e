import { describe, expect, it } from 'vitest';
import type {
  Expression,
  GlobalVariable,
  LocalVariable,
  Program,
  ProgramFunction,
  Reference,
} from '../program/program.js';
import type { Type } from '../program/types.js';
import { compileProgram } from './compile.js';
import { runKernel } from './compile.testing.js';

const at = { line: 1, column: 1 };
const u32: Type = { kind: 'scalar', scalar: 'u32' };
const f32: Type = { kind: 'scalar', scalar: 'f32' };
const vec3u: Type = { kind: 'vector', size: 3, scalar: 'u32' };
const floats: Type = { kind: 'array', element: f32, count: undefined, stride: 4 };

/** `if (id.x < arrayLength(&x)) { x[id.x] = x[id.x] * 2 }`, put together by hand. */
function doubling(): Program {
  const x: GlobalVariable = {
    kind: 'global',
    name: 'x',
    type: floats,
    space: 'storage',
    access: 'read_write',
    binding: { group: 0, binding: 0 },
    at,
  };
  const id: LocalVariable = { kind: 'parameter', name: 'id', type: vec3u, at };
  const i: Expression = {
    kind: 'extract',
    base: { kind: 'value', variable: id, type: vec3u, at },
    index: { kind: 'literal', value: 0, type: u32, at },
    type: u32,
    at,
  };
  const array: Reference = { kind: 'variable', variable: x, type: floats, at };
  const element: Reference = { kind: 'element', base: array, index: i, type: f32, at };
  const two: Expression = { kind: 'literal', value: 2, type: f32, at };
  const loaded: Expression = { kind: 'load', reference: element, type: f32, at };
  const length: Expression = { kind: 'arrayLength', reference: array, type: u32, at };
  const main: ProgramFunction = {
    name: 'main',
    parameters: [id],
    inputs: ['global_invocation_id'],
    returns: { kind: 'void' },
    body: [
      {
        kind: 'if',
        condition: {
          kind: 'binary',
          operator: '<',
          left: i,
          right: length,
          type: { kind: 'scalar', scalar: 'bool' },
          at,
        },
        // biome-ignore lint/suspicious/noThenProperty: a statement's field, not a promise.
        then: [
          {
            kind: 'assign',
            target: element,
            value: { kind: 'binary', operator: '*', left: loaded, right: two, type: f32, at },
            at,
          },
        ],
        otherwise: [],
        at,
      },
    ],
    synchronizes: false,
  };
  return {
    entry: { function: main, workgroupSize: [8, 1, 1] },
    functions: [main],
    globals: [x],
    enables: new Set(),
  };
}

describe('compileProgram', () => {
  it('doubles an array', () => {
    const kernel = compileProgram(doubling(), { shared: false });
    expect(kernel.bindings).toEqual([{ group: 0, binding: 0, kind: 'storage', minimumBytes: 4 }]);
    const [bytes] = runKernel(kernel, [2, 1, 1], [Float32Array.from({ length: 13 }, (_, i) => i)]);
    expect([...new Float32Array(bytes!)]).toEqual(Array.from({ length: 13 }, (_, i) => 2 * i));
  });
});
