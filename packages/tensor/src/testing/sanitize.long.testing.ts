// Every op suite, layer, random graph and training step of this package under the sanitizer, with the kernels of a GPU:
// minutes. Fewer samples each than elsewhere, since what is compared is memory, not numbers.
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Sanitized, sanitizedDevice } from './sanitized.testing.js';
import { type Suite, takeSuites } from './suite.js';
import { readFixture, runSuitesInVitest } from './vitest.testing.js';

const sources = fileURLToPath(new URL('..', import.meta.url));
const files = (readdirSync(sources, { recursive: true }) as string[]).filter(
  // Whatever a test file needs of a runner, it imports; these need none.
  (file) => file.endsWith('.test.ts') && !/from '(?:vitest|node:[\w/]+)'/.test(readFileSync(sources + file, 'utf8')),
);
const suites: Suite[] = [];
takeSuites((suite) => suites.push(suite));
for (const file of files) await import(/* @vite-ignore */ `${sources}${file}?sanitized`);
runSuitesInVitest();

let opened: Awaited<ReturnType<typeof sanitizedDevice>>;
beforeAll(async () => {
  opened = await sanitizedDevice('gpu', 32);
});
afterAll(async () => {
  await opened.device.close();
  opened.gpu.destroy();
});

const messages = ({ findings }: Sanitized) => findings.splice(0).map(({ message }) => message);

it('takes all suites', () => expect(suites.length).toBeGreaterThan(15));

it.each(suites.flatMap(({ name, cases }) => cases.map((one) => [name, one.name, one] as const)))(
  '%s: %s',
  async (_suite, _name, one) => {
    const { device } = opened;
    const result = await one.run({ device, fixture: readFixture, brief: true });
    expect(messages(opened)).toEqual([]);
    if ('compared' in result) expect(result.compared).toBeGreaterThan(0);
  },
  1_200_000,
);
