// Where experts' weights are while a mixture samples.
import { type Expert, type Params, toFlat } from '@paris/model';
import type { Tensor, TreeOf } from '@paris/tensor';

/** A network and its weights on the device. */
export interface LoadedExpert {
  readonly expert: Expert;
  readonly params: TreeOf<Tensor>;
}

/**
 * Hands out experts' weights. `acquire` may upload them and drop others; nothing else in a mixture knows where they are.
 */
export interface ExpertShelf {
  /** By cluster. Experts with the same config share one, and so its compiled plans. */
  readonly experts: readonly Expert[];
  /** Which experts' weights are on the device now. */
  readonly resident: ReadonlySet<number>;
  /** What has happened so far; undefined where all weights stay on the device. */
  readonly residency: Residency | undefined;
  /** An expert's weights on the device. They stay there until the lease is released. A signal ends the wait. */
  acquire(expert: number, signal?: AbortSignal): Promise<Lease>;
}

/** Weights that are in use. */
export interface Lease {
  /** By path. */
  readonly params: Params;
  /** What it took to bring them; undefined if they were there. */
  readonly load?: ExpertLoad | undefined;
  /** From now on they may leave the device. A second call does nothing. */
  release(): void;
}

/** What loading an expert took. */
export interface ExpertLoad {
  /** Bytes that were uploaded. */
  readonly bytes: number;
  /** How many experts had to leave. */
  readonly evictions: number;
  /** Waiting for room, reading, checking, uploading. */
  readonly milliseconds: number;
}

/** Where experts are, and how often they have moved. */
export interface Residency {
  /** Most bytes that experts may take together. */
  readonly budgetBytes: number;
  /** What they take now. */
  readonly residentBytes: number;
  /** The most that they have taken at once. */
  readonly peakBytes: number;
  /** How often an expert was loaded. */
  readonly loads: number;
  /** How often one left to make room. */
  readonly evictions: number;
  /** Bytes uploaded by all loads. */
  readonly loadedBytes: number;
  /** Time that all loads took. */
  readonly loadMilliseconds: number;
}

/** Experts that are all on the device and stay there. */
export function residentShelf(loaded: readonly LoadedExpert[]): ExpertShelf {
  const leases = loaded.map(({ params }): Lease => ({ params: toFlat(params), release: () => {} }));
  return {
    experts: loaded.map(({ expert }) => expert),
    resident: new Set(leases.keys()),
    residency: undefined,
    acquire: async (expert) => leases[expert]!,
  };
}
