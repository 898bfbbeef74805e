// Which segments are replayed: decided by the root, which the worker gave away first, and by bytes that nobody knew before.
import { sha256 } from '@paris/files';

/** 32 bytes that nobody can foresee. */
export function freshRandomness(): Uint8Array {
  return crypto.getRandomValues(new Uint8Array(32));
}

/**
 * `count` different segments of `segments`, ascending. A pure function of root and randomness, so that everybody can draw again
 * what was drawn: Fisher–Yates with the numbers of SHA-256(root ‖ randomness ‖ i), each of which is rejected where a remainder
 * would favour some.
 */
export async function drawSegments(
  segments: number,
  count: number,
  { root, randomness }: { root: string; randomness: Uint8Array },
): Promise<number[]> {
  const order = Array.from({ length: segments }, (_, i) => i);
  let used = 0;
  const below = async (bound: number): Promise<number> => {
    const fair = 2 ** 48 - (2 ** 48 % bound);
    for (;;) {
      const digest = await sha256(new TextEncoder().encode(`${root} ${hexOf(randomness)} ${used++}`));
      const value = Number.parseInt(digest.slice(0, 12), 16);
      if (value < fair) return value % bound;
    }
  };
  for (let i = 0; i < count; i++) {
    const j = i + (await below(segments - i));
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order.slice(0, count).sort((a, b) => a - b);
}

export function hexOf(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
