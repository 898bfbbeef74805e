// Checks that know no test runner: lists of functions. Vitest takes them through vitest.testing.ts; under Deno and in a
// browser a loop does (tools/test/src/runtimes). A test file that imports no runner runs in all of them.
import type { Device } from '../device/device.js';

/** What a case is given. */
export interface SuiteContext {
  readonly device: Device;
  /** Stored reference values, by their path from packages/tensor/fixtures without `.json`. */
  fixture<T>(path: string): T;
  /** Where time is short: fewer samples of everything. */
  readonly brief: boolean;
}

/** How many values a case compared; or what it lacks here, and why it must therefore be skipped. */
export type CaseResult = { readonly compared: number } | { readonly lacks: 'f16'; readonly reason: string };

export interface SuiteCase {
  readonly name: string;
  /** Throws where something is not as it should be. */
  run(context: SuiteContext): Promise<CaseResult>;
}

export interface Suite {
  readonly name: string;
  readonly cases: readonly SuiteCase[];
}

let taker: ((suite: Suite) => void) | undefined;

/** Set by a runner, before test files are loaded. */
export function takeSuites(take: (suite: Suite) => void): void {
  taker = take;
}

/** Hands a suite to the runner. */
export function declareSuite(suite: Suite): void {
  if (!taker) throw new Error(`[suite] nobody runs ${suite.name}. Call takeSuites() before test files are loaded.`);
  taker(suite);
}

/** What came of a case. */
export interface CaseOutcome {
  readonly suite: string;
  readonly name: string;
  readonly state: 'passed' | 'failed' | 'skipped';
  readonly compared: number;
  /** Why it failed or was skipped. */
  readonly reason: string;
  readonly lacks?: string;
}

/** Runs suites one after the other; a case that compared nothing has failed. */
export async function runSuites(
  suites: readonly Suite[],
  context: SuiteContext,
  report: (outcome: CaseOutcome) => void,
): Promise<void> {
  for (const { name: suite, cases } of suites) {
    for (const { name, run } of cases) {
      const outcome = { suite, name, state: 'passed', compared: 0, reason: '' } as const;
      try {
        const result = await run(context);
        if ('lacks' in result) report({ ...outcome, ...result, state: 'skipped' });
        else if (result.compared > 0) report({ ...outcome, ...result });
        else report({ ...outcome, state: 'failed', reason: 'nothing was compared' });
      } catch (error) {
        report({
          ...outcome,
          state: 'failed',
          reason: error instanceof Error ? (error.stack ?? error.message) : `${error}`,
        });
      }
    }
  }
}
