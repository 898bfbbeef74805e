import { expect, it } from 'vitest';
import { summary } from './runner.js';

it('ends with the counts alone, after times, skips and failures', () => {
  const results = [
    { name: 'lint', seconds: 0.31, passed: 1, failed: 0, failures: [], skips: [] },
    {
      name: 'tests',
      seconds: 12,
      passed: 40,
      failed: 1,
      failures: ['a.test.ts: adds'],
      skips: [{ name: 'b.test.ts: f16', reason: 'f16: the adapter has no shader-f16' }],
    },
  ];
  const { text, failed } = summary(results, 11.8);
  expect(failed).toBe(1);
  expect(text.split('\n')).toEqual([
    '',
    'part       time   passed   failed  skipped',
    'lint      0.3 s        1        0        0',
    'tests    12.0 s       40        1        1',
    'total    11.8 s',
    '',
    'Skipped:',
    '  tests: b.test.ts: f16: f16: the adapter has no shader-f16',
    '',
    'Failed:',
    '  tests: a.test.ts: adds',
    '',
    '41 passed, 1 failed, 1 skipped',
  ]);
});
