// Runs every suite in a runtime that has WebGPU and nothing else. Bundled by bundle.js, for Deno and for browsers.

import fixtures from 'virtual:fixtures';
import { openDevice } from '@paris/tensor';
import { type CaseOutcome, runSuites, type Suite, takeSuites } from '../../../../packages/tensor/src/testing/suite.js';

export interface RunOptions {
  /** Fewer samples of everything. */
  readonly brief: boolean;
  /** The platform's WebGPU, or the CPU. */
  readonly require: 'webgpu' | 'cpu';
  report(outcome: CaseOutcome): void;
}

/** Gives the adapter's name. */
async function runEverything({ brief, require, report }: RunOptions): Promise<string> {
  const suites: Suite[] = [];
  takeSuites((suite) => suites.push(suite));
  await import('virtual:suites');
  const device = await openDevice({ require });
  const fixture = <T>(path: string): T => {
    const stored = fixtures[path];
    if (stored === undefined) throw new Error(`there is no fixture ${path}`);
    return stored as T;
  };
  await runSuites(suites, { device, fixture, brief }, report);
  await device.close();
  return device.info.adapter;
}

Object.assign(globalThis, { runEverything });
