import type { GeneratedKernel, KernelAdapter } from '../contract.js';
import { attentionClass } from '../tuning.js';
import { registerRowBackwardKey, registerRowBackwardQuery, registerRowForward } from './register-row.js';
import type { RegisterRow } from './register-row-text.js';
import { type RowTile, rowTileBackwardKey, rowTileBackwardQuery, rowTileForward } from './row-tile.js';
import type { AttentionForwardSpec, AttentionKeySpec, AttentionQuerySpec } from './spec.js';

/** A kernel with its parameters: plain data, so that a tuning table can hold it. */
export type AttentionChoice =
  | ({ readonly kernel: 'rowTile' } & RowTile)
  | ({ readonly kernel: 'registerRow' } & RegisterRow);

export type AttentionKernel = 'forward' | 'backwardQuery' | 'backwardKey';

const presets = {
  software: { kernel: 'rowTile', lanes: 8, rows: 4 },
  // Twice as fast there as the row tile, and its compiler takes long texts in its stride.
  swiftShader: { kernel: 'registerRow', lanes: 8, residentDims: 32, outputDims: 32, stagedRows: 0 },
  gpu: { kernel: 'registerRow', lanes: 64, residentDims: 128, outputDims: 72, stagedRows: 16 },
  // Two rows of its own and two sums: half of each fits the same registers.
  gpuKeys: { kernel: 'registerRow', lanes: 64, residentDims: 72, outputDims: 36, stagedRows: 16 },
} as const satisfies Record<string, AttentionChoice>;

/** Which kernel attends on this adapter. Pure: the same arguments, the same choice, on any machine. */
export function chooseAttention(kernel: AttentionKernel, headDim: number, adapter: KernelAdapter): AttentionChoice {
  const measured = adapter.tuning?.attention[attentionClass(kernel, headDim)];
  if (measured) return measured;
  if (!adapter.software) return kernel === 'backwardKey' ? presets.gpuKeys : presets.gpu;
  return adapter.architecture === 'swiftshader' ? presets.swiftShader : presets.software;
}

/** The kernels that are worth measuring; the choice of the fixed rules is the first. */
export function attentionCandidates(
  kernel: AttentionKernel,
  headDim: number,
  adapter: KernelAdapter,
): readonly AttentionChoice[] {
  const preset = chooseAttention(kernel, headDim, { ...adapter, tuning: undefined });
  const tiles = [2, 4, 8].map((rows): AttentionChoice => ({ kernel: 'rowTile', lanes: 8, rows }));
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
  const others = adapter.software ? [...tiles, ...rows] : rows;
  return [preset, ...others.filter((choice) => JSON.stringify(choice) !== JSON.stringify(preset))];
}

export function attentionForward(spec: AttentionForwardSpec, choice: AttentionChoice): GeneratedKernel {
  return choice.kernel === 'rowTile' ? rowTileForward(spec, choice) : registerRowForward(spec, choice);
}

export function attentionBackwardQuery(spec: AttentionQuerySpec, choice: AttentionChoice): GeneratedKernel {
  return choice.kernel === 'rowTile' ? rowTileBackwardQuery(spec, choice) : registerRowBackwardQuery(spec, choice);
}

export function attentionBackwardKey(spec: AttentionKeySpec, choice: AttentionChoice): GeneratedKernel {
  return choice.kernel === 'rowTile' ? rowTileBackwardKey(spec, choice) : registerRowBackwardKey(spec, choice);
}
