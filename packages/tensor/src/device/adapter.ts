// Which adapter to compute on: a GPU if there is one, otherwise the CPU through @paris/cpu. Software Vulkan and the software
// adapters of browsers are slower than that, so they are used only on request.
import type { CreateGpuOptions, SanitizeOptions } from '@paris/cpu';
import { checkName } from '@paris/files';
import { askedFor, platformGpu, threadsAskedFor, withoutGpu } from '#gpu';
import { NoAdapterError } from '../errors.js';
import type { AdapterSource } from './gpu.js';
import { isSoftware } from './software.js';

/** What {@link findAdapter} may look at. */
export interface FindAdapterOptions {
  readonly powerPreference?: GPUPowerPreference | undefined;
  readonly require?: AdapterSource | undefined;
  readonly threads?: number | undefined;
  readonly sanitize?: SanitizeOptions | undefined;
}

/** An adapter. If it is not a GPU's and nobody asked for that, also the reason, as half a sentence. */
export interface FoundAdapter {
  readonly adapter: GPUAdapter;
  readonly insteadOfGpu?: string;
}

/**
 * The adapter to use.
 * @throws NoAdapterError if what is required is missing; ValueError for a requirement that there is not
 */
export async function findAdapter(options: FindAdapterOptions = {}): Promise<FoundAdapter> {
  const { powerPreference, threads = threadsAskedFor(), require = askedFor(), sanitize } = options;
  if (sanitize) return { adapter: await cpuAdapter({ sanitize }) };
  if (require) checkName('openDevice', 'require', require, ['gpu', 'cpu', 'webgpu']);
  if (require === 'cpu') return { adapter: await cpuAdapter(threads === undefined ? {} : { threads }) };
  const gpu = await platformGpu();
  let reason = 'reason' in gpu ? gpu.reason : 'WebGPU found no adapter';
  if (!('reason' in gpu)) {
    const adapter = await gpu.requestAdapter(powerPreference ? { powerPreference } : {});
    if (adapter && (require === 'webgpu' || !isSoftware(adapter.info))) return { adapter };
    if (adapter) reason = `the only adapter is ${adapter.info.description || 'one'} in software`;
  }
  if (require) throw new NoAdapterError('openDevice', `there is no adapter as required: ${reason}. ${withoutGpu}`);
  return { adapter: await cpuAdapter(threads === undefined ? {} : { threads }), insteadOfGpu: reason };
}

async function cpuAdapter(options: CreateGpuOptions): Promise<GPUAdapter> {
  const { createGpu } = await import('@paris/cpu');
  const adapter = await createGpu(options).requestAdapter();
  if (!adapter) throw new NoAdapterError('openDevice', 'internal: @paris/cpu gives no adapter.');
  return adapter;
}
