import type { GeneratedKernel, KernelAdapter } from '../contract.js';
import { plainMatmul } from './plain.js';
import { type RegisterTile, registerTileMatmul } from './register-tile.js';
import type { MatmulSpec } from './spec.js';
import { type WorkgroupTile, workgroupTileMatmul } from './workgroup-tile.js';

/** A kernel with its parameters: plain data, so that a tuning table can hold it. */
export type MatmulChoice =
  | { readonly kernel: 'plain' }
  | ({ readonly kernel: 'registerTile' } & RegisterTile)
  | ({ readonly kernel: 'workgroupTile' } & WorkgroupTile);

/** What a choice may look at. */
export interface MatmulShape {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  /** How many matrices. */
  readonly batch: number;
}

const presets = {
  /** A handful of rows or columns: a tile would mostly compute its clamped edge. */
  plain: { kernel: 'plain' },
  software: { kernel: 'registerTile', rows: 8, columns: 8 },
  gpu: { kernel: 'workgroupTile', blockRows: 64, blockColumns: 64, depth: 16, rows: 4, columns: 4 },
} as const satisfies Record<string, MatmulChoice>;

/** Which kernel multiplies this shape on this adapter. Pure: the same arguments, the same choice, on any machine. */
export function chooseMatmul(shape: MatmulShape, adapter: KernelAdapter): MatmulChoice {
  if (shape.n < 3 || shape.m < 3) return presets.plain;
  return adapter.software ? presets.software : presets.gpu;
}

/** The text of a choice for one product. */
export function generateMatmul(spec: MatmulSpec, choice: MatmulChoice): GeneratedKernel {
  switch (choice.kernel) {
    case 'plain':
      return plainMatmul(spec);
    case 'registerTile':
      return registerTileMatmul(spec, choice);
    case 'workgroupTile':
      return workgroupTileMatmul(spec, choice);
  }
}
