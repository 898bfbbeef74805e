// GPUShaderModule and GPUComputePipeline. The texts and kernels themselves are shared: see compiler.ts.
// https://www.w3.org/TR/webgpu/#gpushadermodule and https://www.w3.org/TR/webgpu/#gpucomputepipeline

import type { CompiledKernel } from '../compile/kernel.js';
import { say, spell } from '../say.js';
import type { Message, Module } from '../wgsl/module.js';
import { dictionary, instance, integer } from './convert.js';
import type { GpuDevice } from './device.js';
import { check, Fault } from './errors.js';
import { shaderStage } from './flags.js';
import { GpuBindGroupLayout, GpuPipelineLayout } from './layout.js';
import { GpuObject } from './object.js';

export class GpuShaderModule extends GpuObject implements GPUShaderModule {
  declare readonly __brand: 'GPUShaderModule';
  static override readonly name = 'GPUShaderModule';
  readonly code: string;
  /** Kept for its messages: absent where there are none. */
  parsed: Module | undefined;

  constructor(device: GpuDevice, descriptor: GPUShaderModuleDescriptor) {
    super(device, descriptor);
    if (descriptor.code === undefined) throw new TypeError('createShaderModule: code is missing.');
    this.code = String(descriptor.code);
  }

  initialize(): void {
    const { compiler } = this.device;
    if (compiler.isSound(this.code)) return;
    this.parsed = compiler.parse(this.code);
    const errors = this.parsed.messages.filter(({ type }) => type === 'error');
    if (errors.length === 0) return;
    const [{ line, column, message }] = errors as [Message];
    const more = errors.length > 1 ? ` (and ${errors.length - 1} more)` : '';
    check(false, () => say`${this.show()} does not compile: ${line}:${column}: ${message}${more}`);
  }

  async getCompilationInfo(): Promise<GPUCompilationInfo> {
    const found = (this.parsed?.messages ?? []).map(async ({ line, column, message, ...rest }) => ({
      ...rest,
      message: await spell(message),
      lineNum: line,
      linePos: column,
    }));
    const messages = await Promise.all(found);
    return Object.freeze({ messages: Object.freeze(messages) }) as unknown as GPUCompilationInfo;
  }
}

/** Where a kernel's binding finds its buffer. */
export interface Slot {
  readonly group: number;
  /** Among the entries of the group's layout. */
  readonly entry: number;
  /** Among its dynamic offsets; -1 if it has none. */
  readonly dynamic: number;
  readonly minimum: number;
}

export class GpuComputePipeline extends GpuObject implements GPUComputePipeline {
  declare readonly __brand: 'GPUComputePipeline';
  static override readonly name = 'GPUComputePipeline';
  readonly shader: GpuShaderModule;
  readonly entryPoint: string | undefined;
  readonly constants: Readonly<Record<string, number>>;
  layout: GpuPipelineLayout | undefined;
  /** The number that workers know the kernel by. */
  kernel = -1;
  /** In the order of the kernel's bindings. */
  slots: readonly Slot[] = [];

  constructor(device: GpuDevice, descriptor: GPUComputePipelineDescriptor) {
    super(device, descriptor);
    const { module, entryPoint, constants } = dictionary(descriptor.compute, 'createComputePipeline: compute');
    this.shader = instance(module, GpuShaderModule, 'createComputePipeline: module');
    this.entryPoint = entryPoint === undefined ? undefined : String(entryPoint);
    const values = Object.entries(constants ?? {}).map(([name, value]) => [name, Number(value)] as const);
    const bad = values.find(([, value]) => !Number.isFinite(value));
    if (bad) throw new TypeError(`createComputePipeline: the constant ${bad[0]} is not a finite number.`);
    this.constants = Object.fromEntries(values);
    if (descriptor.layout !== 'auto')
      this.layout = instance(descriptor.layout, GpuPipelineLayout, 'createComputePipeline: layout');
  }

