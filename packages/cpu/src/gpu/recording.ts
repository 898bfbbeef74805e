// What command encoders and passes have in common: commands are recorded, errors wait for finish().
import { say } from '../say.js';
import type { GpuBindGroup } from './bind-group.js';
import type { GpuBuffer } from './buffer.js';
import type { GpuDevice } from './device.js';
import { check, Fault } from './errors.js';
import { GpuObject } from './object.js';
import type { GpuQuerySet } from './query.js';

/** What commands use, which submit() looks at again. */
export type Used = GpuBuffer | GpuQuerySet | GpuBindGroup;

/** Words that are being written, by an encoder and its passes. */
export class Recording {
  readonly words: number[] = [];
  readonly used = new Set<Used>();
  /** The first error. */
  error: string | undefined;
}

/** Encoders have states, debug groups, and errors that wait. */
export abstract class Encoder extends GpuObject {
  state: 'open' | 'locked' | 'ended' = 'open';
  protected groups = 0;

  constructor(
    device: GpuDevice,
    descriptor: GPUObjectDescriptorBase | undefined,
    readonly recording: Recording,
  ) {
    super(device, descriptor);
  }

  /** Whether a command can be encoded now; says what is wrong if not. */
  protected usable(command: string): boolean {
    if (this.state === 'open') return true;
    if (this.state === 'ended') this.device.report('validation', `${command}: ${this.show()} has ended.`);
    else this.fail(command, say`${this.show()} has a pass that has not ended.`);
    return false;
  }

  /** Makes the encoder invalid: finish() reports it. */
  fail(command: string, message: string): void {
    this.recording.error ??= `${command}: ${message}`;
  }

  /** Encodes a command; a fault in it waits for finish(). */
  protected encode(command: string, steps: () => void): void {
    if (!this.usable(command)) return;
    try {
      steps();
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      this.fail(command, error.message);
    }
  }

  pushDebugGroup(groupLabel: string): undefined {
    String(groupLabel);
    this.encode('pushDebugGroup', () => this.groups++);
  }

  popDebugGroup(): undefined {
    this.encode('popDebugGroup', () => {
      check(this.groups > 0, () => say`no debug group is open.`);
      this.groups--;
    });
  }

  insertDebugMarker(markerLabel: string): undefined {
    String(markerLabel);
    this.encode('insertDebugMarker', () => {});
  }
}
