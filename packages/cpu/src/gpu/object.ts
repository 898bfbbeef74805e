// What all WebGPU objects have: a device, a label, and whether they are valid.
import { say } from '../say.js';
import type { GpuDevice } from './device.js';
import { invalid } from './errors.js';

export abstract class GpuObject {
  label: string;
  /** False if an error came up when the object was made. Whatever uses it is invalid too. */
  valid = true;
  /** The error that made it invalid. */
  fault: string | undefined;

  constructor(
    readonly device: GpuDevice,
    descriptor?: GPUObjectDescriptorBase | null,
  ) {
    this.label = String(descriptor?.label ?? '');
  }

  get [Symbol.toStringTag](): string {
    return this.constructor.name;
  }

  /** The interface's name after GPU. Each class has its interface's name, whatever a minifier makes of it. */
  get kind(): string {
    return this.constructor.name.slice(3);
  }

  /** As messages name it. */
  show(): string {
    return this.label ? `[${this.kind} "${this.label}"]` : `[${this.kind}]`;
  }

  /** WebGPU's "valid to use with" a device. Throws a Fault. */
  require(device: GpuDevice): void {
    if (!this.valid) invalid(`${this.show()} is invalid${this.fault ? ` (${this.fault})` : '.'}`);
    if (this.device !== device) invalid(say`${this.show()} is of another device.`);
  }
}
