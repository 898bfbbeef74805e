import type { Finding, SanitizeOptions } from '@paris/cpu';
import { printable } from '@paris/files';
import { KernelError, ValueError } from '../errors.js';
import type { TuningTable } from '../kernels/tuning.js';
import { findAdapter } from './adapter.js';
import { Device } from './device.js';
import type { AdapterSource } from './gpu.js';
import type { DeviceInfo } from './info.js';
import { isSoftware } from './software.js';

/** Which device to open, and how. */
export interface OpenDeviceOptions {
  /** A device of yours; it is not destroyed by close(). */
  readonly device?: GPUDevice;
  readonly powerPreference?: GPUPowerPreference;
  /**
   * What must be there, else NoAdapterError: `gpu`, a real GPU; `cpu`, `@paris/cpu`, which gives the same bits on every
   * machine; `webgpu`, whatever the platform's WebGPU gives, a software adapter included. By default a GPU is used if
   * there is one, otherwise the CPU, with a line on the console that says so.
   */
  readonly require?: AdapterSource | undefined;
  /**
   * Threads that compute where the CPU does. Default: what the variable PARIS_THREADS says, else as many as the process
   * may use.
   */
  readonly threads?: number | undefined;
  /**
   * Runs every kernel under the sanitizer of `@paris/cpu`, slowly, with the kernels that a GPU is given: data races, indices
   * out of bounds, and what else a GPU does not report. What is found goes to `onFinding`; without one, the call that ran the
   * kernel rejects with a KernelError, and so does everything after it.
   */
  readonly sanitize?: boolean | SanitizeOptions | undefined;
  /** Kernels that were measured on this adapter; see {@link tune}. A table of another adapter is an error. */
  readonly tuning?: TuningTable | undefined;
}

/** Features that kernels use where they are there. */
const features = ['shader-f16', 'subgroups', 'timestamp-query', 'chromium-experimental-subgroup-matrix'];

/**
 * Opens a device: the caller's, else a GPU through the platform's WebGPU or (under Node) the package `webgpu`, else the CPU
 * through `@paris/cpu`. Asks for the adapter's full limits.
 * @throws NoAdapterError if what is required is not there; ValueError for a requirement that there is not, or another adapter's
 *   tuning table
 */
export async function openDevice(options: OpenDeviceOptions = {}): Promise<Device> {
  const { device: given, tuning, sanitize, ...wanted } = options;
  if (given) return opened(given, given.adapterInfo, false, tuning);
  if (sanitize) return sanitized(sanitize === true ? {} : sanitize, tuning);
  const { adapter, insteadOfGpu } = await findAdapter(wanted);
  if (insteadOfGpu) sayOnce(insteadOfGpu, adapter.info);
  return opened(await deviceOf(adapter), adapter.info, true, tuning, insteadOfGpu);
}

/** A device under watch, which kernels are chosen for as for a GPU. */
async function sanitized(options: SanitizeOptions, tuning: TuningTable | undefined): Promise<Device> {
  const onFinding = ({ message }: Finding) => device.fail(new KernelError('sanitize', message));
  const { adapter } = await findAdapter({ sanitize: { onFinding, ...options } });
  const info = { ...adapter.info, architecture: '', isFallbackAdapter: false };
  const device: Device = opened(await deviceOf(adapter), info, true, tuning);
  return device;
}

/** A device with all that kernels use and the adapter's full limits. */
function deviceOf(adapter: GPUAdapter): Promise<GPUDevice> {
  const { limits } = adapter;
  return adapter.requestDevice({
    requiredFeatures: features.filter((name) => adapter.features.has(name)) as GPUFeatureName[],
    requiredLimits: {
      maxBufferSize: limits.maxBufferSize,
      maxStorageBufferBindingSize: limits.maxStorageBufferBindingSize,
      maxStorageBuffersPerShaderStage: limits.maxStorageBuffersPerShaderStage,
      maxComputeWorkgroupStorageSize: limits.maxComputeWorkgroupStorageSize,
      maxComputeInvocationsPerWorkgroup: limits.maxComputeInvocationsPerWorkgroup,
      maxComputeWorkgroupSizeX: limits.maxComputeWorkgroupSizeX,
    },
  });
}

let said = false;

/** Prints a line, so that nobody computes on the CPU without knowing it. */
function sayOnce(reason: string, { description }: GPUAdapterInfo): void {
  if (said) return;
  said = true;
  console.warn(printable(`paris: no GPU (${reason}). Computing on the CPU: ${description}.`));
}

function opened(
  gpu: GPUDevice,
  info: GPUAdapterInfo,
  ownsGpu: boolean,
  tuning?: TuningTable,
  insteadOfGpu?: string,
): Device {
  const described = { ...describe(info, gpu), insteadOfGpu };
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
  // What @paris/cpu computes depends neither on the engine nor on the number of threads, which its description says.
  const ours = info.vendor === 'paris';
  const engine = ours ? '' : ((globalThis.navigator as Navigator | undefined)?.userAgent ?? 'dawn');
  const fingerprint = [
    engine,
    info.vendor,
    info.architecture,
    ours ? '' : adapter,
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
