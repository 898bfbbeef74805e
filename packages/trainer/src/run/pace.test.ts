import { describe, expect, it } from 'vitest';
import { Pace } from './pace.js';

/** The time left that each lap gives, of laps as [steps, milliseconds]. */
function left(steps: number, laps: readonly (readonly [number, number])[]): (number | undefined)[] {
  let [now, step] = [1000, 0];
  const pace = new Pace(steps, 4, () => now);
  pace.begin(0);
  return laps.map(([count, ms]) => {
    step += count;
    now += ms;
    return pace.lap(step).secondsLeft;
  });
}

describe('the time left', () => {
  it('is not said before five steps in two laps after the first, which compiles', () => {
    const steady = [10, 500] as const; // 50 ms a step
    expect(left(100, [[1, 20_000], steady, steady, steady])).toEqual([undefined, undefined, 79 * 0.05, 69 * 0.05]);
    const slow = [1, 600] as const; // five steps are five laps
    expect(left(10, [slow, slow, slow, slow, slow, slow])).toEqual([
      ...new Array(5).fill(undefined),
      expect.closeTo(4 * 0.6, 9),
    ]);
  });

  it('waits for as long as kernels are still compiled, and counts none of that', () => {
    const compiling = [1, 9000] as const;
    const steady = [10, 500] as const;
    expect(left(100, [compiling, compiling, steady, steady])).toEqual([
      undefined,
      undefined,
      undefined,
      expect.closeTo(78 * 0.05, 9),
    ]);
  });

  it('is kept up once it is known, when the machine becomes slower', () => {
    const steady = [10, 500] as const;
    expect(left(100, [steady, steady, steady, [10, 2000]]).slice(2)).toEqual([70 * 0.05, expect.closeTo(60 * 0.1, 9)]);
  });

  it('is 0 at the end', () => expect(left(3, [[3, 700]])).toEqual([0]));

  it('leaves the speed alone, which is that of the last lap', () => {
    let now = 0;
    const pace = new Pace(10, 4, () => now);
    pace.begin(0);
    now = 500;
    expect(pace.lap(2)).toEqual({ imagesPerSecond: 16 });
  });
});
