// 500 random programs and mutants, on the CPU device and on SwiftShader: the same errors, the same integers, floats within
// WGSL's bounds. More of them: against-dawn.long.testing.ts.
import { expect, it } from 'vitest';
import { requireCapability } from '../../../../tools/test/src/capability.js';
import { checkSeeds, openBoth, type Tally } from './check.testing.js';

const SEEDS = 167;

it('takes and computes random programs as another implementation does', { timeout: 600_000 }, async (context) => {
  const both = await openBoth();
  requireCapability(context, 'adapter', both !== undefined, 'Dawn finds no adapter');
  if (!both) return;
  const tally: Tally = { programs: 0, valid: 0, refused: 0 };
  const found = await checkSeeds(both, 1, SEEDS, tally);
  both.close();
  expect(Object.fromEntries(found)).toEqual({});
  expect(tally.programs).toBe(3 * SEEDS);
  expect(tally.valid).toBeGreaterThan(SEEDS / 3);
  expect(tally.refused).toBeGreaterThan(SEEDS / 3);
});
