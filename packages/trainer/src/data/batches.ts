// Which pictures, times and noise a training step sees: a pure function of (seed, cluster, step). Resuming a run, or
// training one expert alone, therefore needs no generator's state.
import { hostBits, hostUniform, type Key, key } from '@paris/tensor';
import { type TimeDensity, uniformDensity } from '../train/time-density.js';
import type { LostAtStep } from './lost.js';

/** What decides the batches of a run, in addition to its key. */
export interface BatchSpec {
  /** Pictures in the folder. */
  count: number;
  batchSize: number;
  /** Probability that a picture's caption is replaced by the unconditional one. */
  conditionDropout: number;
  /** Of the times. Default uniform. */
  times?: TimeDensity;
}

/** What a step draws on the host. The noise itself is drawn on the device from `noise`. */
export interface BatchDraw {
  /** Rows of the data, [B]. */
  indices: Uint32Array;
  /** In [0, 1], [B]. */
  times: Float32Array;
  /** Whether the caption is dropped, [B]. */
  dropped: boolean[];
  noise: Key;
  /** How many rows are others than those whose turn it was, which are lost. Default 0. */
  replaced?: number;
}

/** The root of all randomness of a run. A router, a student and a codec have no cluster; each takes a stream of its own. */
export function runKey(seed: number, cluster: number | 'router' | 'student' | 'codec'): Key {
  return key(seed).foldIn(typeof cluster === 'number' ? cluster : ownStreams[cluster]);
}

/** The key from which the weights are initialised. */
export function initKey(run: Key): Key {
  return run.foldIn(STREAM.init);
}

/**
 * Draws the batches of a run. Every picture occurs once in each epoch, in an order of that epoch's own; a batch may
 * reach over the end of one. (DDM, arXiv 2501.05450, Algorithm 1 and eq 6: x_0 from the data, t by its density.)
 */
export class BatchDrawer {
  private readonly orders = new Map<number, Uint32Array>();
  private left: { files: string; rows: Uint32Array } | undefined;

  constructor(
    private readonly run: Key,
    private readonly spec: BatchSpec,
  ) {}

  /**
   * The draw of the step that comes after `step` steps. Rows that are lost are replaced by others, drawn from all that are left:
   * the turn of all others stays as it was.
   */
  draw(step: number, lost?: LostAtStep): BatchDraw {
    const { count, batchSize, conditionDropout, times: density = uniformDensity } = this.spec;
    const own = this.run.foldIn(STREAM.step).foldIn(step);
    const indices = Uint32Array.from({ length: batchSize }, (_, i) => {
      const position = step * batchSize + i;
      return this.order(Math.floor(position / count))[position % count]!;
    });
    const times = density.draw(own.foldIn(DRAW.time), batchSize);
    const dropout = hostUniform(own.foldIn(DRAW.dropout), batchSize);
    const replaced = lost ? this.replace(indices, lost, own) : 0;
    const dropped = Array.from(dropout, (u) => u < conditionDropout);
    return { indices, times, dropped, noise: own.foldIn(DRAW.noise), replaced };
  }

  /** @returns how many rows were replaced */
  private replace(indices: Uint32Array, lost: LostAtStep, own: Key): number {
    const gone = [...indices.keys()].filter((i) => lost.has(indices[i]!));
    if (gone.length === 0) return 0;
    const left = this.leftOf(lost);
    const bits = hostBits(own.foldIn(DRAW.substitute), indices.length);
    for (const i of gone) indices[i] = left[Math.floor((bits[i]! * left.length) / 2 ** 32)]!;
    return gone.length;
  }

  /** All rows that are not lost. */
  private leftOf(lost: LostAtStep): Uint32Array {
    if (this.left?.files !== lost.files) {
      const rows = Uint32Array.from({ length: this.spec.count }, (_, row) => row).filter((row) => !lost.has(row));
      this.left = { files: lost.files, rows };
    }
    return this.left!.rows;
  }

  /** The order of an epoch: Fisher–Yates. Two epochs are kept: a batch may touch both. */
  private order(epoch: number): Uint32Array {
    const known = this.orders.get(epoch);
    if (known) return known;
    const { count } = this.spec;
    const bits = hostBits(this.run.foldIn(STREAM.epoch).foldIn(epoch), count);
    const order = Uint32Array.from({ length: count }, (_, i) => i);
    for (let i = count - 1; i > 0; i--) {
      const j = Math.floor((bits[i]! * (i + 1)) / 2 ** 32);
      [order[i], order[j]] = [order[j]!, order[i]!];
    }
    for (const old of this.orders.keys()) if (old < epoch - 1) this.orders.delete(old);
    this.orders.set(epoch, order);
    return order;
  }
}

// Names of the independent streams below a key. Values are part of the format of a run: never renumber.
const ownStreams = { router: 0xffff_fffe, student: 0xffff_fffd, codec: 0xffff_fffc } as const;
const STREAM = { init: 0, step: 1, epoch: 2 } as const;
const DRAW = { time: 0, dropout: 1, noise: 2, substitute: 3 } as const;
