// Buffers by size, kept for the next call that needs one. In a training loop every buffer is found here from the
// third step on: results and donated inputs come back in the order in which they are asked for again.
import { LimitError, OutOfMemoryError } from '../errors.js';
import { PooledBuffer } from './storage.js';

// GPUBufferUsage, spelled out: the constants are not global everywhere that WebGPU is.
export const usage = { mapRead: 1, copySource: 4, copyTarget: 8, uniform: 64, storage: 128 } as const;

/** Free memory that is kept for reuse before the oldest buffers are destroyed. */
const keepBytes = 512 * 2 ** 20;

export class BufferPool {
  private readonly free = new Map<number, PooledBuffer[]>();
  private freeBytes = 0;
  private nextId = 0;
  private closed = false;
  private checks: Promise<void>[] = [];
  created = 0;
  bytesAllocated = 0;

  constructor(private readonly device: GPUDevice) {}

  /** A buffer of at least `bytes`; its contents are whatever was there before. */
  take(bytes: number, label: string): PooledBuffer {
    const size = Math.max(256, Math.ceil(bytes / 256) * 256);
    const found = this.free.get(size)?.pop();
    if (found) {
      this.freeBytes -= size;
      return found;
    }
    return this.create(size, label);
  }

  /** A new buffer, filled with zeros. */
  create(size: number, label: string): PooledBuffer {
    const { maxBufferSize } = this.device.limits;
    if (size > maxBufferSize) {
      throw new LimitError(
        label,
        `${size} bytes in one buffer, and this adapter allows ${maxBufferSize}. Use a smaller batch or model.`,
      );
    }
    this.created++;
    this.bytesAllocated += size;
    this.device.pushErrorScope('out-of-memory');
    const buffer = this.device.createBuffer({
      size,
      usage: usage.storage | usage.copySource | usage.copyTarget,
      label,
    });
    this.checks.push(
      this.device.popErrorScope().then((error) => {
        if (error)
          throw new OutOfMemoryError(
            label,
            `the device has no room for ${size} more bytes (${this.bytesAllocated} are in use). Use a smaller batch or dispose of tensors.`,
          );
      }),
    );
    return new PooledBuffer(this.nextId++, buffer, size, this);
  }

  /** Waits until every new buffer is known to exist; nothing to wait for when none is new. Throws OutOfMemoryError. */
  async settle(): Promise<void> {
    if (this.checks.length === 0) return;
    const checks = this.checks;
    this.checks = [];
    await Promise.all(checks);
  }

  giveBack(buffer: PooledBuffer): void {
    if (this.closed) return;
    const list = this.free.get(buffer.sizeBytes) ?? [];
    list.push(buffer);
    this.free.set(buffer.sizeBytes, list);
    this.freeBytes += buffer.sizeBytes;
    while (this.freeBytes > keepBytes) this.destroyOne();
  }

  private destroyOne(): void {
    for (const [size, list] of this.free) {
      const buffer = list.shift();
      if (!buffer) continue;
      buffer.gpu.destroy();
      this.freeBytes -= size;
      this.bytesAllocated -= size;
      return;
    }
  }

  close(): void {
    this.closed = true;
    for (const list of this.free.values()) for (const buffer of list) buffer.gpu.destroy();
    this.free.clear();
  }
}
