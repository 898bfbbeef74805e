// A few real kills of the built packages; CI has twenty (PARIS_KILLS), and killed-process.long.testing.ts 200. Kills at every single
// change of a file, without processes, are in killed.test.ts and run/crash.test.ts.
import { expect, it } from 'vitest';
import { killOften, sharesOf } from './killed-process.testing.js';

const all = Number(process.env.PARIS_KILLS ?? 4);

it.each(sharesOf(all))(
  '%s, killed by SIGKILL %i times, leaves the bytes that it leaves undisturbed',
  {
    timeout: 1_800_000,
  },
  async (deed, wanted) => {
    expect((await killOften(deed, wanted)).kills).toBe(wanted);
  },
);
