// WebGPU's interfaces by name, for programs that ask what an object is: `resource instanceof GPUBuffer`.
import { GpuBindGroup } from './bind-group.js';
import { GpuBuffer } from './buffer.js';
import { GpuDevice } from './device.js';
import { GpuCommandBuffer, GpuCommandEncoder } from './encoder.js';
import { errorClasses, GpuError, PipelineError, UncapturedErrorEvent } from './errors.js';
import { Gpu, GpuAdapter } from './gpu.js';
import { GpuBindGroupLayout, GpuPipelineLayout } from './layout.js';
import { GpuComputePass } from './pass.js';
import { GpuComputePipeline, GpuShaderModule } from './pipeline.js';
import { GpuQuerySet } from './query.js';
import { GpuQueue } from './queue.js';

/** What this device makes no objects of, and neither does anybody else: nothing is an instance of it. */
class Nothing {
  constructor() {
    throw new TypeError('Illegal constructor');
  }
}

export const interfaces = {
  GPU: Gpu,
  GPUAdapter: GpuAdapter,
  GPUBindGroup: GpuBindGroup,
  GPUBindGroupLayout: GpuBindGroupLayout,
  GPUBuffer: GpuBuffer,
  GPUCommandBuffer: GpuCommandBuffer,
  GPUCommandEncoder: GpuCommandEncoder,
  GPUComputePassEncoder: GpuComputePass,
  GPUComputePipeline: GpuComputePipeline,
  GPUDevice: GpuDevice,
  GPUError: GpuError,
  GPUExternalTexture: Nothing,
  GPUInternalError: errorClasses.internal,
  GPUOutOfMemoryError: errorClasses['out-of-memory'],
  GPUPipelineError: PipelineError,
  GPUPipelineLayout: GpuPipelineLayout,
  GPUQuerySet: GpuQuerySet,
  GPUQueue: GpuQueue,
  GPURenderPipeline: Nothing,
  GPUSampler: Nothing,
  GPUShaderModule: GpuShaderModule,
  GPUTexture: Nothing,
  GPUTextureView: Nothing,
  GPUUncapturedErrorEvent: UncapturedErrorEvent,
  GPUValidationError: errorClasses.validation,
} as const;
