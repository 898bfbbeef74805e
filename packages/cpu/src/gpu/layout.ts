// GPUBindGroupLayout and GPUPipelineLayout.
// https://www.w3.org/TR/webgpu/#gpubindgrouplayout and https://www.w3.org/TR/webgpu/#gpupipelinelayout
import { say } from '../say.js';
import { dictionary, instance, integer, sequence, size64 } from './convert.js';
import type { GpuDevice } from './device.js';
import { check } from './errors.js';
import { shaderStage } from './flags.js';
import type { LimitName } from './limits.js';
import { GpuObject } from './object.js';

/** What a layout says of one buffer. */
export interface LayoutEntry {
  readonly binding: number;
  readonly visibility: number;
  readonly type: GPUBufferBindingType;
  readonly dynamic: boolean;
  readonly minimum: number;
}

const types: Readonly<Record<GPUBufferBindingType, readonly [perStage: LimitName, dynamic: LimitName]>> = {
  uniform: ['maxUniformBuffersPerShaderStage', 'maxDynamicUniformBuffersPerPipelineLayout'],
  storage: ['maxStorageBuffersPerShaderStage', 'maxDynamicStorageBuffersPerPipelineLayout'],
  'read-only-storage': ['maxStorageBuffersPerShaderStage', 'maxDynamicStorageBuffersPerPipelineLayout'],
};

const otherResources = ['sampler', 'texture', 'storageTexture', 'externalTexture'] as const;

export class GpuBindGroupLayout extends GpuObject implements GPUBindGroupLayout {
  declare readonly __brand: 'GPUBindGroupLayout';
  static override readonly name = 'GPUBindGroupLayout';
  /** In the order of their binding numbers. */
  entries: readonly LayoutEntry[] = [];
  dynamicCount = 0;
  /** Layouts are group-equivalent if they have the same. */
  identity: object = this;
  /** Of a pipeline's default layout: only bind groups made for it fit it. */
  exclusive = false;
  readonly #unsupported: string | undefined;

  constructor(device: GpuDevice, descriptor: GPUBindGroupLayoutDescriptor) {
    super(device, descriptor);
    const entries = sequence(descriptor.entries, 'createBindGroupLayout: entries');
    this.entries = entries.map(convertEntry).sort((a, b) => a.binding - b.binding);
    this.dynamicCount = this.entries.filter(({ dynamic }) => dynamic).length;
    const other = entries.find((entry) => !entry.buffer || otherResources.some((name) => entry[name] !== undefined));
    if (other) {
      const named = otherResources.find((name) => other[name] !== undefined);
      this.#unsupported = named
        ? say`binding ${other.binding} is a ${named}; this device has buffers only.`
        : say`binding ${other.binding} names no resource.`;
    }
  }

  initialize(): void {
    check(!this.#unsupported, () => this.#unsupported!);
    const { limits } = this.device;
    this.entries.forEach(({ binding, visibility, type }, i) => {
      check(binding !== this.entries[i - 1]?.binding, () => say`binding ${binding} occurs twice.`);
      check(
        binding < limits.maxBindingsPerBindGroup,
        () => say`binding ${binding} is not under maxBindingsPerBindGroup, ${limits.maxBindingsPerBindGroup}.`,
      );
      check(
        visibility <= 7,
        () => say`binding ${binding}: visibility 0x${visibility.toString(16)} is not a set of GPUShaderStage flags.`,
      );
      check(
        !(visibility & shaderStage.VERTEX) || type !== 'storage',
        () => say`binding ${binding}: vertex shaders cannot write to storage.`,
      );
    });
    checkSlots(this.device, this.entries);
    this.identity = this.device.layoutIdentity(JSON.stringify(this.entries));
  }
}

function convertEntry(entry: GPUBindGroupLayoutEntry): LayoutEntry {
  const { buffer } = dictionary(entry, 'createBindGroupLayout: an entry');
  const binding = integer(entry.binding, 'createBindGroupLayout: binding');
  const type = buffer?.type ?? 'uniform';
  if (!(type in types)) throw new TypeError(`createBindGroupLayout: ${String(type)} is not a type of buffer binding.`);
  return {
    binding,
    visibility: integer(entry.visibility, 'createBindGroupLayout: visibility'),
    type,
    dynamic: Boolean(buffer?.hasDynamicOffset),
    minimum: size64(buffer?.minBindingSize ?? 0, 'createBindGroupLayout: minBindingSize'),
  };
}

/** The specification's "exceeds the binding slot limits". */
function checkSlots(device: GpuDevice, entries: readonly LayoutEntry[]): void {
  const counts = new Map<string, number>();
  const count = (key: string, name: LimitName) => {
    const reached = (counts.get(key) ?? 0) + 1;
    counts.set(key, reached);
    check(reached <= device.limits[name], () => say`more bindings than ${name} allows, ${device.limits[name]}.`);
  };
  for (const { type, visibility, dynamic } of entries) {
    const [perStage, dynamicLimit] = types[type];
    for (const stage of [1, 2, 4]) if (visibility & stage) count(`${perStage}${stage}`, perStage);
    if (dynamic) count(dynamicLimit, dynamicLimit);
  }
}

export class GpuPipelineLayout extends GpuObject implements GPUPipelineLayout {
  declare readonly __brand: 'GPUPipelineLayout';
  static override readonly name = 'GPUPipelineLayout';
  /** By group; those without entries are left out. */
  readonly groups: (GpuBindGroupLayout | undefined)[];

  constructor(device: GpuDevice, descriptor: GPUPipelineLayoutDescriptor) {
    super(device, descriptor);
    this.groups = sequence(descriptor.bindGroupLayouts, 'createPipelineLayout: bindGroupLayouts').map((layout) =>
      layout === null || layout === undefined
        ? undefined
        : instance(layout, GpuBindGroupLayout, 'createPipelineLayout: a bind group layout'),
    );
  }

  initialize(): void {
    const { maxBindGroups } = this.device.limits;
    check(
      this.groups.length <= maxBindGroups,
      () => say`${this.groups.length} groups are more than maxBindGroups, ${maxBindGroups}.`,
    );
    this.groups.forEach((layout, group) => {
      layout?.require(this.device);
      check(
        !layout?.exclusive,
        () => say`${layout?.show()} is a default layout of a pipeline; it fits that pipeline only.`,
      );
      if (layout?.entries.length === 0) this.groups[group] = undefined;
    });
    checkSlots(
      this.device,
      this.groups.flatMap((layout) => layout?.entries ?? []),
    );
  }
}
