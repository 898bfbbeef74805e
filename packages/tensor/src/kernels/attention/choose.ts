import type { KernelAdapter } from '../contract.js';
import type { AttentionTile } from './spec.js';

export type AttentionKernel = 'forward' | 'backwardQuery' | 'backwardKey';

// On the CPU the lanes of a workgroup are one SIMD register, rows of the other side are read once for all of them, and
// registers beyond a few dozen cost compile time. On a GPU a workgroup shares what it reads through its own memory.
const presets = {
  software: { lanes: 8, residentDims: 32, outputDims: 32, stagedRows: 0 },
  gpu: { lanes: 64, residentDims: 128, outputDims: 72, stagedRows: 16 },
  gpuKeys: { lanes: 64, residentDims: 72, outputDims: 36, stagedRows: 16 },
} as const satisfies Record<string, AttentionTile>;

/** How attention is laid out on this adapter. Pure: the same arguments, the same choice, on any machine. */
export function chooseAttention(kernel: AttentionKernel, adapter: KernelAdapter): AttentionTile {
  if (adapter.software) return presets.software;
  return kernel === 'backwardKey' ? presets.gpuKeys : presets.gpu;
}
