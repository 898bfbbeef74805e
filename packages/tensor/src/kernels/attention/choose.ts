import type { GeneratedKernel, KernelAdapter } from '../contract.js';
import { attentionClass } from '../tuning.js';
import { registerRowBackwardKey, registerRowBackwardQuery, registerRowForward } from './register-row.js';
import type { RegisterRow } from './register-row-text.js';
import { type RowTile, rowTileBackwardKey, rowTileBackwardQuery, rowTileForward } from './row-tile.js';
import type { AttentionForwardSpec, AttentionKeySpec, AttentionQuerySpec } from './spec.js';
import {
  type SubgroupTile,
  subgroupTileBackwardKey,
  subgroupTileBackwardQuery,
  subgroupTileForward,
} from './subgroup-tile.js';

/** A kernel with its parameters: plain data, so that a tuning table can hold it. */
export type AttentionChoice =
  | ({ readonly kernel: 'rowTile' } & RowTile)
  | ({ readonly kernel: 'subgroupTile' } & SubgroupTile)
  | ({ readonly kernel: 'registerRow' } & RegisterRow);

export type AttentionKernel = 'forward' | 'backwardQuery' | 'backwardKey';

const presets = {
  // Without subgroups, as lavapipe is in Deno: what is unrolled into registers takes it three times as long to compile.
  software: { kernel: 'rowTile', lanes: 8, rows: 4 },
  // Twice as fast there as the row tile, and its compiler takes long texts in its stride.
  swiftShader: { kernel: 'registerRow', lanes: 8, residentDims: 32, outputDims: 32, stagedRows: 0 },
  gpu: { kernel: 'registerRow', lanes: 64, residentDims: 128, outputDims: 72, stagedRows: 16 },
  // Two rows of its own and two sums: half of each fits the same registers.
  gpuKeys: { kernel: 'registerRow', lanes: 64, residentDims: 72, outputDims: 36, stagedRows: 16 },
} as const satisfies Record<string, AttentionChoice>;

// More rows run faster (32 by another tenth) and take longer to compile, which is seconds for the wide ones.
const subgroups = [
  { widest: 32, tile: { kernel: 'subgroupTile', lanes: 8, rows: 16, others: 2 } },
  { widest: 80, tile: { kernel: 'subgroupTile', lanes: 8, rows: 24, others: 4 } },
  { widest: 160, tile: { kernel: 'subgroupTile', lanes: 8, rows: 16, others: 2 } },
] as const satisfies { widest: number; tile: AttentionChoice }[];

/** Which kernel attends on this adapter. Pure: the same arguments, the same choice, on any machine. */
export function chooseAttention(kernel: AttentionKernel, headDim: number, adapter: KernelAdapter): AttentionChoice {
  const measured = adapter.tuning?.attention[attentionClass(kernel, headDim)];
  if (measured) return measured;
  if (!adapter.software) return kernel === 'backwardKey' ? presets.gpuKeys : presets.gpu;
  if (adapter.architecture === 'swiftshader') return presets.swiftShader;
  const fits = subgroups.find(({ widest, tile }) => headDim <= widest && adapter.subgroupSize === tile.lanes);
  return fits?.tile ?? presets.software;
}

/** The kernels that are worth measuring; the choice of the fixed rules is the first. */
export function attentionCandidates(
  kernel: AttentionKernel,
  headDim: number,
  adapter: KernelAdapter,
): readonly AttentionChoice[] {
  const preset = chooseAttention(kernel, headDim, { ...adapter, tuning: undefined });
  const { subgroupSize: lanes } = adapter;
  const tiles = [2, 4, 8].map((rows): AttentionChoice => ({ kernel: 'rowTile', lanes: 8, rows }));
  const shared = lanes
    ? [8, 16, 24, 32].flatMap((rows) =>
        [2, 4].map((others): AttentionChoice => ({ kernel: 'subgroupTile', lanes, rows, others })),
      )
    : [];
  const rows = (adapter.software ? [8] : [32, 64, 128]).flatMap((lanes) =>
    [headDim, Math.ceil(headDim / 2)].flatMap((dims) =>
      (adapter.software ? [0] : [8, 16, 32]).map(
        (stagedRows): AttentionChoice => ({
          kernel: 'registerRow',
          lanes,
          residentDims: headDim,
          outputDims: dims,
          stagedRows,
        }),
      ),
    ),
  );
  const others = adapter.software ? [...tiles, ...shared, ...rows] : rows;
  return [preset, ...others.filter((choice) => JSON.stringify(choice) !== JSON.stringify(preset))];
}

const kernels = {
  rowTile: { forward: rowTileForward, backwardQuery: rowTileBackwardQuery, backwardKey: rowTileBackwardKey },
  registerRow: {
    forward: registerRowForward,
    backwardQuery: registerRowBackwardQuery,
    backwardKey: registerRowBackwardKey,
  },
  subgroupTile: {
    forward: subgroupTileForward,
    backwardQuery: subgroupTileBackwardQuery,
    backwardKey: subgroupTileBackwardKey,
  },
};

export function attentionForward(spec: AttentionForwardSpec, choice: AttentionChoice): GeneratedKernel {
  return kernels[choice.kernel].forward(spec, choice as never);
}

export function attentionBackwardQuery(spec: AttentionQuerySpec, choice: AttentionChoice): GeneratedKernel {
  return kernels[choice.kernel].backwardQuery(spec, choice as never);
}

export function attentionBackwardKey(spec: AttentionKeySpec, choice: AttentionChoice): GeneratedKernel {
  return kernels[choice.kernel].backwardKey(spec, choice as never);
}
