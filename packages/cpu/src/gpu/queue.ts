// GPUQueue. https://www.w3.org/TR/webgpu/#gpuqueue
import { say } from '../say.js';
import { GpuBindGroup } from './bind-group.js';
import { GpuBuffer } from './buffer.js';
import { bytesOf, instance, optional, sequence, size64 } from './convert.js';
import type { GpuDevice } from './device.js';
import { GpuCommandBuffer } from './encoder.js';
import { check, Fault, invalid } from './errors.js';
import { bufferUsage } from './flags.js';
import { GpuObject } from './object.js';
import type { GpuQuerySet } from './query.js';
import type { Used } from './recording.js';
import { refuseOn } from './unsupported.js';

export class GpuQueue extends GpuObject implements GPUQueue {
  declare readonly __brand: 'GPUQueue';
  static override readonly name = 'GPUQueue';

  submit(commandBuffers: Iterable<GPUCommandBuffer>): undefined {
    const given = sequence(commandBuffers, 'submit: commandBuffers').map((buffer) =>
      instance(buffer, GpuCommandBuffer, 'submit: a command buffer'),
    );
    const { device } = this;
    if (device.isLost) return;
    device.guard('submit', () => {
      try {
        check(new Set(given).size === given.length, () => say`a command buffer occurs twice.`);
        for (const buffer of given) requireSubmittable(device, buffer);
      } finally {
        for (const buffer of given) buffer.submitted = true;
      }
      for (const { recording } of given) {
        for (const used of recording.used) clean(used);
        device.runner.push(recording.words);
      }
      if (!device.runner.flush()) throw new Fault('out-of-memory', say`no memory for the commands.`);
    });
  }

  onSubmittedWorkDone(): Promise<undefined> {
    return this.device.runner.whenDone().then(() => undefined);
  }

  writeBuffer(
    buffer: GPUBuffer,
    bufferOffset: number,
    data: ArrayBufferLike | ArrayBufferView,
    dataOffset?: number,
    size?: number,
  ): undefined {
    const target = instance(buffer, GpuBuffer, 'writeBuffer: buffer');
    const offset = size64(bufferOffset, 'writeBuffer: bufferOffset');
    const { bytes, elementBytes } = bytesOf(data, 'writeBuffer: data');
    const start = size64(dataOffset ?? 0, 'writeBuffer: dataOffset') * elementBytes;
    const given = optional(size, size64, 'writeBuffer: size');
    const length = given === undefined ? bytes.length - start : given * elementBytes;
    if (length < 0 || start + length > bytes.length) {
      throw new DOMException(
        `writeBuffer: bytes ${start} to ${start + length} are not within the ${bytes.length} of the data.`,
        'OperationError',
      );
    }
    if (length % 4 !== 0)
      throw new DOMException(`writeBuffer: ${length} bytes are not a multiple of 4.`, 'OperationError');
    const { device } = this;
    device.guard('writeBuffer', () => {
      target.require(device);
      requireAvailable(target);
      check(target.usage & bufferUsage.COPY_DST, () => say`${target.show()} lacks the usage COPY_DST.`);
      check(offset % 4 === 0, () => say`bufferOffset ${offset} is not a multiple of 4.`);
      check(
        offset + length <= target.size,
        () => say`bytes ${offset} to ${offset + length} are not within the ${target.size} of ${target.show()}.`,
      );
      target.clean(length === target.size);
      device.write(target.address + offset, bytes.subarray(start, start + length), 'writeBuffer');
    });
  }

  declare writeTexture: GPUQueue['writeTexture'];
  declare copyExternalImageToTexture: GPUQueue['copyExternalImageToTexture'];
}

refuseOn(GpuQueue, ['writeTexture', 'copyExternalImageToTexture'], ({ device }, name, message) =>
  device.report('validation', `${name}: ${message}`),
);

function requireSubmittable(device: GpuDevice, buffer: GpuCommandBuffer): void {
  buffer.require(device);
  check(!buffer.submitted, () => say`${buffer.show()} was submitted before.`);
  for (const used of buffer.recording.used) {
    if (used instanceof GpuBindGroup) for (const { buffer: bound } of used.entries) requireAvailable(bound);
    else requireAvailable(used);
  }
}

/** Throws a Fault unless commands that are submitted now can use it. */
function requireAvailable(used: GpuBuffer | GpuQuerySet): void {
  if (used.destroyed) invalid(`${used.show()} is destroyed.`);
  if (used instanceof GpuBuffer && used.mapState !== 'unmapped') invalid(`${used.show()} is mapped.`);
}

function clean(used: Used): void {
  if (used instanceof GpuBindGroup) for (const { buffer } of used.entries) buffer.clean();
  else if (used instanceof GpuBuffer) used.clean();
}
