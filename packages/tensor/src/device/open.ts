import { requestGpu } from '#gpu';
import { NoAdapterError } from '../errors.js';
import { Device, type DeviceInfo } from './device.js';

export interface OpenDeviceOptions {
  /** A device of yours; it is not destroyed by close(). */
  readonly device?: GPUDevice;
  readonly powerPreference?: GPUPowerPreference;
}

/** Features that kernels use where they are there. */
const wanted = ['shader-f16', 'subgroups', 'timestamp-query', 'chromium-experimental-subgroup-matrix'];

/**
 * Opens a GPU device: the caller's, else the platform's WebGPU, else (under Node) the package `webgpu`. Asks for the
 * adapter's full limits.
 * @throws NoAdapterError if there is none
 */
export async function openDevice(options: OpenDeviceOptions = {}): Promise<Device> {
  if (options.device) return new Device(options.device, describe(options.device.adapterInfo, options.device), false);
  const gpu = await requestGpu();
  const adapter = await gpu.requestAdapter(options.powerPreference ? { powerPreference: options.powerPreference } : {});
  if (!adapter) {
    throw new NoAdapterError(
      'openDevice',
      'WebGPU found no adapter. Under Node, run through `paris exec -- node …`, or see `paris doctor` for what is missing.',
    );
  }
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
  return new Device(device, describe(adapter.info, device), true);
}

function describe(info: GPUAdapterInfo, device: GPUDevice): DeviceInfo {
  const adapter = info.description || info.device || `${info.vendor} ${info.architecture}`.trim() || 'unknown adapter';
  const software =
    /llvmpipe|lavapipe|swiftshader|software|warp|basic render/i.test(
      `${adapter} ${info.vendor} ${info.architecture}`,
    ) || info.isFallbackAdapter === true;
  const features = [...device.features].sort();
  const { limits } = device;
  const engine = (globalThis.navigator as Navigator | undefined)?.userAgent ?? 'dawn';
  const fingerprint = [
    engine,
    info.vendor,
    info.architecture,
    adapter,
    features.join(' '),
    limits.maxStorageBufferBindingSize,
    limits.maxStorageBuffersPerShaderStage,
    limits.maxComputeWorkgroupStorageSize,
  ].join('|');
  return { adapter, vendor: info.vendor, architecture: info.architecture, software, features, fingerprint };
}
