// Device memory as tensors see it: a window of a buffer, counted by its holders. The last one to let go gives the
// buffer back to its pool, from where a later call takes it: the queue runs in order, so no fence is needed.
import { DisposedTensorError, DonatedTensorError, TraceError, ValueError } from '../errors.js';
import type { Type, Value } from '../graph/node.js';
import type { BufferPool } from './pool.js';

/** A buffer with an identity (for caches of bind groups) and a count of who needs it: storages, and runs under way. */
export class PooledBuffer {
  declare gpu: GPUBuffer;
  /** Until it is known whether there is room for a new buffer. */
  ready: Promise<void> | undefined;
  /** It could not be made, or was destroyed since. */
  failed = false;
  private holders = 0;

  constructor(
    readonly id: number,
    readonly sizeBytes: number,
    readonly usage: number,
    readonly pool: BufferPool,
  ) {}

  retain(): void {
    this.holders++;
  }

  release(): void {
    if (--this.holders === 0) this.pool.giveBack(this);
  }

  /** Writes now, or as soon as the buffer exists: before anything that waits for it to be ready. */
  write(queue: GPUQueue, bytes: Uint8Array<ArrayBuffer>): void {
    if (bytes.byteLength === 0) return; // Deno 2.9 panics on a view of no bytes
    const write = () => this.failed || queue.writeBuffer(this.gpu, 0, bytes);
    if (!this.ready) return void write();
    this.ready = this.ready.then(() => void write());
    this.ready.catch(() => {});
  }
}

/** The memory of one tensor: bytes [offset, offset + size) of a buffer. */
export class Storage {
  /** Changed by {@link end}. */
  status: 'live' | 'disposed' | 'donated' = 'live';

  constructor(
    readonly buffer: PooledBuffer,
    readonly offsetBytes: number,
    readonly sizeBytes: number,
    readonly type: Type,
  ) {
    buffer.retain();
    buffer.pool.live.add(this);
  }

  /** Ends this claim on the buffer; a second call does nothing. */
  end(how: 'disposed' | 'donated' = 'disposed'): void {
    if (this.status !== 'live') return;
    this.status = how;
    this.buffer.pool.live.delete(this);
    this.buffer.release();
  }
}

/**
 * Gives a value its memory. If the value is forgotten without dispose(), the memory comes back when the collector
 * notices: a safety net only, since collectors do not see GPU memory and do not run in a loop that never yields.
 */
export function materialize(value: Value, storage: Storage): void {
  value.storage = storage;
  forgotten.register(value, storage);
}

/** The memory of a value that has been computed: all storages are made here. */
export function storageOf(value: Value): Storage | undefined {
  return value.storage as Storage | undefined;
}

const forgotten = new FinalizationRegistry<Storage>((storage) => storage.end());

/**
 * Whether the inputs of a graph still have their memory.
 * @throws the typed error of the first leaf whose memory is not there, or not in this pool
 */
export function requireLive(leaves: readonly Value[], pool: BufferPool): void {
  for (const leaf of leaves) {
    if (leaf.operand) continue;
    const storage = storageOf(leaf);
    if (storage && storage.buffer.pool !== pool) {
      throw new ValueError('run', 'the graph needs a tensor of another device. Read it there and upload it here.');
    }
    if (storage?.status === 'live') continue;
    const needs = 'the graph needs a tensor that was';
    if (storage?.status === 'donated') {
      throw new DonatedTensorError('run', `${needs} donated. Use what the compiled call returned.`);
    }
    if (storage) throw new DisposedTensorError('run', `${needs} disposed. Dispose it after its last use.`);
    const what = `a ${leaf.node.op.name} of a function that is no longer traced`;
    throw new TraceError('run', `the graph needs ${what}. Return tensors, do not keep them.`);
  }
}
