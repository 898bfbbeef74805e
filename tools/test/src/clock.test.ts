// Clocks are set, back and forward, while programs run. So `performance.now()` measures how long something took, and what is due; the
// time of day is for people and for what is on a disk. Its uses are listed here, so that a new one is thought about.
import { readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { expect, it } from 'vitest';
import { sourcesBelow } from './files.js';
import { ROOT } from './markdown.js';

const uses: Readonly<Record<string, string>> = {
  'examples/demo/src/demo.ts': 'when a session began, in the ledger',
  'packages/files/src/http/retry-after.ts':
    'a date of a server that does not say its own time, followed for a bounded time',
  'packages/files/src/node/kept-downloads.ts': 'ages of files in days; parts are kept for a day',
  'packages/files/src/node/lock-folder.ts': 'what is young; what is not is watched, not believed',
  'packages/files/src/node/readers.ts': 'ages of marks that name no process of this machine; removed after a day',
  'packages/files/src/node/temporary.ts': 'files of other machines; removed after a day',
  'packages/serve/src/http/items.ts': 'when a picture was made, in an answer',
  'packages/trainer/src/run/log.ts': 'when a line was written',
};

const wallClock = /\bDate\.now\b|\bnew Date\(\)|\bperformance\.timeOrigin\b/;

it('the time of day is asked only where it is meant', () => {
  const inRoot = (path: string) => relative(ROOT, path).split(sep).join('/');
  const files = ['packages', 'examples', 'tools']
    .flatMap((top) => sourcesBelow(join(ROOT, top)))
    .filter((path) => /^\w+\/[^/]+\/src\//.test(inRoot(path)));
  expect(files.length).toBeGreaterThan(500);
  const asking = files.filter((path) => wallClock.test(readFileSync(path, 'utf8')));
  expect(asking.map(inRoot).sort()).toEqual(Object.keys(uses));
});
