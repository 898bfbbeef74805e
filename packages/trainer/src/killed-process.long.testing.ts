// 200 real kills: npm run build, then npm run test:long -- killed-process. PARIS_KILLS takes another number of them; CI has 20.
// Kills at every single change of a file, without processes, are in killed.test.ts and run/crash.test.ts.
import { expect, it } from 'vitest';
import { killOften, sharesOf } from './killed-process.testing.js';

const all = Number(process.env.PARIS_KILLS ?? 200);

it.each(sharesOf(all))('%s, killed %i times', { timeout: 0 }, async (deed, wanted) => {
  const seed = Date.now() % 2 ** 31; // other moments each time
  const { kills, done } = await killOften(deed, wanted, seed);
  console.log(`${deed}: ${kills} kills, ${done} times done, each with the undisturbed bytes (seed ${seed})`);
  expect(kills).toBe(wanted);
});
