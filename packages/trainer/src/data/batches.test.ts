import { describe, expect, it } from 'vitest';
import { type BatchDraw, BatchDrawer, initKey, runKey } from './batches.js';

const spec = { count: 10, batchSize: 4, conditionDropout: 0.25 };
const plain = (draw: BatchDraw) => ({
  ...draw,
  indices: [...draw.indices],
  times: [...draw.times],
  noise: draw.noise.words,
});

describe('BatchDrawer', () => {
  it('is a pure function of the step: in any order, from any start', () => {
    const forwards = new BatchDrawer(runKey(1, 3), spec);
    const all = Array.from({ length: 12 }, (_, step) => plain(forwards.draw(step)));
    const late = new BatchDrawer(runKey(1, 3), spec);
    expect(plain(late.draw(11))).toEqual(all[11]);
    expect(plain(late.draw(2))).toEqual(all[2]);
    expect(new Set(all.map((draw) => draw.noise.join())).size).toBe(12);
  });

  it('shows each picture once an epoch, in another order each time', () => {
    const drawer = new BatchDrawer(runKey(0, 0), spec);
    const seen = Array.from({ length: 5 }, (_, step) => [...drawer.draw(step).indices]).flat();
    const epochs = [seen.slice(0, 10), seen.slice(10)];
    for (const epoch of epochs) expect([...epoch].sort((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(epochs[0]).not.toEqual(epochs[1]);
  });

  it('differs between seeds, clusters and the router', () => {
    const keys = [runKey(0, 0), runKey(1, 0), runKey(0, 1), runKey(0, 'router')];
    const draws = keys.map((run) => [...new BatchDrawer(run, spec).draw(0).times].join());
    expect(new Set(draws).size).toBe(4);
    expect(new Set(keys.map((run) => initKey(run).words.join())).size).toBe(4);
  });

  it('draws times uniformly in [0, 1) and drops captions as often as asked', () => {
    const drawer = new BatchDrawer(runKey(7, 2), { count: 100, batchSize: 100, conditionDropout: 0.1 });
    const draws = Array.from({ length: 100 }, (_, step) => drawer.draw(step));
    const times = draws.flatMap((draw) => [...draw.times]);
    const dropped = draws.flatMap((draw) => draw.dropped).filter(Boolean).length / 10_000;
    expect(Math.min(...times)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...times)).toBeLessThan(1);
    for (let decile = 0; decile < 10; decile++) {
      const share = times.filter((t) => Math.floor(t * 10) === decile).length / times.length;
      expect(Math.abs(share - 0.1)).toBeLessThan(0.012); // 4 standard errors of a share of 0.1 in 10,000
    }
    expect(Math.abs(dropped - 0.1)).toBeLessThan(0.012);
    expect(new BatchDrawer(runKey(7, 2), { ...spec, conditionDropout: 0 }).draw(0).dropped).toEqual([
      false,
      false,
      false,
      false,
    ]);
  });

  it('works where a batch is larger than the folder', () => {
    const draw = new BatchDrawer(runKey(0, 0), { count: 3, batchSize: 7, conditionDropout: 0 }).draw(0);
    const counts = [0, 1, 2].map((row) => draw.indices.filter((index) => index === row).length);
    expect(counts.reduce((a, b) => a + b)).toBe(7);
    expect(Math.min(...counts)).toBeGreaterThanOrEqual(2);
  });
});

describe('rows that are lost', () => {
  const lost = { files: '10', has: (row: number) => row >= 10 && row < 14 };

  it('are replaced by any of the others, which keep their turns', () => {
    const drawer = new BatchDrawer(runKey(1, 2), { count: 20, batchSize: 8, conditionDropout: 0.5 });
    const counts = new Map<number, number>();
    let replaced = 0;
    for (let step = 0; step < 500; step++) {
      const [whole, without] = [drawer.draw(step), drawer.draw(step, lost)];
      const gone = [...whole.indices.keys()].filter((i) => lost.has(whole.indices[i]!));
      expect(without.replaced).toBe(gone.length);
      replaced += gone.length;
      for (const [i, row] of without.indices.entries()) {
        if (!gone.includes(i)) expect(row).toBe(whole.indices[i]);
        else counts.set(row, (counts.get(row) ?? 0) + 1);
      }
      expect({ ...without, indices: 0, replaced: 0 }).toEqual({ ...whole, indices: 0, replaced: 0 });
    }
    expect(replaced).toBe((500 * 8 * 4) / 20);
    expect([...counts.keys()].sort((a, b) => a - b)).toEqual([...Array(10).keys(), 14, 15, 16, 17, 18, 19]);
    for (const count of counts.values()) expect(Math.abs(count - 50)).toBeLessThan(5 * Math.sqrt(50)); // 800 / 16 of each
  });

  it('depend on the step and what is lost, not on what was drawn before', () => {
    const spec = { count: 20, batchSize: 8, conditionDropout: 0 };
    const more = { files: '10,0', has: (row: number) => lost.has(row) || row < 4 };
    const [one, other] = [new BatchDrawer(runKey(1, 2), spec), new BatchDrawer(runKey(1, 2), spec)];
    one.draw(3, more);
    one.draw(7, lost);
    expect(one.draw(5, more).indices).toEqual(other.draw(5, more).indices);
    expect([...one.draw(5, more).indices].some((row) => more.has(row))).toBe(false);
  });
});
