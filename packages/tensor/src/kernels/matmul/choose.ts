import { type GeneratedKernel, type KernelAdapter, WEBASSEMBLY } from '../../graph/kernel.js';
import { matmulClass, tuningOf } from '../tuning.js';
import { LANES, type LaneTile, laneTileMatmul, type RegisterTile } from './lane-tile.js';
import { type PackedTile, packedTileMatmul } from './packed-tile.js';
import { plainMatmul } from './plain.js';
import type { MatmulSpec } from './spec.js';
import { type WorkgroupTile, workgroupTileMatmul } from './workgroup-tile.js';

/** A kernel with its parameters: plain data, so that a tuning table can hold it. */
export type MatmulChoice =
  | { readonly kernel: 'plain' }
  | ({ readonly kernel: 'registerTile' } & RegisterTile)
  | ({ readonly kernel: 'subgroupTile' } & LaneTile)
  | ({ readonly kernel: 'packedTile' } & PackedTile)
  | ({ readonly kernel: 'workgroupTile' } & WorkgroupTile)
  | ({ readonly kernel: 'vectorTile' } & WorkgroupTile);

/** What a choice may look at. */
export interface MatmulShape {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  /** How many matrices. */
  readonly batch: number;
}

// Register tiles smaller than 8 × 8 were slower on both software adapters (4 × 4 by half), larger ones took longer to
// compile than they gained, and the usual workgroup tiles were five times slower there.
const software = { kernel: 'registerTile', rows: 8, columns: 8 } as const satisfies MatmulChoice;
// Twice as fast as that; a taller one gains a little, but a row of it is in vain where the batch is small.
const subgroups = { kernel: 'subgroupTile', rows: 32, columns: 4, lanes: 8 } as const satisfies MatmulChoice;

// Its invocations are the four lanes of a WebAssembly vector, of which a thread has sixteen: eight sums, two vectors of `b`
// and one of `a`, with the rest for addresses.
const packed = { kernel: 'packedTile', rows: 4, columns: 2, lanes: 4, blockRows: 128, depth: 256 } as const;

// From large to small: a tile is good if there are enough of them to fill the chip.
const gpu = [
  { kernel: 'workgroupTile', blockRows: 128, blockColumns: 128, depth: 16, rows: 8, columns: 8 },
  { kernel: 'workgroupTile', blockRows: 64, blockColumns: 64, depth: 16, rows: 4, columns: 4 },
  { kernel: 'workgroupTile', blockRows: 32, blockColumns: 32, depth: 16, rows: 2, columns: 2 },
] as const satisfies MatmulChoice[];
const ENOUGH_WORKGROUPS = 128;

/** Which kernel multiplies this shape on this adapter. Pure: the same arguments, the same choice, on any machine. */
export function chooseMatmul(shape: MatmulShape, adapter: KernelAdapter): MatmulChoice {
  const measured = tuningOf(adapter)?.matmul[matmulClass(shape)];
  if (measured) return measured;
  if (adapter.architecture === WEBASSEMBLY) return packed;
  if (adapter.software) {
    // No wider than the output. The number of rows must not matter: it is the batch, and batches share one text.
    const tile = adapter.subgroupSize === subgroups.lanes ? subgroups : software;
    return { ...tile, columns: Math.min(tile.columns, Math.ceil(shape.n / LANES)) };
  }
  if (shape.m < 4 || shape.n < 4) return { kernel: 'plain' };
  const fills = gpu.find(({ blockRows, blockColumns }) => {
    return shape.batch * Math.ceil(shape.m / blockRows) * Math.ceil(shape.n / blockColumns) >= ENOUGH_WORKGROUPS;
  });
  return fills ?? gpu[2];
}

/** The kernels that are worth measuring for a shape on an adapter; the choice of the fixed rules is the first. */
export function matmulCandidates(shape: MatmulShape, adapter: KernelAdapter, limits: WorkgroupLimits): MatmulChoice[] {
  const preset = chooseMatmul(shape, { ...adapter, tuning: undefined });
  const tile = preset.kernel === 'subgroupTile' ? preset : software;
  const heights = tile.kernel === 'subgroupTile' ? [4, 8, 16, 24, 32] : [4, 8, 12, 16];
  const registers = heights.flatMap((rows) =>
    [2, 4, 8]
      .filter((columns) => LANES * columns < 2 * shape.n)
      .map((columns): MatmulChoice => ({ ...tile, rows, columns })),
  );
  const blocks = [32, 64, 128].flatMap((blockRows) =>
    [32, 64, 128].map((blockColumns) => ({ blockRows, blockColumns })),
  );
  const workgroups = blocks
    .filter(({ blockRows, blockColumns }) => blockRows < 2 * shape.m && blockColumns < 2 * shape.n)
    .flatMap((block) =>
      [8, 16, 32].flatMap((depth) => [2, 4, 8].map((side) => ({ ...block, depth, rows: side, columns: side }))),
    )
    .filter(({ blockRows, blockColumns, depth, rows, columns }) => {
      const invocations = (blockRows / rows) * (blockColumns / columns);
      const bytes = 4 * depth * (blockRows + blockColumns);
      return (
        invocations >= 32 &&
        invocations <= limits.maxComputeInvocationsPerWorkgroup &&
        bytes <= limits.maxComputeWorkgroupStorageSize
      );
    })
    .flatMap((tile): MatmulChoice[] => {
      const plain = { kernel: 'workgroupTile', ...tile } as const;
      return tile.rows % 4 === 0 ? [{ kernel: 'vectorTile', ...tile }, plain] : [plain];
    });
  const lanes = adapter.subgroupSize;
  const shared = lanes ? [8, 16, 32].map((rows): MatmulChoice => ({ ...subgroups, rows, lanes })) : [];
  // On a CPU workgroup memory is no faster than any other: workgroup tiles were five times slower wherever tried.
  const others = adapter.software ? registers : [...workgroups, ...shared];
  return [preset, ...others.filter((choice) => JSON.stringify(choice) !== JSON.stringify(preset))];
}

export type WorkgroupLimits = Pick<
  GPUSupportedLimits,
  'maxComputeInvocationsPerWorkgroup' | 'maxComputeWorkgroupStorageSize'
>;

/** The text of a choice for one product. */
export function generateMatmul(spec: MatmulSpec, choice: MatmulChoice): GeneratedKernel {
  switch (choice.kernel) {
    case 'plain':
      return plainMatmul(spec);
    case 'registerTile':
      return laneTileMatmul(spec, { ...choice, lanes: LANES }, false);
    case 'subgroupTile':
      return laneTileMatmul(spec, choice, true);
    case 'packedTile':
      return packedTileMatmul(spec, choice);
    case 'workgroupTile':
      return workgroupTileMatmul(spec, choice, false);
    case 'vectorTile':
      return workgroupTileMatmul(spec, choice, true);
  }
}
