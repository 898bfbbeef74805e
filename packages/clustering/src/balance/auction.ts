// Rows to clusters of given sizes, at the lowest total cost: the transportation problem, solved by an auction.
import { ClusteringError } from '../errors.js';

/**
 * The auction algorithm (Bertsekas 1988, "The auction algorithm: a distributed relaxation method for the assignment
 * problem") in its form for places that are alike (Bertsekas & Castañon 1989, "The auction algorithm for the
 * transportation problem"), with ε-scaling. Rows bid for places; a place goes to the highest bid, and who is outbid bids
 * again. The total cost is at most N·ε above the lowest possible, ε = (highest − lowest cost) / 10,000.
 * @param costs - of row n in cluster k, [N, K]; finite
 * @param capacities - places per cluster, [K]; their sum is N
 * @returns the cluster of each row, [N]
 * @throws ClusteringError if places are no whole numbers, or not as many as the rows, or a cost is not finite
 */
export function auctionAssignment(costs: ArrayLike<number>, capacities: readonly number[]): Uint32Array {
  const clusters = capacities.length;
  const places = capacities.reduce((sum, capacity) => sum + capacity, 0);
  if (places * clusters !== costs.length) {
    const rows = costs.length / clusters;
    throw new ClusteringError('auctionAssignment', `${places} places for ${rows} rows. Give each row one place.`);
  }
  const broken = capacities.findIndex((capacity) => !(Number.isInteger(capacity) && capacity >= 0));
  if (broken >= 0) {
    const what = `cluster ${broken} has ${capacities[broken]} places`;
    throw new ClusteringError('auctionAssignment', `${what}. Give whole numbers from 0 on.`);
  }
  const open = capacities.flatMap((capacity, k) => (capacity > 0 ? [k] : []));
  if (open.length < 2) return new Uint32Array(places).fill(open[0] ?? 0);
  const range = rangeOf(costs);
  if (!Number.isFinite(range)) {
    throw new ClusteringError('auctionAssignment', 'a cost is NaN or infinite. Give finite costs.');
  }
  if (range === 0) return inOrder(capacities);
  // Nobody can pay for a cluster without places.
  const prices = Float64Array.from(capacities, (capacity) => (capacity > 0 ? 0 : Number.POSITIVE_INFINITY));
  let labels = new Uint32Array(places);
  for (const share of [0.2, 0.03, 0.005, 0.0007, 0.0001]) {
    labels = auction(costs, capacities, prices, share * range); // prices stay: each round starts near its end
  }
  return labels;
}

/** Sizes [K] that differ by one at most and sum up to `rows`. */
export function equalCapacities(rows: number, clusters: number): number[] {
  return Array.from({ length: clusters }, (_, k) => Math.floor(rows / clusters) + (k < rows % clusters ? 1 : 0));
}

/** One auction, from and to `prices`, which it changes. */
function auction(
  costs: ArrayLike<number>,
  capacities: readonly number[],
  prices: Float64Array,
  epsilon: number,
): Uint32Array<ArrayBuffer> {
  const clusters = capacities.length;
  const rows = costs.length / clusters;
  const labels = new Uint32Array(rows);
  const held = capacities.map(() => new BidHeap());
  const waiting = Array.from({ length: rows }, (_, i) => rows - 1 - i);
  for (let row = waiting.pop(); row !== undefined; row = waiting.pop()) {
    let [best, bestValue, secondValue] = [0, Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (let k = 0; k < clusters; k++) {
      const value = -costs[row * clusters + k]! - prices[k]!;
      if (value > bestValue) [best, bestValue, secondValue] = [k, value, bestValue];
      else if (value > secondValue) secondValue = value;
    }
    // Up to where the second best cluster would be as good, and ε more, so that no two rows outbid each other forever.
    held[best]!.push(prices[best]! + bestValue - secondValue + epsilon, row);
    labels[row] = best;
    if (held[best]!.size > capacities[best]!) waiting.push(held[best]!.pop());
    if (held[best]!.size === capacities[best]!) prices[best] = held[best]!.lowest;
  }
  return labels;
}

/** Bids for the places of one cluster, the lowest on top: a binary heap. */
class BidHeap {
  private readonly bids: number[] = [];
  private readonly rows: number[] = [];

  get size(): number {
    return this.bids.length;
  }

  get lowest(): number {
    return this.bids[0]!;
  }

  push(bid: number, row: number): void {
    let at = this.bids.push(bid) - 1;
    this.rows.push(row);
    for (let parent = (at - 1) >> 1; at > 0 && this.bids[at]! < this.bids[parent]!; parent = (at - 1) >> 1) {
      this.swap(at, parent);
      at = parent;
    }
  }

  /** Takes the row with the lowest bid out. */
  pop(): number {
    this.swap(0, this.bids.length - 1);
    this.bids.pop();
    const row = this.rows.pop()!;
    for (let at = 0; ; ) {
      let least = at;
      for (const child of [2 * at + 1, 2 * at + 2]) {
        if (child < this.bids.length && this.bids[child]! < this.bids[least]!) least = child;
      }
      if (least === at) return row;
      this.swap(at, least);
      at = least;
    }
  }

  private swap(a: number, b: number): void {
    [this.bids[a], this.bids[b]] = [this.bids[b]!, this.bids[a]!];
    [this.rows[a], this.rows[b]] = [this.rows[b]!, this.rows[a]!];
  }
}

function rangeOf(costs: ArrayLike<number>): number {
  let [lowest, highest] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let i = 0; i < costs.length; i++) {
    lowest = Math.min(lowest, costs[i]!);
    highest = Math.max(highest, costs[i]!);
  }
  return highest - lowest;
}

function inOrder(capacities: readonly number[]): Uint32Array {
  return Uint32Array.from(capacities.flatMap((capacity, k) => new Array<number>(capacity).fill(k)));
}
