// Pictures of other clusters that an expert is to see, too: a small share can help it (MoDE, arXiv 2404.16030, trains
// with 2 %). They are copied into the cluster's own folder, so its training still opens nothing else.
import { hostPermutation, type Key, ValueError } from '@paris/tensor';
import { Numbers } from '../data/numbers.js';

/**
 * Which pictures are copied into a cluster: drawn without replacement from those of all other clusters alike, a pure
 * function of the key.
 * @param labels - the cluster of each picture, [N]
 * @param ratio - their share of the folder's pictures, in [0, 1): 2 of 100 for 0.02. Rounded to whole pictures, and no
 *   more than there are
 * @returns indices of `labels`, ascending
 * @throws ValueError for a ratio outside [0, 1)
 */
export function drawOutOfCluster(labels: ArrayLike<number>, cluster: number, ratio: number, key: Key): number[] {
  checkRatio(ratio);
  if (ratio === 0) return [];
  const found = new Numbers();
  for (let i = 0; i < labels.length; i++) if (labels[i] !== cluster) found.push(i);
  const others = found.all();
  const own = labels.length - others.length;
  const wanted = Math.min(others.length, Math.round((own * ratio) / (1 - ratio)));
  if (wanted === 0) return [];
  const order = hostPermutation(key.foldIn(cluster), others.length);
  return Array.from(order.subarray(0, wanted), (place) => others[place]!).sort((a, b) => a - b);
}

/** @throws ValueError for a share of a folder that is none */
export function checkRatio(ratio: number): void {
  if (ratio >= 0 && ratio < 1) return;
  throw new ValueError('partition', `the share of pictures from other clusters must be in [0, 1), got ${ratio}.`);
}
