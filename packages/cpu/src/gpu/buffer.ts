// GPUBuffer: a range of the device's memory, and the states of its mapping.
// https://www.w3.org/TR/webgpu/#gpubuffer
import { say, spell } from '../say.js';
import { integer, size64 } from './convert.js';
import type { GpuDevice } from './device.js';
import { check, Fault } from './errors.js';
import { bufferUsage, mapMode } from './flags.js';
import { GpuObject } from './object.js';

interface Mapping {
  readonly mode: number;
  readonly start: number;
  readonly end: number;
  /** The bytes from `start` on, where the device's memory cannot be read at once. */
  readonly content: ArrayBuffer | undefined;
  readonly views: { readonly start: number; readonly data: ArrayBuffer }[];
}

interface PendingMap {
  readonly reject: (error: DOMException) => void;
}

export class GpuBuffer extends GpuObject implements GPUBuffer {
  declare readonly __brand: 'GPUBuffer';
  static override readonly name = 'GPUBuffer';
  readonly size: number;
  readonly usage: number;
  /** Address in the device's memory; 0 if there is none. */
  address = 0;
  destroyed = false;
  #mapping: Mapping | undefined;
  #pending: PendingMap | undefined;
  /** Whether it must be set to zero before anything uses it. */
  #unclean = false;

  constructor(device: GpuDevice, descriptor: GPUBufferDescriptor) {
    super(device, descriptor);
    this.size = size64(descriptor.size, 'createBuffer: size');
    this.usage = integer(descriptor.usage, 'createBuffer: usage');
    if (!descriptor.mappedAtCreation) return;
    if (this.size % 4 !== 0)
      throw new RangeError('createBuffer: the size of a buffer mapped at creation must be a multiple of 4.');
    // Throws a RangeError where there is no such array. It appears mapped even if it turns out invalid.
    const content = new ArrayBuffer(this.size);
    this.#mapping = { mode: mapMode.WRITE, start: 0, end: this.size, content, views: [] };
    device.mapped.add(this);
  }

  get mapState(): GPUBufferMapState {
    return this.#mapping ? 'mapped' : this.#pending ? 'pending' : 'unmapped';
  }

  /** The device's steps of createBuffer. Throws a Fault. */
  initialize(): void {
    const { usage, size, device } = this;
    const { MAP_READ, MAP_WRITE, COPY_SRC, COPY_DST } = bufferUsage;
    check(usage !== 0 && usage < 0x400, () => say`usage 0x${usage.toString(16)} is not a set of GPUBufferUsage flags.`);
    check(!(usage & MAP_READ) || !(usage & ~(MAP_READ | COPY_DST)), () => say`MAP_READ goes with COPY_DST only.`);
    check(!(usage & MAP_WRITE) || !(usage & ~(MAP_WRITE | COPY_SRC)), () => say`MAP_WRITE goes with COPY_SRC only.`);
    check(
      size <= device.limits.maxBufferSize,
      () => say`size ${size} is over maxBufferSize, ${device.limits.maxBufferSize}.`,
    );
    const allocation = device.runner.allocate(size);
    if (!allocation) {
      throw new Fault('out-of-memory', say`no memory for ${size} bytes; ${device.runner.bytesInUse} are in use.`);
    }
    this.address = allocation.address;
    this.#unclean = allocation.used;
    device.registry.register(this, { address: allocation.address, size }, this);
  }

