// Devices of @paris/cpu's sanitizer that say of themselves what a test wants, so that kernels for other adapters run on it.
import { type CreateGpuOptions, createGpu, type Finding } from '@paris/cpu';
import type { Device } from '../device/device.js';
import { openDevice } from '../device/open.js';

/** Whose kernels are chosen. */
export const disguises = {
  /** Workgroup tiles, attention with staged rows. */
  gpu: { vendor: 'nvidia', architecture: 'lovelace', device: '', description: 'a GPU', isFallbackAdapter: false },
  /** Register tiles, or subgroup tiles where subgroups have eight invocations. */
  lavapipe: { vendor: 'mesa', architecture: '', device: '', description: 'llvmpipe', isFallbackAdapter: true },
  swiftshader: { vendor: 'google', architecture: 'swiftshader', device: '', description: '', isFallbackAdapter: true },
  /** Packed tiles. */
  cpu: { vendor: 'paris', architecture: 'wasm', device: 'cpu', description: '', isFallbackAdapter: true },
} as const satisfies Record<string, Omit<GPUAdapterInfo, '__brand' | 'subgroupMinSize' | 'subgroupMaxSize'>>;

export interface Sanitized {
  readonly gpu: GPUDevice;
  readonly findings: Finding[];
}

/** A device of @paris/cpu with the limits of its adapter, in disguise. */
export async function disguisedGpu(
  disguise: keyof typeof disguises,
  subgroupSize: number,
  options: CreateGpuOptions = {},
): Promise<GPUDevice> {
  const adapter = await createGpu(options).requestAdapter();
  const { maxStorageBuffersPerShaderStage } = adapter!.limits;
  const device = await adapter!.requestDevice({
    requiredFeatures: ['shader-f16', 'subgroups'],
    requiredLimits: { maxStorageBuffersPerShaderStage },
  });
  const info = { ...disguises[disguise], subgroupMinSize: subgroupSize, subgroupMaxSize: subgroupSize };
  Object.defineProperty(device, 'adapterInfo', { value: info });
  return device;
}

/** The same under watch. */
export async function sanitizedGpu(disguise: keyof typeof disguises, subgroupSize: number): Promise<Sanitized> {
  const findings: Finding[] = [];
  const sanitize = { subgroupSize, onFinding: (finding: Finding) => void findings.push(finding) };
  return { gpu: await disguisedGpu(disguise, subgroupSize, { sanitize }), findings };
}

/** The same as a device of tensors. */
export async function sanitizedDevice(
  disguise: keyof typeof disguises,
  subgroupSize: number,
): Promise<Sanitized & { readonly device: Device }> {
  const sanitized = await sanitizedGpu(disguise, subgroupSize);
  return { ...sanitized, device: await openDevice({ device: sanitized.gpu }) };
}
