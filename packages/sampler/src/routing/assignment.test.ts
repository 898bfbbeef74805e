import { describe, expect, it } from 'vitest';
import { assignBatch, checkWeights } from './assignment.js';

const rows = (...weights: number[][]) => weights.map((row) => Float32Array.from(row));

describe('assignBatch', () => {
  it('gathers the pictures of each expert and leaves out experts that nobody needs', () => {
    const batches = assignBatch(rows([0.25, 0, 0.75], [0, 0, 1], [1, 0, 0]));
    expect(batches.map(({ expert, count }) => [expert, count])).toEqual([
      [0, 2],
      [2, 2],
    ]);
    expect([...batches[0]!.pictures]).toEqual([0, 2]);
    expect([...batches[0]!.weights]).toEqual([0.25, 0, 0, 0, 0, 1]); // [3 pictures, 2 rows]
    expect([...batches[1]!.pictures]).toEqual([0, 1]);
    expect([...batches[1]!.weights]).toEqual([0.75, 0, 0, 1, 0, 0]);
  });

  it('pads to a power of two with rows that weigh nothing', () => {
    const [batch] = assignBatch(rows([1], [1], [1], [1], [1]));
    expect([...batch!.pictures]).toEqual([0, 1, 2, 3, 4, 0, 0, 0]);
    for (let picture = 0; picture < 5; picture++) {
      const row = [...batch!.weights.subarray(picture * 8, (picture + 1) * 8)];
      expect(row).toEqual(Array.from({ length: 8 }, (_, j) => (j === picture ? 1 : 0)));
    }
    for (const count of [1, 2, 3, 4, 7, 8, 9]) {
      const [{ pictures } = { pictures: [] }] = assignBatch(new Array(count).fill(Float32Array.of(1)));
      expect(pictures.length).toBe({ 1: 1, 2: 2, 3: 4, 4: 4, 7: 8, 8: 8, 9: 16 }[count]);
    }
  });

  it('keeps every weight: each picture sums to what its policy gave', () => {
    const weights = rows([0.5, 0.5, 0, 0], [0.1, 0.2, 0.3, 0.4], [0, 0, 0, 1]);
    const sums = [0, 0, 0];
    for (const { pictures, weights: scatter } of assignBatch(weights)) {
      for (const i of sums.keys()) for (const j of pictures.keys()) sums[i]! += scatter[i * pictures.length + j]!;
    }
    for (const sum of sums) expect(sum).toBeCloseTo(1, 6);
  });
});

describe('checkWeights', () => {
  it('takes weights that sum to 1 and no others', () => {
    expect(() => checkWeights(Float32Array.of(0.3, 0.7), 2, 0)).not.toThrow();
    expect(() => checkWeights(Float32Array.of(0.5, 0.25), 2, 3)).toThrow(
      '[routing] the policy gave picture 3 the weights [0.5, 0.25]. Give 2 that are not negative and sum to 1.',
    );
    expect(() => checkWeights(Float32Array.of(1.5, -0.5), 2, 0)).toThrow('[routing]');
    expect(() => checkWeights(Float32Array.of(Number.NaN, 1), 2, 0)).toThrow('[routing]');
    expect(() => checkWeights(Float32Array.of(1), 2, 0)).toThrow('Give 2 that');
  });
});
