// GPUCommandEncoder and GPUCommandBuffer. Commands become words of a batch while they are encoded; errors wait for finish().
// https://www.w3.org/TR/webgpu/#gpucommandencoder

import { head, layout } from '../run/layout.js';
import { say } from '../say.js';
import { GpuBuffer } from './buffer.js';
import { instance, integer, optional, size64 } from './convert.js';
import type { GpuDevice } from './device.js';
import { check, invalid } from './errors.js';
import { bufferUsage } from './flags.js';
import { GpuObject } from './object.js';
import { GpuComputePass } from './pass.js';
import { GpuQuerySet } from './query.js';
import { Encoder, Recording } from './recording.js';
import { refuseOn } from './unsupported.js';

export class GpuCommandBuffer extends GpuObject implements GPUCommandBuffer {
  declare readonly __brand: 'GPUCommandBuffer';
  static override readonly name = 'GPUCommandBuffer';
  submitted = false;

  constructor(
    device: GpuDevice,
    descriptor: GPUObjectDescriptorBase | undefined,
    readonly recording: Recording,
  ) {
    super(device, descriptor);
  }
}

/** Throws a Fault unless a range of a buffer can be used so. */
function checkBuffer(
  device: GpuDevice,
  buffer: GpuBuffer,
  usage: keyof typeof bufferUsage,
  offset: number,
  size: number,
): void {
  buffer.require(device);
  check(buffer.usage & bufferUsage[usage], () => say`${buffer.show()} lacks the usage ${usage}.`);
  check(offset % 4 === 0, () => say`offset ${offset} is not a multiple of 4.`);
  check(size % 4 === 0, () => say`size ${size} is not a multiple of 4.`);
  check(
    offset + size <= buffer.size,
    () => say`bytes ${offset} to ${offset + size} are not within the ${buffer.size} of ${buffer.show()}.`,
  );
}

export class GpuCommandEncoder extends Encoder implements GPUCommandEncoder {
  declare readonly __brand: 'GPUCommandEncoder';
  static override readonly name = 'GPUCommandEncoder';

  constructor(device: GpuDevice, descriptor?: GPUCommandEncoderDescriptor) {
    super(device, descriptor, new Recording());
  }

  beginComputePass(descriptor?: GPUComputePassDescriptor): GPUComputePassEncoder {
    // A pass that cannot begin here records for nobody.
    const pass = new GpuComputePass(this, descriptor, this.state === 'open' ? this.recording : new Recording());
    this.encode('beginComputePass', () => {
      this.state = 'locked';
      pass.begin();
    });
    return pass;
  }

  copyBufferToBuffer(source: GPUBuffer, destination: GPUBuffer, size?: number): undefined;
  copyBufferToBuffer(
    source: GPUBuffer,
    from: number | undefined,
    destination: GPUBuffer,
    to: number | undefined,
    size?: number,
  ): undefined;
  copyBufferToBuffer(
    source: GPUBuffer,
    second: GPUBuffer | number | undefined,
    third?: GPUBuffer | number,
    fourth?: number,
    fifth?: number,
  ): undefined {
    const short = second instanceof GpuBuffer;
    const from = instance(source, GpuBuffer, 'copyBufferToBuffer: source');
    const to = instance(short ? second : third, GpuBuffer, 'copyBufferToBuffer: destination');
    const fromOffset = short ? 0 : size64(second ?? 0, 'copyBufferToBuffer: sourceOffset');
    const toOffset = short ? 0 : size64(fourth ?? 0, 'copyBufferToBuffer: destinationOffset');
    const given = optional(short ? third : fifth, size64, 'copyBufferToBuffer: size');
    this.encode('copyBufferToBuffer', () => {
      const size = given ?? Math.max(0, from.size - fromOffset);
      checkBuffer(this.device, from, 'COPY_SRC', fromOffset, size);
      checkBuffer(this.device, to, 'COPY_DST', toOffset, size);
      check(from !== to, () => say`${from.show()} is both source and destination.`);
      this.recording.used.add(from).add(to);
      if (size > 0)
        this.recording.words.push(head(layout.copy, 4), to.address + toOffset, from.address + fromOffset, size);
    });
  }

  clearBuffer(buffer: GPUBuffer, offset = 0, size?: number): undefined {
    const target = instance(buffer, GpuBuffer, 'clearBuffer: buffer');
    const start = size64(offset, 'clearBuffer: offset');
    const given = optional(size, size64, 'clearBuffer: size');
    this.encode('clearBuffer', () => {
      const length = given ?? target.size - start;
      check(length >= 0, () => say`offset ${start} is not within the ${target.size} bytes of ${target.show()}.`);
      checkBuffer(this.device, target, 'COPY_DST', start, length);
      this.recording.used.add(target);
      if (length > 0) this.recording.words.push(head(layout.clear, 3), target.address + start, length);
    });
  }

  resolveQuerySet(
    querySet: GPUQuerySet,
    firstQuery: number,
    queryCount: number,
    destination: GPUBuffer,
    destinationOffset: number,
  ): undefined {
    const set = instance(querySet, GpuQuerySet, 'resolveQuerySet: querySet');
    const to = instance(destination, GpuBuffer, 'resolveQuerySet: destination');
    const first = integer(firstQuery, 'resolveQuerySet: firstQuery');
    const count = integer(queryCount, 'resolveQuerySet: queryCount');
    const offset = size64(destinationOffset, 'resolveQuerySet: destinationOffset');
    this.encode('resolveQuerySet', () => {
      set.require(this.device);
      check(
        first + count <= set.count,
        () => say`queries ${first} to ${first + count} are not within the ${set.count} of ${set.show()}.`,
      );
      check(offset % 256 === 0, () => say`offset ${offset} is not a multiple of 256.`);
      checkBuffer(this.device, to, 'QUERY_RESOLVE', offset, count * 8);
      this.recording.used.add(set).add(to);
      if (count > 0)
        this.recording.words.push(head(layout.copy, 4), to.address + offset, set.address + first * 8, count * 8);
    });
  }

  finish(descriptor?: GPUCommandBufferDescriptor): GPUCommandBuffer {
    const { device, recording } = this;
    const buffer = new GpuCommandBuffer(device, descriptor, recording);
    return device.attempt(buffer, 'finish', () => {
      const { state } = this;
      this.state = 'ended';
      check(state !== 'ended', () => `${this.show()} has ended.`);
      check(state !== 'locked', () => say`${this.show()} has a pass that has not ended.`);
      if (recording.error) invalid(recording.error);
      check(this.groups === 0, () => say`${this.groups} debug groups are open.`);
    });
  }

  declare beginRenderPass: GPUCommandEncoder['beginRenderPass'];
  declare copyBufferToTexture: GPUCommandEncoder['copyBufferToTexture'];
  declare copyTextureToBuffer: GPUCommandEncoder['copyTextureToBuffer'];
  declare copyTextureToTexture: GPUCommandEncoder['copyTextureToTexture'];
}

refuseOn(
  GpuCommandEncoder,
  ['beginRenderPass', 'copyBufferToTexture', 'copyTextureToBuffer', 'copyTextureToTexture'],
  (encoder, name, message) => encoder.fail(name, message),
);
