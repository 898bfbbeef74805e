// GPUComputePassEncoder: which buffers a dispatch may bind together, and its words.
// https://www.w3.org/TR/webgpu/#gpucomputepassencoder

import { head, layout } from '../run/layout.js';
import { say } from '../say.js';
import { type BoundBuffer, GpuBindGroup } from './bind-group.js';
import { GpuBuffer } from './buffer.js';
import { dictionary, instance, integer, optional, sequence, size64 } from './convert.js';
import type { GpuCommandEncoder } from './encoder.js';
import { check, invalid } from './errors.js';
import { bufferUsage, shaderStage } from './flags.js';
import { GpuComputePipeline } from './pipeline.js';
import { GpuQuerySet } from './query.js';
import { Encoder, type Recording } from './recording.js';

interface SetGroup {
  readonly group: GpuBindGroup;
  readonly offsets: readonly number[];
}

/** A buffer as a dispatch binds it, dynamic offset included. */
interface Bound {
  readonly entry: BoundBuffer;
  readonly start: number;
  readonly size: number;
}

export class GpuComputePass extends Encoder implements GPUComputePassEncoder {
  declare readonly __brand: 'GPUComputePassEncoder';
  static override readonly name = 'GPUComputePassEncoder';
  readonly #parent: GpuCommandEncoder;
  readonly #timestamps:
    | { readonly set: GpuQuerySet; readonly begin: number | undefined; readonly end: number | undefined }
    | undefined;
  #pipeline: GpuComputePipeline | undefined;
  readonly #groups: (SetGroup | undefined)[] = [];
  /** Address and size of each binding, once they are checked. */
  #bindings: number[] | undefined;
  /** Buffers that the checked bindings write. */
  #written = new Set<GpuBuffer>();

