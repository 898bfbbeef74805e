// Bringing an expert before the router asks for it.
import type { ValueError } from '@paris/tensor';
import type { Parts } from '../pipeline/pipeline.js';

/** See `Pipeline.preload`. The error is handed over, so that bundlers need no further chunk for it. */
export async function preload(
  { index, shelf }: Pick<Parts, 'index' | 'shelf'>,
  expert: number,
  signal: AbortSignal | undefined,
  Refusal: typeof ValueError,
): Promise<void> {
  const { clusters } = index;
  if (!Number.isInteger(expert) || expert < 0 || expert >= clusters) {
    throw new Refusal('preload', `there is no expert ${expert}. Name one from 0 to ${clusters - 1}.`);
  }
  (await shelf.acquire(expert, signal)).release();
}
