// Device memory as tensors see it: a window of a buffer, counted by its holders. The last one to let go gives the
// buffer back to its pool, from where a later call takes it: the queue runs in order, so no fence is needed.
import type { Value } from '../graph/node.js';
import type { BufferPool } from './pool.js';

/** A buffer with an identity (for caches of bind groups) and a count of the storages that lie in it. */
export class PooledBuffer {
  holders = 0;

  constructor(
    readonly id: number,
    readonly gpu: GPUBuffer,
    readonly sizeBytes: number,
    private readonly pool: BufferPool,
  ) {}

  retain(): void {
    this.holders++;
  }

  release(): void {
    if (--this.holders === 0) this.pool.giveBack(this);
  }
}

/** The memory of one tensor: bytes [offset, offset + size) of a buffer. */
export class Storage {
  private state: 'live' | 'disposed' | 'donated' = 'live';

  constructor(
    readonly buffer: PooledBuffer,
    readonly offsetBytes: number,
    readonly sizeBytes: number,
  ) {
    buffer.retain();
  }

  get status(): 'live' | 'disposed' | 'donated' {
    return this.state;
  }

  /** Ends this claim on the buffer; a second call does nothing. */
  end(how: 'disposed' | 'donated' = 'disposed'): void {
    if (this.state !== 'live') return;
    this.state = how;
    this.buffer.release();
  }
}

/**
 * Gives a value its memory. If the value is forgotten without dispose(), the memory comes back when the collector
 * notices: a safety net only, since collectors do not see GPU memory and do not run in a loop that never yields.
 */
export function materialize(value: Value, storage: Storage): void {
  value.storage = storage;
  forgotten?.register(value, storage);
}

const forgotten =
  typeof FinalizationRegistry === 'undefined'
    ? undefined
    : new FinalizationRegistry<Storage>((storage) => storage.end());
