/** Latents in float64 for the tests, with a ledger of who has disposed of what. */
import type { Denoised, Denoiser, Latents } from './sampler.js';

/** Counts the vectors that were computed and not yet disposed of. */
export class Ledger {
  readonly live = new Set<Vector>();
  evaluations = 0;

  /** A computed vector, as a tensor that came out of a call. */
  vector(values: ArrayLike<number>): Vector {
    const vector = new Vector(this, Float64Array.from(values));
    this.live.add(vector);
    return vector;
  }

  /** A denoiser from a velocity field; on the linear path x̂₀ = x − t·v. */
  denoiser(velocityAt: (x: number, time: number) => number): Denoiser<Vector> {
    return async (latents: Vector, time: number): Promise<Denoised<Vector>> => {
      this.evaluations += 1;
      const velocity = latents.read().map((x) => velocityAt(x, time));
      const sample = latents.read().map((x, i) => x - time * velocity[i]!);
      await Promise.resolve();
      return { sample: this.vector(sample), velocity: this.vector(velocity) };
    };
  }
}

/** Lazy like a tensor: arithmetic makes no memory, `device.run` does. Used after `dispose()` it throws. */
export class Vector implements Latents<Vector> {
  readonly device: { run(tree: Vector): Promise<void> };
  #disposed = false;

  constructor(
    readonly ledger: Ledger,
    private readonly values: Float64Array,
  ) {
    this.device = {
      run: async (vector) => {
        ledger.live.add(vector);
      },
    };
  }

  add(other: Vector): Vector {
    return new Vector(
      this.ledger,
      this.read().map((value, i) => value + other.read()[i]!),
    );
  }

  mul(factor: number): Vector {
    return new Vector(
      this.ledger,
      this.read().map((value) => value * factor),
    );
  }

  read(): Float64Array {
    if (this.#disposed) throw new Error('used after dispose()');
    return this.values;
  }

  dispose(): void {
    this.#disposed = true;
    this.ledger.live.delete(this);
  }
}
