// The way to WebGPU under Node: `navigator.gpu` where it exists (Deno matches the `node` condition too), else Dawn from
// the optional peer `webgpu`. Chosen by the package import `#gpu`.
import { readdirSync } from 'node:fs';
import { type AdapterSource, builtInGpu, type PlatformGpu } from './gpu.js';

/** f16 on NVIDIA and subgroup matrices are off in Dawn by default; on other adapters the switches change nothing. */
export const dawnOptions: readonly string[] = [
  'enable-dawn-features=allow_unsafe_apis,vulkan_enable_f16_on_nvidia,use_vulkan_memory_model',
];

// Dawn crashes or hangs once the object that create() returned is collected while one of its devices lives, so it is
// kept for as long as the process: on globalThis, because bundles and tests may load this module twice.
const KEPT = Symbol.for('paris.tensor.gpu');
const kept = globalThis as { [KEPT]?: Promise<PlatformGpu> };

/** WebGPU of this process. Dawn is loaded only where there may be a GPU for it, or where its software is asked for. */
export async function platformGpu(): Promise<PlatformGpu> {
  const gpu = builtInGpu();
  if (gpu) return gpu;
  if (askedFor() !== 'webgpu' && !mayHaveGpu()) return { reason: 'this machine has no graphics device' };
  kept[KEPT] ??= loadDawn();
  return kept[KEPT];
}

/** What the variable PARIS_ADAPTER asks for, which `paris exec` sets: a driver by name, `gpu` or `cpu`. */
export function askedFor(): AdapterSource | undefined {
  const name = environment('PARIS_ADAPTER');
  if (!name || name === 'auto') return undefined;
  return name === 'gpu' || name === 'cpu' ? name : 'webgpu';
}

/** What the variable PARIS_THREADS asks for, where several processes share the processors. */
export function threadsAskedFor(): number | undefined {
  const threads = Number(environment('PARIS_THREADS') || 0);
  return Number.isInteger(threads) && threads > 0 ? threads : undefined;
}

/** What can be done where a GPU is required and there is none. */
export const withoutGpu: string = '`npx @paris/cli doctor` says what is missing.';

/** On Linux every GPU has a device file; elsewhere there is always one. */
export function mayHaveGpu(): boolean {
  if (process.platform !== 'linux') return true;
  const devices = (folder: string) => {
    try {
      return readdirSync(folder);
    } catch {
      return [];
    }
  };
  return devices('/dev/dri').length > 0 || devices('/dev').some((name) => /^(nvidia\d|dxg$|kfd$|mali\d)/.test(name));
}

async function loadDawn(): Promise<PlatformGpu> {
  try {
    const { create } = await import('webgpu');
    return create([...dawnOptions]);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message.split('\n')[0] : String(cause);
    return { reason: `Node has no WebGPU of its own and the package webgpu did not load (${reason})` };
  }
}

/** An environment variable. In Deno it is read only if that is allowed: otherwise Deno would ask the user on a terminal. */
function environment(name: string): string | undefined {
  const { Deno } = globalThis as { Deno?: { permissions: { querySync(of: object): { state: string } } } };
  if (Deno && Deno.permissions.querySync({ name: 'env', variable: name }).state !== 'granted') return undefined;
  return process.env[name];
}
