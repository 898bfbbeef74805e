// Vitest runs the suites that name no runner. Loaded by each test process before its test file.
import { readFileSync } from 'node:fs';
import { requireCapability } from '@paris/test-tools';
import { describe, expect, it } from 'vitest';
import { brief } from './brief.testing.js';
import { type Suite, takeSuites } from './suite.js';
import { useDevice } from './use-device.testing.js';

/** Kernels compile slowly from a cold shader cache on a busy machine. */
const timeoutMs = 900_000;

export function runSuitesInVitest(): void {
  takeSuites(runInVitest);
}

function runInVitest({ name, cases }: Suite): void {
  describe(name, () => {
    const device = useDevice();
    for (const one of cases) {
      it(
        one.name,
        async (context) => {
          const result = await one.run({ device: device(context), fixture: readFixture, brief });
          if ('lacks' in result) requireCapability(context, result.lacks, false, result.reason);
          else expect(result.compared).toBeGreaterThan(0);
        },
        timeoutMs,
      );
    }
  });
}

/** Reads packages/tensor/fixtures/<path>.json. */
export function readFixture<T>(path: string): T {
  return JSON.parse(readFileSync(new URL(`../../fixtures/${path}.json`, import.meta.url), 'utf8')) as T;
}
