// The way to WebGPU under Node: `navigator.gpu` where it exists (Deno matches the `node` condition too), else Dawn from
// the optional peer `webgpu`. Chosen by the package import `#gpu`.
import { NoAdapterError } from '../errors.js';
import { builtInGpu } from './gpu.js';

/** f16 on NVIDIA and subgroup matrices are off in Dawn by default; on other adapters the switches change nothing. */
export const dawnOptions: readonly string[] = [
  'enable-dawn-features=allow_unsafe_apis,vulkan_enable_f16_on_nvidia,use_vulkan_memory_model',
];

// Dawn crashes or hangs once the object that create() returned is collected while one of its devices lives, so it is
// kept for as long as the process: on globalThis, because bundles and tests may load this module twice.
const KEPT = Symbol.for('paris.tensor.gpu');
const kept = globalThis as { [KEPT]?: Promise<GPU> };

/** WebGPU of this process. Throws a NoAdapterError if the package `webgpu` is missing or does not load. */
export async function requestGpu(): Promise<GPU> {
  const gpu = builtInGpu();
  if (gpu) return gpu;
  kept[KEPT] ??= loadDawn();
  return kept[KEPT];
}

/** What can be done where WebGPU finds no adapter. */
export const withoutAdapter: string =
  'Under Node, run through `paris exec -- node …`, or see `paris doctor` for what is missing.';

async function loadDawn(): Promise<GPU> {
  let dawn: typeof import('webgpu');
  try {
    dawn = await import('webgpu');
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message.split('\n')[0] : String(cause);
    throw new NoAdapterError(
      'openDevice',
      `Node has no WebGPU of its own and the package webgpu did not load (${reason}). Run: npm install webgpu`,
      { cause },
    );
  }
  return dawn.create([...dawnOptions]);
}
