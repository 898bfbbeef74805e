import { type KernelAdapter, WEBASSEMBLY } from '../../graph/kernel.js';
import { attentionClass, tuningOf } from '../tuning.js';
import type { AttentionChoice } from './kernels.js';
import type { AttentionKernel } from './spec.js';

const presets = {
  // Without subgroups, as lavapipe is in Deno: what is unrolled into registers takes it three times as long to compile.
  software: { kernel: 'laneRow', lanes: 8, others: 4, residentDims: 0, outputDims: 0, stagedRows: 0 },
  // Twice as fast there as sums in memory, and its compiler takes long texts in its stride.
  swiftShader: { kernel: 'laneRow', lanes: 8, others: 1, residentDims: 32, outputDims: 32, stagedRows: 0 },
  // Two rows × four others are eight sums in the sixteen vectors of a thread.
  webAssembly: { kernel: 'laneRows', lanes: 4, rows: 2, others: 4 },
  gpu: { kernel: 'laneRow', lanes: 64, others: 1, residentDims: 128, outputDims: 72, stagedRows: 16 },
  // Two rows of its own and two sums: half of each fits the same registers.
  gpuKeys: { kernel: 'laneRow', lanes: 64, others: 1, residentDims: 72, outputDims: 36, stagedRows: 16 },
} as const satisfies Record<string, AttentionChoice>;

// More rows run faster (32 by another tenth) and take longer to compile, which is seconds for the wide ones.
const subgroups = [
  { widest: 32, tile: { kernel: 'subgroupTile', lanes: 8, rows: 16, others: 2 } },
  { widest: 80, tile: { kernel: 'subgroupTile', lanes: 8, rows: 24, others: 4 } },
  { widest: 160, tile: { kernel: 'subgroupTile', lanes: 8, rows: 16, others: 2 } },
] as const satisfies { widest: number; tile: AttentionChoice }[];

/** Which kernel attends on this adapter. Pure: the same arguments, the same choice, on any machine. */
export function chooseAttention(kernel: AttentionKernel, headDim: number, adapter: KernelAdapter): AttentionChoice {
  const measured = tuningOf(adapter)?.attention[attentionClass(kernel, headDim)];
  if (measured) return measured;
  if (!adapter.software) return kernel === 'backwardKey' ? presets.gpuKeys : presets.gpu;
  if (adapter.architecture === WEBASSEMBLY) return presets.webAssembly;
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
  const inRegisters = (lanes: number, outputDims: number, stagedRows: number): AttentionChoice => {
    return { kernel: 'laneRow', lanes, others: 1, residentDims: headDim, outputDims, stagedRows };
  };
  const widths = [headDim, Math.ceil(headDim / 2)];
  if (adapter.architecture === WEBASSEMBLY) return [preset, ...lanesRows];
  const others = adapter.software
    ? [...inMemory, ...sharedBy(adapter.subgroupSize), ...widths.map((width) => inRegisters(8, width, 0))]
    : [
        ...[32, 64, 128].flatMap((lanes) =>
          widths.flatMap((width) => [8, 16, 32].map((n) => inRegisters(lanes, width, n))),
        ),
        ...sharedBy(adapter.subgroupSize),
      ];
  return [preset, ...others.filter((choice) => JSON.stringify(choice) !== JSON.stringify(preset))];
}

const lanesRows = [1, 3].map((rows): AttentionChoice => ({ ...presets.webAssembly, rows }));
const inMemory = [2, 4, 8].map((others): AttentionChoice => ({ ...presets.software, others }));

/** The tiles of subgroups of so many lanes, if there are any. */
function sharedBy(lanes: number | undefined): AttentionChoice[] {
  if (!lanes) return [];
  return [8, 16, 24, 32].flatMap((rows) =>
    [2, 4].map((others): AttentionChoice => ({ kernel: 'subgroupTile', lanes, rows, others })),
  );
}
