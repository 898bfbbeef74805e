// Attention for the tests of the kernels: problems, and all three kernels on one of them.
import {
  bufferElement,
  bufferName,
  type KernelRun,
  largestError,
  runKernel,
  testValues,
  Uniforms,
} from '../kernel.testing.js';
import { type AttentionChoice, generateAttention } from './kernels.js';
import { type HostAttention, referenceAttention } from './reference.testing.js';
import type { AttentionKernel, AttentionOperand, AttentionSpec } from './spec.js';

export type Choose = (kernel: AttentionKernel, headDim: number) => AttentionChoice;

export type Masked = 'none' | 'some' | 'all of one';
export type Sizes = Pick<HostAttention, 'batch' | 'heads' | 'queries' | 'keys' | 'headDim'>;

export function hostProblem(sizes: Sizes, masked: Masked): HostAttention {
  const { batch, heads, queries, keys, headDim } = sizes;
  const rows = (count: number, seed: number) => testValues(batch * count * heads * headDim, seed).map((x) => 2 * x);
  const mask = Float32Array.from({ length: batch * keys }, (_, i) => {
    if (masked === 'all of one' && i < keys) return 0;
    return i % 3 === 1 ? 0 : 1;
  });
  return {
    ...sizes,
    scale: 1 / Math.sqrt(headDim),
    ...{ q: rows(queries, 1), k: rows(keys, 2), v: rows(keys, 3), cotangent: rows(queries, 4) },
    mask: masked === 'none' ? undefined : mask,
  };
}

/** Runs all three kernels, each fed with the reference's values, so that a fault stays in its own kernel. */
export async function runAttention(device: GPUDevice, host: HostAttention, choose: Choose) {
  const expected = referenceAttention(host);
  const { heads, headDim, q, k, v, cotangent } = host;
  const extents = new Uniforms();
  const [batch, H, N, M] = [host.batch, heads, host.queries, host.keys].map((n) => extents.add(n));
  const operand = (name: string, rows: number): AttentionOperand => ({
    element: bufferElement(name),
    batchStride: extents.add(rows * heads * headDim),
    rowStride: extents.add(heads * headDim),
    headStride: extents.add(headDim),
    columnStride: extents.add(1),
    offset: extents.add(0),
  });
  const rowsOf: Record<string, number> = { k: host.keys, v: host.keys, dk: host.keys, dv: host.keys };
  const spec: AttentionSpec = {
    ...{ batch: batch!, heads: H!, queries: N!, keys: M!, scale: `${host.scale}f` },
    headDim,
    masked: host.mask !== undefined,
    operand: (name) => operand(name, rowsOf[name] ?? host.queries),
    number: (name, batch, ...rest) =>
      name === 'mask'
        ? `${bufferName(name)}[${batch} * ${M!.wgsl} + ${rest[0]}] != 0f`
        : `${bufferName(name)}[(${batch} * ${H!.wgsl} + ${rest[0]}) * ${N!.wgsl} + ${rest[1]}]`,
    store(name, { batch, head, row, column }, value) {
      const rows = rowsOf[name] === undefined ? N! : M!;
      const index = column
        ? `((${batch} * ${rows.wgsl} + ${row}) * ${H!.wgsl} + ${head}) * ${headDim}u + ${column}`
        : `(${batch} * ${H!.wgsl} + ${head}) * ${N!.wgsl} + ${row}`;
      return `${bufferName(name)}[${index}] = ${value};`;
    },
  };
  const rows = expected.delta.length;
  const inputs = { q, k, v, ...(host.mask ? { mask: host.mask } : {}) };
  const saved = { ...inputs, cotangent, log_sum: Float32Array.from(expected.log_sum) };
  const [out, delta] = [Float32Array.from(expected.out), Float32Array.from(expected.delta)];
  const runs: Record<AttentionKernel, KernelRun> = {
    forward: { inputs, outputs: { out: q.length, log_sum: rows } },
    backwardQuery: { inputs: { ...saved, out }, outputs: { dq: q.length, delta: rows } },
    backwardKey: { inputs: { ...saved, delta }, outputs: { dk: k.length, dv: k.length } },
  };
  const actual: Record<string, Float32Array> = {};
  for (const kernel of ['forward', 'backwardQuery', 'backwardKey'] as const) {
    const generated = generateAttention(kernel, spec, choose(kernel, headDim));
    Object.assign(actual, await runKernel(device, generated, runs[kernel], extents.values));
  }
  return Object.keys(expected).map((name) => {
    return { name, error: largestError(actual[name]!, expected[name as keyof typeof expected]) };
  });
}
