// GPUQuerySet: timestamps, each a u64 of nanoseconds in the device's memory.
import { say } from '../say.js';
import { integer } from './convert.js';
import type { GpuDevice } from './device.js';
import { check, Fault } from './errors.js';
import { GpuObject } from './object.js';

export class GpuQuerySet extends GpuObject implements GPUQuerySet {
  declare readonly __brand: 'GPUQuerySet';
  static override readonly name = 'GPUQuerySet';
  readonly type: GPUQueryType;
  readonly count: number;
  address = 0;
  destroyed = false;

  constructor(device: GpuDevice, descriptor: GPUQuerySetDescriptor) {
    super(device, descriptor);
    this.type = descriptor.type;
    this.count = integer(descriptor.count, 'createQuerySet: count');
    if (this.type !== 'timestamp' && this.type !== 'occlusion') {
      throw new TypeError(`createQuerySet: ${String(this.type)} is not a type of query.`);
    }
    if (this.type === 'timestamp' && !device.features.has('timestamp-query')) {
      throw new TypeError('createQuerySet: timestamps need a device with the feature timestamp-query.');
    }
  }

  initialize(): void {
    check(this.type === 'timestamp', () => say`occlusion queries belong to rendering; this device computes only.`);
    check(this.count <= 4096, () => say`count ${this.count} is over 4096.`);
    const allocation = this.device.runner.allocate(this.count * 8);
    if (!allocation) throw new Fault('out-of-memory', say`no memory for ${this.count} timestamps.`);
    this.address = allocation.address;
    if (allocation.used) this.device.runner.clear(this.address, this.count * 8);
  }

  destroy(): undefined {
    if (this.destroyed) return;
    this.destroyed = true;
    if (this.address !== 0) this.device.runner.release(this.address, this.count * 8);
  }
}