  /** Before anything uses it; with `overwritten`, all of it is about to be written. */
  clean(overwritten = false): void {
    if (this.#unclean && !overwritten) this.device.runner.clear(this.address, this.size);
    this.#unclean = false;
  }

  mapAsync(mode: number, offset = 0, size?: number): Promise<undefined> {
    try {
      integer(mode, 'mapAsync: mode');
      size64(offset, 'mapAsync: offset');
      if (size !== undefined) size64(size, 'mapAsync: size');
    } catch (error) {
      return Promise.reject(error);
    }
    const refused = async (message: string): Promise<never> => {
      this.device.report('validation', `mapAsync: ${message}`);
      throw new DOMException(`mapAsync: ${await spell(message)}`, 'OperationError');
    };
    if (this.mapState !== 'unmapped')
      return refused(`${this.show()} is already ${this.mapState === 'mapped' ? 'mapped' : 'being mapped'}.`);
    const length = size ?? Math.max(0, this.size - offset);
    if (this.device.isLost || !this.valid) {
      return Promise.reject(new DOMException(`mapAsync: ${this.show()} is invalid, or its device lost.`, 'AbortError'));
    }
    try {
      this.#checkMap(mode, offset, length);
    } catch (error) {
      if (error instanceof Fault) return refused(error.message);
      throw error;
    }
    return this.#map(mode, offset, length);
  }

  getMappedRange(offset = 0, size?: number): ArrayBuffer {
    size64(offset, 'getMappedRange: offset');
    const length = size === undefined ? Math.max(0, this.size - offset) : size64(size, 'getMappedRange: size');
    const end = offset + length;
    const refuse = (message: string) => {
      throw new DOMException(`getMappedRange: ${message}`, 'OperationError');
    };
    const mapping = this.#mapping;
    if (!mapping) return refuse(`${this.show()} is not mapped.`);
    if (offset % 8 !== 0) refuse(`offset ${offset} is not a multiple of 8.`);
    if (length % 4 !== 0) refuse(`size ${length} is not a multiple of 4.`);
    if (offset < mapping.start || end > mapping.end) {
      refuse(`bytes ${offset} to ${end} are not within those mapped, ${mapping.start} to ${mapping.end}.`);
    }
    for (const view of mapping.views) {
      const viewEnd = view.start + view.data.byteLength;
      const apart = end <= view.start || offset >= viewEnd;
      if (!apart || (offset === view.start && end === viewEnd))
        refuse(`bytes ${offset} to ${end} overlap a range that was given out.`);
    }
    const { content, start } = mapping;
    let data: ArrayBuffer;
    if (!content) data = this.device.runner.read(this.address + offset, length);
    else if (length === content.byteLength) data = content;
    else data = content.slice(offset - start, end - start);
    mapping.views.push({ start: offset, data });
    return data;
  }

  unmap(): undefined {
    this.#pending?.reject(
      new DOMException(`mapAsync: ${this.show()} was unmapped before it was mapped.`, 'AbortError'),
    );
    this.#pending = undefined;
    this.device.mapped.delete(this);
    const mapping = this.#mapping;
    if (!mapping) return;
    this.#mapping = undefined;
    const written = mapping.mode & mapMode.WRITE && this.address !== 0 && !this.destroyed;
    if (written) this.clean();
    for (const { start, data } of mapping.views) {
      if (written) this.device.write(this.address + start, new Uint8Array(data), 'unmap');
      detach(data);
    }
  }

  destroy(): undefined {
    // What was written to the mapping is lost with the buffer.
    const first = !this.destroyed;
    this.destroyed = true;
    this.unmap();
    if (!first || this.address === 0) return;
    this.device.registry.unregister(this);
    this.device.runner.release(this.address, this.size);
  }

  #checkMap(mode: number, offset: number, length: number): void {
    check(!this.destroyed, () => `${this.show()} is destroyed.`);
    check(offset % 8 === 0, () => say`offset ${offset} is not a multiple of 8.`);
    check(length % 4 === 0, () => say`size ${length} is not a multiple of 4.`);
    check(
      offset + length <= this.size,
      () => say`bytes ${offset} to ${offset + length} are not within the ${this.size} of ${this.show()}.`,
    );
    check(
      mode === mapMode.READ || mode === mapMode.WRITE,
      () => say`mode must be GPUMapMode.READ or GPUMapMode.WRITE.`,
    );
    // MAP_READ and MAP_WRITE have the bits of the modes.
    check(
      this.usage & mode,
      () => say`${this.show()} lacks the usage ${mode === mapMode.READ ? 'MAP_READ' : 'MAP_WRITE'}.`,
    );
  }

  #map(mode: number, start: number, length: number): Promise<undefined> {
    const { runner, mapped } = this.device;
    this.clean();
    return new Promise((resolve, reject) => {
      const pending: PendingMap = { reject };
      this.#pending = pending;
      mapped.add(this);
      const settle = (content?: ArrayBuffer) => {
        if (this.#pending !== pending) return;
        this.#pending = undefined;
        if (this.device.isLost) {
          reject(new DOMException('mapAsync: the device was lost.', 'AbortError'));
          return;
        }
        this.#mapping = { mode, start, end: start + length, content, views: [] };
        resolve(undefined);
      };
      if (runner.shared) runner.whenDone().then(() => settle());
      else runner.fetch(this.address + start, length).then(settle);
    });
  }
}

/** Leaves nothing of an array for those who still hold it. */
function detach(data: ArrayBuffer): void {
  structuredClone(data, { transfer: [data] });
}