  constructor(parent: GpuCommandEncoder, descriptor: GPUComputePassDescriptor | undefined, recording: Recording) {
    super(parent.device, descriptor, recording);
    this.#parent = parent;
    const writes = descriptor?.timestampWrites;
    if (!writes) return;
    const index = (value: unknown) => optional(value, integer, 'beginComputePass: timestampWrites');
    this.#timestamps = {
      set: instance(
        dictionary(writes, 'beginComputePass: timestampWrites').querySet,
        GpuQuerySet,
        'beginComputePass: querySet',
      ),
      begin: index(writes.beginningOfPassWriteIndex),
      end: index(writes.endOfPassWriteIndex),
    };
  }

  /** The parent's steps of beginComputePass. Throws a Fault. */
  begin(): void {
    const timestamps = this.#timestamps;
    if (!timestamps) return;
    const { set, begin, end } = timestamps;
    set.require(this.device);
    check(begin !== undefined || end !== undefined, () => say`timestampWrites names no query.`);
    check(begin !== end, () => say`timestampWrites writes query ${begin} twice.`);
    check(
      (begin ?? 0) < set.count && (end ?? 0) < set.count,
      () => say`a timestamp's index is not under the ${set.count} of ${set.show()}.`,
    );
    this.recording.used.add(set);
    this.#stamp(begin);
  }

  setPipeline(pipeline: GPUComputePipeline): undefined {
    const given = instance(pipeline, GpuComputePipeline, 'setPipeline: pipeline');
    if (!this.usable('setPipeline')) return;
    if (!given.valid || given.device !== this.device) this.encode('setPipeline', () => given.require(this.device));
    this.#pipeline = given;
    this.#bindings = undefined;
  }

  setBindGroup(index: number, bindGroup: GPUBindGroup | null | undefined, dynamicOffsets?: Iterable<number>): undefined;
  setBindGroup(
    index: number,
    bindGroup: GPUBindGroup | null | undefined,
    data: Uint32Array,
    start: number,
    length: number,
  ): undefined;
  setBindGroup(
    index: number,
    bindGroup: GPUBindGroup | null | undefined,
    given?: Iterable<number>,
    start?: number,
    length?: number,
  ): undefined {
    const at = integer(index, 'setBindGroup: index');
    const group = bindGroup ? instance(bindGroup, GpuBindGroup, 'setBindGroup: bindGroup') : undefined;
    const offsets = convertOffsets(given, start, length);
    if (!this.usable('setBindGroup')) return;
    this.#bindings = undefined;
    if (
      group?.valid &&
      group.device === this.device &&
      offsets.length === 0 &&
      group.layout.dynamicCount === 0 &&
      at < this.device.limits.maxBindGroups
    ) {
      this.#groups[at] = { group, offsets };
      this.recording.used.add(group);
      return;
    }
    this.encode('setBindGroup', () => {
      check(
        at < this.device.limits.maxBindGroups,
        () => say`${at} is not under maxBindGroups, ${this.device.limits.maxBindGroups}.`,
      );
      group?.require(this.device);
      const count = group?.layout.dynamicCount ?? 0;
      check(offsets.length === count, () => say`${offsets.length} dynamic offsets are given, ${count} are needed.`);
      if (group) checkOffsets(group, offsets);
      this.#groups[at] = group && { group, offsets };
      if (group) this.recording.used.add(group);
    });
  }

  setImmediates(): undefined {
    this.encode('setImmediates', () => invalid(say`this device has no immediate data.`));
  }

  dispatchWorkgroups(countX: number, countY = 1, countZ = 1): undefined {
    const x = integer(countX, 'dispatchWorkgroups: workgroupCountX');
    const y = integer(countY, 'dispatchWorkgroups: workgroupCountY');
    const z = integer(countZ, 'dispatchWorkgroups: workgroupCountZ');
    if (!this.usable('dispatchWorkgroups')) return;
    const most = this.device.limits.maxComputeWorkgroupsPerDimension;
    const count = x * y * z;
    if (!this.#bindings || x > most || y > most || z > most || count >= 2 ** 31) {
      this.encode('dispatchWorkgroups', () => {
        this.#bindings ??= this.#bind();
        check(
          x <= most && y <= most && z <= most,
          () => say`${x} × ${y} × ${z} workgroups: a dimension has ${most} at most.`,
        );
        check(count < 2 ** 31, () => say`${x} × ${y} × ${z} workgroups: one dispatch has fewer than 2^31 here.`);
      });
      if (this.recording.error) return;
    }
    if (count === 0) return;
    const { words } = this.recording;
    const bindings = this.#bindings!;
    words.push(head(layout.dispatch, 7 + bindings.length), this.#pipeline!.kernel, count, x, y, z, 0);
    for (let i = 0; i < bindings.length; i++) words.push(bindings[i]!);
  }

  dispatchWorkgroupsIndirect(indirectBuffer: GPUBuffer, indirectOffset: number): undefined {
    const buffer = instance(indirectBuffer, GpuBuffer, 'dispatchWorkgroupsIndirect: indirectBuffer');
    const offset = size64(indirectOffset, 'dispatchWorkgroupsIndirect: indirectOffset');
    this.encode('dispatchWorkgroupsIndirect', () => {
      this.#bindings ??= this.#bind();
      buffer.require(this.device);
      check(buffer.usage & bufferUsage.INDIRECT, () => say`${buffer.show()} lacks the usage INDIRECT.`);
      check(offset % 4 === 0, () => say`offset ${offset} is not a multiple of 4.`);
      check(
        offset + 12 <= buffer.size,
        () => say`bytes ${offset} to ${offset + 12} are not within the ${buffer.size} of ${buffer.show()}.`,
      );
      check(
        !this.#written.has(buffer),
        () => say`${buffer.show()} holds the counts of workgroups and is bound as storage that is written.`,
      );
      this.recording.used.add(buffer);
      const most = this.device.limits.maxComputeWorkgroupsPerDimension;
      const words = head(layout.indirect, 8 + this.#bindings.length);
      this.recording.words.push(
        words,
        this.#pipeline!.kernel,
        buffer.address + offset,
        most,
        0,
        0,
        0,
        0,
        ...this.#bindings,
      );
    });
  }

  end(): undefined {
    if (!this.usable('end')) return;
    this.encode('end', () => check(this.groups === 0, () => say`${this.groups} debug groups are open.`));
    this.#stamp(this.#timestamps?.end);
    this.state = 'ended';
    if (this.recording === this.#parent.recording && this.#parent.state === 'locked') this.#parent.state = 'open';
  }

  #stamp(index: number | undefined): void {
    if (index !== undefined)
      this.recording.words.push(head(layout.stamp, 2), this.#timestamps!.set.address + index * 8);
  }

  /** The specification's "validate encoder bind groups" and the usage scope of a dispatch. Throws a Fault. */
  #bind(): number[] {
    const pipeline = this.#pipeline;
    check(pipeline, () => say`no pipeline is set.`);
    pipeline.require(this.device);
    const bound: Bound[] = [];
    const starts: number[] = [];
    pipeline.layout!.groups.forEach((expected, index) => {
      starts.push(bound.length);
      if (!expected) return;
      const set = this.#groups[index];
      if (!set) invalid(say`no bind group is set for group ${index} of ${pipeline.show()}.`);
      const { group, offsets } = set;
      if (group.layout.identity !== expected.identity) {
        const why =
          expected.exclusive || group.layout.exclusive
            ? say`a default layout fits its own pipeline only`
            : say`the layouts differ`;
        invalid(say`group ${index}: ${group.show()} does not fit ${pipeline.show()}: ${why}.`);
      }
      let dynamic = 0;
      for (const entry of group.entries) {
        const offset = entry.offset + (entry.layout.dynamic ? offsets[dynamic++]! : 0);
        bound.push({ entry, start: offset, size: entry.size ?? Math.max(0, entry.buffer.size - offset) });
      }
    });
    this.#checkScope(bound);
    const words: number[] = [];
    for (const { group, entry, minimum } of pipeline.slots) {
      const { entry: given, start, size } = bound[starts[group]! + entry]!;
      if (size < minimum) {
        const name = `@group(${group}) @binding(${given.layout.binding})`;
        invalid(say`${name}: ${size} bytes of ${given.buffer.show()} are bound; ${pipeline.show()} needs ${minimum}.`);
      }
      words.push(given.buffer.address + start, size);
    }
    return words;
  }

  /** A buffer that is written is bound in no other way, and its ranges do not overlap. */
  #checkScope(bound: readonly Bound[]): void {
    this.#written.clear();
    const writes = ({ entry }: Bound) => entry.layout.type === 'storage';
    for (const one of bound) if (writes(one)) this.#written.add(one.entry.buffer);
    if (this.#written.size === 0) return;
    for (let i = 0; i < bound.length; i++) {
      const one = bound[i]!;
      const { buffer, layout: own } = one.entry;
      if (!this.#written.has(buffer)) continue;
      if (!writes(one))
        invalid(
          say`${buffer.show()} is bound both as storage that is written and as ${own.type} (binding ${own.binding}).`,
        );
      for (let j = 0; j < i; j++) {
        const other = bound[j]!;
        const apart = one.start + one.size <= other.start || other.start + other.size <= one.start;
        const stages = own.visibility & other.entry.layout.visibility & shaderStage.COMPUTE;
        if (other.entry.buffer === buffer && !apart && stages) {
          invalid(
            say`bindings ${other.entry.layout.binding} and ${own.binding} write overlapping ranges of ${buffer.show()}.`,
          );
        }
      }
    }
  }
}

function convertOffsets(given: Iterable<number> | undefined, start?: number, length?: number): readonly number[] {
  if (given === undefined) return [];
  if (start === undefined && length === undefined) {
    return sequence(given, 'setBindGroup: dynamicOffsets').map((value) =>
      integer(value, 'setBindGroup: a dynamic offset'),
    );
  }
  const data = instance(given, Uint32Array, 'setBindGroup: dynamicOffsetsData');
  const from = size64(start, 'setBindGroup: dynamicOffsetsDataStart');
  const count = integer(length, 'setBindGroup: dynamicOffsetsDataLength');
  if (from + count > data.length)
    throw new RangeError(`setBindGroup: offsets ${from} to ${from + count} are not within the ${data.length} given.`);
  return [...data.subarray(from, from + count)];
}

/** Dynamic offsets come in the order of the bindings. Throws a Fault. */
function checkOffsets(group: GpuBindGroup, offsets: readonly number[]): void {
  const { limits } = group.device;
  group.entries
    .filter(({ layout: { dynamic } }) => dynamic)
    .forEach(({ layout: own, buffer, offset, size }, i) => {
      const name = own.type === 'uniform' ? 'minUniformBufferOffsetAlignment' : 'minStorageBufferOffsetAlignment';
      check(
        offsets[i]! % limits[name] === 0,
        () => say`dynamic offset ${offsets[i]} is not a multiple of ${name}, ${limits[name]}.`,
      );
      const end = offset + offsets[i]! + (size ?? own.minimum);
      check(
        end <= buffer.size,
        () =>
          say`binding ${own.binding}: with dynamic offset ${offsets[i]} it ends at ${end}, ${buffer.show()} at ${buffer.size}.`,
      );
    });
}
