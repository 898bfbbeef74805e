// Attention's ops as their kernels see them: inputs and outputs by name.

import { floatLiteral } from '../../graph/dtype.js';
import { fixed, type GeneratedKernel } from '../../graph/kernel.js';
import type { TiledContext } from '../../graph/tiled.js';
import {
  type AttentionKernel,
  type AttentionSpec,
  chooseAttention,
  generateAttention,
} from '../../kernels/attention/index.js';

/** In the order of each op's inputs, behind which a mask may come, and of its outputs. */
const names = {
  forward: { reads: ['q', 'k', 'v'], stores: ['out', 'log_sum'] },
  backwardQuery: { reads: ['q', 'k', 'v', 'out', 'cotangent', 'log_sum'], stores: ['dq', 'delta'] },
  backwardKey: { reads: ['q', 'k', 'v', 'cotangent', 'log_sum', 'delta'], stores: ['dk', 'dv'] },
};

/** The kernel of an op, for the adapter at hand. The size of the batch is a uniform. */
export function attentionKernel(kernel: AttentionKernel, context: TiledContext): GeneratedKernel {
  const { inputs, outputs, attributes, uniform } = context;
  const { reads, stores } = names[kernel];
  const [b, n, h, headDim] = inputs[0]!.shape as [number, number, number, number];
  const input = (name: string) => context.operand(name === 'mask' ? reads.length : reads.indexOf(name));
  const spec: AttentionSpec = {
    batch: uniform(b),
    heads: fixed(h),
    queries: fixed(n),
    keys: fixed(inputs[1]!.shape[1]!),
    headDim,
    scale: floatLiteral(attributes.scale as number),
    masked: inputs.length > reads.length,
    operand(name) {
      const { access, window } = input(name);
      const [batchStride, rowStride, headStride, columnStride] = window.strides.map(fixed);
      return {
        access,
        batchStride: batchStride!,
        rowStride: rowStride!,
        headStride: headStride!,
        columnStride: columnStride!,
        offset: fixed(window.offset),
      };
    },
    number(name, ...at) {
      const { access, window } = input(name);
      const terms = at.map((index, axis) => `${index} * ${fixed(window.strides[axis]!).wgsl}`);
      return access.element([fixed(window.offset).wgsl, ...terms].join(' + '));
    },
    store(name, { batch, head, row, column }, value) {
      const output = stores.indexOf(name);
      const [, second, third] = outputs[output]!.shape;
      if (!column) return context.store(output, `(${batch} * ${second}u + ${head}) * ${third}u + ${row}`, value);
      const place = { row: `((${batch} * ${second}u + ${row}) * ${third}u + ${head})`, column, width: headDim };
      return context.store(output, `${place.row} * ${headDim}u + ${column}`, value, place);
    },
  };
  return generateAttention(kernel, spec, chooseAttention(kernel, headDim, context.adapter));
}
