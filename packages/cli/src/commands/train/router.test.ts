// How many pictures a router learns from without their condition, as it is typed.
import { expect, it } from 'vitest';
import { routerDropout, routerStart, trainRouterCommand } from './router.js';

async function dropoutOf(...args: string[]): Promise<number | undefined> {
  let dropout: number | undefined;
  const command = trainRouterCommand().exitOverride();
  command.action((_, flags) => {
    dropout = routerDropout(flags);
  });
  await command.parseAsync(['data', '--out', 'runs', ...args], { from: 'user' });
  return dropout;
}

it.each([
  [[], 0],
  [['--dropout', '0.5'], 0],
  [['--condition', 'words'], 0.1],
  [['--condition', 'words', '--dropout', '0.5'], 0.5],
  // What the old router reads decides.
  [['--from', 'old'], 0.1],
  [['--from', 'old', '--dropout', '0.5'], 0.5],
])('%j drops conditions of a share of %d', async (args, share) => {
  expect(await dropoutOf(...args)).toBe(share);
});

it('refuses what of an old router is trained where there is none', () => {
  expect(routerStart({ learns: 'head' })).toBeUndefined();
  expect(routerStart({ from: 'old', learns: 'all' })).toMatchObject({ learns: 'all' });
  expect(() => routerStart({ learns: 'all' })).toThrow(
    '--learns says what of an old router is trained. Give that, too',
  );
});
