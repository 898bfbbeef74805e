// GPUBindGroup: buffers for the bindings of a layout.
// https://www.w3.org/TR/webgpu/#gpubindgroup
import { say } from '../say.js';
import { GpuBuffer } from './buffer.js';
import { dictionary, instance, integer, optional, sequence, size64 } from './convert.js';
import type { GpuDevice } from './device.js';
import { check, invalid } from './errors.js';
import { bufferUsage } from './flags.js';
import { GpuBindGroupLayout, type LayoutEntry } from './layout.js';
import { GpuObject } from './object.js';

/** A bound range of a buffer. */
export interface BoundBuffer {
  readonly layout: LayoutEntry;
  readonly buffer: GpuBuffer;
  readonly offset: number;
  /** Undefined: to the end of the buffer, whatever the dynamic offset. */
  readonly size: number | undefined;
}

interface Given {
  readonly binding: number;
  readonly buffer: GpuBuffer;
  readonly offset: number;
  readonly size: number | undefined;
}

export class GpuBindGroup extends GpuObject implements GPUBindGroup {
  declare readonly __brand: 'GPUBindGroup';
  static override readonly name = 'GPUBindGroup';
  readonly layout: GpuBindGroupLayout;
  /** In the order of the layout's entries. */
  entries: readonly BoundBuffer[] = [];
  readonly #given: readonly Given[];
  readonly #unsupported: string | undefined;

  constructor(device: GpuDevice, descriptor: GPUBindGroupDescriptor) {
    super(device, descriptor);
    this.layout = instance(descriptor.layout, GpuBindGroupLayout, 'createBindGroup: layout');
    const given: Given[] = [];
    for (const entry of sequence(descriptor.entries, 'createBindGroup: entries')) {
      const binding = integer(dictionary(entry, 'createBindGroup: an entry').binding, 'createBindGroup: binding');
      const resource: unknown = entry.resource;
      if (resource instanceof GpuObject && !(resource instanceof GpuBuffer)) {
        this.#unsupported = say`binding ${binding} is a ${resource.kind}, not a buffer.`;
        continue;
      }
      const range = (
        resource instanceof GpuBuffer
          ? { buffer: resource }
          : dictionary(resource as object, `createBindGroup: the resource of binding ${binding}`)
      ) as GPUBufferBinding;
      given.push({
        binding,
        buffer: instance(range.buffer, GpuBuffer, `createBindGroup: the buffer of binding ${binding}`),
        offset: size64(range.offset ?? 0, 'createBindGroup: offset'),
        size: optional(range.size, size64, 'createBindGroup: size'),
      });
    }
    this.#given = given.sort((a, b) => a.binding - b.binding);
  }

  initialize(): void {
    const { layout, device } = this;
    layout.require(device);
    check(!this.#unsupported, () => this.#unsupported!);
    const count = layout.entries.length;
    check(
      this.#given.length === count,
      () => say`${this.#given.length} entries are given, ${layout.show()} has ${count}.`,
    );
    this.entries = this.#given.map(({ binding, buffer, offset, size }, i) => {
      const entry = layout.entries[i]!;
      if (entry.binding !== binding) {
        const known = layout.entries.some((other) => other.binding === binding);
        invalid(known ? say`binding ${binding} is given twice.` : say`binding ${binding} is not in ${layout.show()}.`);
      }
      buffer.require(device);
      checkRange(device, entry, buffer, offset, size ?? Math.max(0, buffer.size - offset));
      return { layout: entry, buffer, offset, size };
    });
  }
}

function checkRange(device: GpuDevice, entry: LayoutEntry, buffer: GpuBuffer, offset: number, size: number): void {
  const at = `binding ${entry.binding}: ${buffer.show()}`;
  const { limits } = device;
  const [usage, most, alignment] =
    entry.type === 'uniform'
      ? (['UNIFORM', 'maxUniformBufferBindingSize', 'minUniformBufferOffsetAlignment'] as const)
      : (['STORAGE', 'maxStorageBufferBindingSize', 'minStorageBufferOffsetAlignment'] as const);
  check(buffer.usage & bufferUsage[usage], () => say`${at} lacks the usage ${usage}.`);
  check(
    offset % limits[alignment] === 0,
    () => say`${at}: offset ${offset} is not a multiple of ${alignment}, ${limits[alignment]}.`,
  );
  check(
    size > 0 && offset + size <= buffer.size,
    () => say`${at}: bytes ${offset} to ${offset + size} are empty or not within its ${buffer.size}.`,
  );
  check(size >= entry.minimum, () => say`${at}: ${size} bytes are bound; the layout asks for ${entry.minimum}.`);
  check(size <= limits[most], () => say`${at}: ${size} bytes are more than ${most}, ${limits[most]}.`);
  check(entry.type === 'uniform' || size % 4 === 0, () => say`${at}: size ${size} is not a multiple of 4.`);
}
