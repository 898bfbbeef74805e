import { requestGpu, withoutAdapter } from '#gpu';
import { NoAdapterError, ValueError } from '../errors.js';
import type { TuningTable } from '../kernels/tuning.js';
import { Device, type DeviceInfo } from './device.js';
import { isSoftware } from './software.js';

/** Which device to open, and how. */
export interface OpenDeviceOptions {
  /** A device of yours; it is not destroyed by close(). */
  readonly device?: GPUDevice;
  readonly powerPreference?: GPUPowerPreference;
  /** Kernels that were measured on this adapter; see {@link tune}. A table of another adapter is an error. */
  readonly tuning?: TuningTable | undefined;
}

/** Features that kernels use where they are there. */
const wanted = ['shader-f16', 'subgroups', 'timestamp-query', 'chromium-experimental-subgroup-matrix'];

/**
 * Opens a GPU device: the caller's, else the platform's WebGPU, else (under Node) the package `webgpu`. Asks for the
 * adapter's full limits.
 * @throws NoAdapterError if there is none; ValueError for another adapter's tuning table
 */
export async function openDevice(options: OpenDeviceOptions = {}): Promise<Device> {
  const { device: given, tuning } = options;
  if (given) return opened(given, given.adapterInfo, false, tuning);
  const gpu = await requestGpu();
  const adapter = await gpu.requestAdapter(options.powerPreference ? { powerPreference: options.powerPreference } : {});
  if (!adapter) throw new NoAdapterError('openDevice', `WebGPU found no adapter. ${withoutAdapter}`);
  const { limits } = adapter;
  const device = await adapter.requestDevice({
    requiredFeatures: wanted.filter((name) => adapter.features.has(name)) as GPUFeatureName[],
    requiredLimits: {
      maxBufferSize: limits.maxBufferSize,
      maxStorageBufferBindingSize: limits.maxStorageBufferBindingSize,
      maxStorageBuffersPerShaderStage: limits.maxStorageBuffersPerShaderStage,
      maxComputeWorkgroupStorageSize: limits.maxComputeWorkgroupStorageSize,
      maxComputeInvocationsPerWorkgroup: limits.maxComputeInvocationsPerWorkgroup,
      maxComputeWorkgroupSizeX: limits.maxComputeWorkgroupSizeX,
    },
  });
  return opened(device, adapter.info, true, tuning);
}

function opened(gpu: GPUDevice, info: GPUAdapterInfo, ownsGpu: boolean, tuning?: TuningTable): Device {
  const described = describe(info, gpu);
  if (tuning && tuning.fingerprint !== described.fingerprint) {
    if (ownsGpu) gpu.destroy();
    throw new ValueError(
      'openDevice',
      `the tuning table was measured on another adapter than ${described.adapter}. Measure this one with \`paris tune\`, or leave the table out.`,
    );
  }
  return new Device(gpu, described, ownsGpu, tuning);
}

function describe(info: GPUAdapterInfo, device: GPUDevice): DeviceInfo {
  const adapter = info.description || info.device || `${info.vendor} ${info.architecture}`.trim() || 'unknown adapter';
  const features = [...device.features].sort();
  const { limits } = device;
  const { subgroupMinSize: smallest, subgroupMaxSize: largest } = info;
  const subgroupSize = device.features.has('subgroups') && smallest === largest ? smallest : undefined;
  const engine = (globalThis.navigator as Navigator | undefined)?.userAgent ?? 'dawn';
  const fingerprint = [
    engine,
    info.vendor,
    info.architecture,
    adapter,
    features.join(' '),
    subgroupSize,
    limits.maxStorageBufferBindingSize,
    limits.maxStorageBuffersPerShaderStage,
    limits.maxComputeWorkgroupStorageSize,
  ].join('|');
  return {
    adapter,
    vendor: info.vendor,
    architecture: info.architecture,
    software: isSoftware(info),
    features,
    subgroupSize,
    fingerprint,
  };
}
