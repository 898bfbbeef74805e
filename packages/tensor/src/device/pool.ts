// Buffers by size, kept for the next call that needs one. In a training loop every buffer is found here from the
// third step on: results and donated inputs come back in the order in which they are asked for again.
import { LimitError, OutOfMemoryError } from '../errors.js';
import { showType } from '../graph/node.js';
import { PooledBuffer, type Storage } from './storage.js';

// GPUBufferUsage, spelled out: the constants are not global everywhere that WebGPU is.
const [mapRead, copySource, copyTarget, uniform, storage] = [1, 4, 8, 64, 128];
export const usage: Readonly<Record<'memory' | 'words' | 'staging', number>> = {
  memory: storage | copySource | copyTarget,
  words: uniform | copyTarget,
  staging: mapRead | copyTarget,
};

/** Free memory that is kept for reuse before the oldest buffers are destroyed. */
const keepBytes = 512 * 2 ** 20;

export class BufferPool {
  /** Sizes are multiples of 256 and usages are below 256: their sum names both. */
  private readonly free = new Map<number, PooledBuffer[]>();
  private readonly all = new Set<PooledBuffer>();
  private freeBytes = 0;
  private nextId = 0;
  private closed = false;
  private shared: PooledBuffer | undefined;
  /** The claims on the buffers: what to name when there is no room. */
  readonly live: Set<Storage> = new Set<Storage>();
  created = 0;
  bytesAllocated = 0;

  constructor(private readonly gpu: GPUDevice) {}

  /** A buffer of at least `bytes`; its contents are whatever was there before. It may turn out not to fit: see {@link settle}. */
  take(bytes: number, label: string, use: number = usage.memory): PooledBuffer {
    const size = roundUp(bytes);
    const found = this.free.get(size + use)?.pop();
    if (!found) return this.create(size, label, use);
    this.freeBytes -= size;
    return found;
  }

  /** A new buffer, filled with zeros. */
  create(bytes: number, label: string, use: number = usage.memory): PooledBuffer {
    const size = roundUp(bytes);
    const { maxBufferSize } = this.gpu.limits;
    if (size > maxBufferSize) {
      const takes = `${label} takes ${size} bytes in one buffer`;
      throw new LimitError(
        'memory',
        `${takes}, and this adapter allows ${maxBufferSize}. Use a smaller batch or model.`,
      );
    }
    const buffer = new PooledBuffer(this.nextId++, size, use, this);
    this.all.add(buffer);
    this.created++;
    this.bytesAllocated += size;
    buffer.ready = this.allocate(buffer, label);
    buffer.ready.catch(() => this.forget(buffer));
    return buffer;
  }

  /** If there is no room, tries once more when all that is only kept for reuse has gone. */
  private async allocate(buffer: PooledBuffer, label: string): Promise<void> {
    if (await this.attempt(buffer, label)) return;
    this.trim();
    await this.gpu.queue.onSubmittedWorkDone();
    if (await this.attempt(buffer, label)) return;
    throw new OutOfMemoryError(
      'memory',
      `the device has no room for ${label} (${showBytes(buffer.sizeBytes)}) in addition to the ${showBytes(this.bytesAllocated - buffer.sizeBytes)} in use. The largest live tensors: ${this.largest()}. Dispose of tensors or use a smaller batch.`,
    );
  }

  private async attempt(buffer: PooledBuffer, label: string): Promise<boolean> {
    this.gpu.pushErrorScope('out-of-memory');
    buffer.gpu = this.gpu.createBuffer({ size: buffer.sizeBytes, usage: buffer.usage, label });
    const error = await this.gpu.popErrorScope();
    if (error) buffer.gpu.destroy();
    return !error;
  }

  /** Waits until new buffers are known to exist. @throws OutOfMemoryError */
  async settle(buffers: Iterable<PooledBuffer>): Promise<void> {
    for (const buffer of buffers) {
      const { ready } = buffer;
      if (!ready) continue;
      await ready;
      if (buffer.ready === ready) buffer.ready = undefined;
    }
  }

  /** Memory for what lives within one submit. All plans share it: the queue runs one submit after the other. */
  scratch(bytes: number): PooledBuffer {
    if (!this.shared || this.shared.failed || this.shared.sizeBytes < bytes) {
      const grown = this.take(bytes, 'the temporaries of a graph');
      grown.retain();
      this.shared?.release();
      this.shared = grown;
    }
    return this.shared;
  }

  giveBack(buffer: PooledBuffer): void {
    if (this.closed || buffer.failed) return;
    const key = buffer.sizeBytes + buffer.usage;
    const list = this.free.get(key);
    if (list) list.push(buffer);
    else this.free.set(key, [buffer]);
    this.freeBytes += buffer.sizeBytes;
    if (this.freeBytes > keepBytes) this.trim(keepBytes);
  }

  /** Destroys free buffers, those of one size after those of another and the oldest first, until so many bytes are left. */
  private trim(toBytes = 0): void {
    if (toBytes === 0) {
      this.shared?.release();
      this.shared = undefined;
    }
    for (const list of this.free.values()) {
      while (list.length > 0 && this.freeBytes > toBytes) {
        const buffer = list.shift()!;
        this.all.delete(buffer);
        buffer.failed = true;
        buffer.gpu.destroy();
        this.freeBytes -= buffer.sizeBytes;
        this.bytesAllocated -= buffer.sizeBytes;
      }
    }
  }

  /** A buffer that could not be made. */
  private forget(buffer: PooledBuffer): void {
    buffer.failed = true;
    this.all.delete(buffer);
    this.created--;
    this.bytesAllocated -= buffer.sizeBytes;
    const list = this.free.get(buffer.sizeBytes + buffer.usage) ?? [];
    const at = list.indexOf(buffer);
    if (at < 0) return;
    list.splice(at, 1);
    this.freeBytes -= buffer.sizeBytes;
  }

  /** `3 × f32 [64, 64] (49.2 kB), …`: the five kinds of live tensors that take most. */
  private largest(): string {
    const kinds = new Map<string, { count: number; bytes: number }>();
    for (const { type, sizeBytes, buffer } of this.live) {
      if (buffer.failed) continue;
      const kind = kinds.get(showType(type)) ?? { count: 0, bytes: 0 };
      kinds.set(showType(type), { count: kind.count + 1, bytes: kind.bytes + sizeBytes });
    }
    const sorted = [...kinds].sort(([, a], [, b]) => b.bytes - a.bytes).slice(0, 5);
    const lines = sorted.map(([name, { count, bytes }]) => `${count} × ${name} (${showBytes(bytes)})`);
    return lines.join(', ') || 'none';
  }

  /** Destroys every buffer, those of tensors too. */
  close(): void {
    this.closed = true;
    for (const buffer of this.all) buffer.gpu.destroy();
  }
}

function roundUp(bytes: number): number {
  return Math.max(256, Math.ceil(bytes / 256) * 256);
}

/** `16 B`, `1.05 MB` */
function showBytes(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  const power = Math.min(3, Math.floor(Math.log10(bytes) / 3));
  return `${(bytes / 1000 ** power).toPrecision(3)} ${['B', 'kB', 'MB', 'GB'][power]}`;
}
