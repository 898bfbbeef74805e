/** Weights of a batch → which pictures each expert runs, in sizes that repeat. Numbers on the host. */
import { ValueError } from '@paris/tensor';

/** One expert's share of a batch. */
export interface ExpertBatch {
  readonly expert: number;
  /** How many pictures it is to run. */
  readonly count: number;
  /**
   * Which pictures, padded with the first of them to a power of two: [bucket]. Shapes repeat, so compiled plans do.
   */
  readonly pictures: Uint32Array;
  /** Row-major [B, bucket]: the weight of gathered row j in picture i; zero in padding. */
  readonly weights: Float32Array;
}

/**
 * The experts that run, in ascending order, each with its pictures.
 * @param weights - [K] for each of the B pictures
 */
export function assignBatch(weights: readonly Float32Array[]): ExpertBatch[] {
  const experts = weights[0]?.length ?? 0;
  const batches: ExpertBatch[] = [];
  for (let expert = 0; expert < experts; expert++) {
    const chosen = weights.flatMap((row, picture) => (row[expert]! > 0 ? [picture] : []));
    if (chosen.length === 0) continue;
    const bucket = 2 ** Math.ceil(Math.log2(chosen.length));
    const pictures = Uint32Array.from({ length: bucket }, (_, j) => chosen[j] ?? chosen[0]!);
    const scatter = new Float32Array(weights.length * bucket);
    for (const [j, picture] of chosen.entries()) scatter[picture * bucket + j] = weights[picture]![expert]!;
    batches.push({ expert, count: chosen.length, pictures, weights: scatter });
  }
  return batches;
}

/**
 * What a policy may answer: one weight for each expert, none negative, together 1.
 * @throws ValueError otherwise
 */
export function checkWeights(weights: Float32Array, experts: number, imageIndex: number): void {
  let total = 0;
  for (const weight of weights) total += weight >= 0 ? weight : Number.NaN;
  if (weights.length === experts && Math.abs(total - 1) < 1e-3) return;
  throw new ValueError(
    'routing',
    `the policy gave picture ${imageIndex} the weights [${[...weights].join(', ')}]. ` +
      `Give ${experts} that are not negative and sum to 1.`,
  );
}
