// Shader functions as JavaScript: TypeGPU's 'use gpu' functions run on the CPU as they are. Ours do where they are not built.
import type { Node } from '../../graph/node.js';
import type { PointwiseOp } from '../../graph/op.js';
import type { ShaderFunction } from '../../graph/shader-function.js';

class NoScalarBody extends Error {}

/**
 * One element of a pointwise op from its inputs' elements, through the op's own shader functions run on the CPU.
 * Undefined if the op is no plain function of its inputs' elements (a view, a gather, text of WGSL).
 */
export function runScalarBody(node: Node, elements: readonly number[]): number | undefined {
  const op = node.op as PointwiseOp;
  const values = new Map<string, unknown>();
  const remember = (value: unknown): string => {
    const token = `value${values.size}`;
    values.set(token, value);
    return token;
  };
  const position = new Proxy({} as never, {
    get() {
      throw new NoScalarBody();
    },
  });
  try {
    const result = op.emit({
      attributes: node.attributes,
      inputs: node.inputs,
      output: node.outputs[0]!,
      position,
      read(input, at) {
        if (at) throw new NoScalarBody();
        return remember(node.inputs[input]!.dtype === 'bool' ? elements[input] !== 0 : elements[input]);
      },
      call: (fn, ...args) => {
        if (!args.every((arg) => values.has(arg))) throw new NoScalarBody();
        return remember(runOnCpu(fn, ...args.map((arg) => values.get(arg))));
      },
      name: (expression) => expression,
    });
    return values.has(result) ? Number(values.get(result)) : undefined;
  } catch (error) {
    if (error instanceof NoScalarBody) return undefined;
    throw error;
  }
}

/** A function that is text has no run on the CPU; TypeGPU says so where it was given the text. */
function runOnCpu(fn: ShaderFunction, ...args: unknown[]): unknown {
  if (typeof fn !== 'function') throw new NoScalarBody();
  try {
    return (fn as (...args: unknown[]) => unknown)(...args);
  } catch (error) {
    if (error instanceof Error && error.message.includes('constructed with raw WGSL')) throw new NoScalarBody();
    throw error;
  }
}