  initialize(): void {
    const { device, shader, layout } = this;
    shader.require(device);
    layout?.require(device);
    const { kernel, id } = device.compiler.kernel(shader, this.entryPoint, this.constants);
    this.#checkSize(kernel);
    this.kernel = id;
    this.layout = layout ?? defaultLayout(device, kernel, this.label);
    this.slots = kernel.bindings.map((binding) => slotOf(this.layout!, binding, layout !== undefined));
  }

  getBindGroupLayout(index: number): GPUBindGroupLayout {
    integer(index, 'getBindGroupLayout: index');
    const { device } = this;
    const layout = new GpuBindGroupLayout(device, { entries: [], label: this.label });
    return device.attempt(layout, 'getBindGroupLayout', () => {
      this.require(device);
      check(
        index < device.limits.maxBindGroups,
        () => say`${index} is not under maxBindGroups, ${device.limits.maxBindGroups}.`,
      );
      const own = this.layout?.groups[index];
      if (own) {
        layout.entries = own.entries;
        layout.dynamicCount = own.dynamicCount;
        layout.exclusive = own.exclusive;
        layout.identity = own.identity;
      } else {
        layout.initialize();
      }
    });
  }

  #checkSize({ workgroupSize }: CompiledKernel): void {
    const { limits } = this.device;
    const [x, y, z] = workgroupSize;
    const most = [
      limits.maxComputeWorkgroupSizeX,
      limits.maxComputeWorkgroupSizeY,
      limits.maxComputeWorkgroupSizeZ,
    ] as const;
    check(
      x <= most[0] && y <= most[1] && z <= most[2],
      () => say`a workgroup of ${x} × ${y} × ${z} is larger than ${most.join(' × ')}.`,
    );
    const all = limits.maxComputeInvocationsPerWorkgroup;
    check(
      x * y * z <= all,
      () => say`${x * y * z} invocations are more than maxComputeInvocationsPerWorkgroup, ${all}.`,
    );
  }
}

/** `layout: 'auto'`. https://www.w3.org/TR/webgpu/#default-pipeline-layout */
function defaultLayout(device: GpuDevice, { bindings }: CompiledKernel, label: string): GpuPipelineLayout {
  const count = Math.max(0, ...bindings.map(({ group }) => group + 1));
  check(
    count <= device.limits.maxBindGroups,
    () => say`group ${count - 1} is not under maxBindGroups, ${device.limits.maxBindGroups}.`,
  );
  const groups = Array.from({ length: count }, (_, group) => {
    const entries = bindings
      .filter((binding) => binding.group === group)
      .map(({ binding, kind, minimumBytes }) => ({
        binding,
        visibility: shaderStage.COMPUTE,
        buffer: { type: kind, minBindingSize: minimumBytes },
      }));
    const layout = new GpuBindGroupLayout(device, { entries, label });
    layout.initialize();
    return layout;
  });
  const layout = new GpuPipelineLayout(device, { bindGroupLayouts: groups, label });
  layout.initialize();
  for (const group of groups) {
    group.exclusive = true;
    group.identity = group;
  }
  return layout;
}

function slotOf(
  layout: GpuPipelineLayout,
  { group, binding, kind, minimumBytes }: CompiledKernel['bindings'][number],
  given: boolean,
): Slot {
  const entries = layout.groups[group]?.entries ?? [];
  const at = entries.findIndex((entry) => entry.binding === binding);
  const name = `@group(${group}) @binding(${binding})`;
  if (at < 0) throw new Fault('validation', say`${layout.show()} has no ${name}, which the shader uses.`);
  const entry = entries[at]!;
  if (given) {
    check(
      entry.visibility & shaderStage.COMPUTE,
      () => say`${layout.show()}: ${name} is not visible to compute shaders.`,
    );
    check(entry.type === kind, () => say`${layout.show()}: ${name} is ${entry.type}, in the shader ${kind}.`);
    check(
      entry.minimum === 0 || entry.minimum >= minimumBytes,
      () =>
        say`${layout.show()}: minBindingSize ${entry.minimum} of ${name} is less than the shader's ${minimumBytes}.`,
    );
  }
  const dynamic = entry.dynamic ? entries.slice(0, at).filter((other) => other.dynamic).length : -1;
  return { group, entry: at, dynamic, minimum: minimumBytes };
}
