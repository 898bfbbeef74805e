// A vitest reporter that writes what the runner counts, into the file that PARIS_TEST_COUNTS names. Vitest's own JSON
// leaves out why a test was skipped.
import { writeFileSync } from 'node:fs';
import { relative } from 'node:path';

export default class CountsReporter {
  /**
   * @param {readonly import('vitest/node').TestModule[]} modules
   * @param {readonly import('vitest/node').SerializedError[]} errors
   */
  onTestRunEnd(modules, errors) {
    let passed = 0;
    /** @type {import('./runner.js').Skip[]} */
    const skips = [];
    const failures = errors.map((error) => `outside of any test: ${error.message}`);
    for (const module of modules) {
      const file = relative(process.cwd(), module.moduleId);
      for (const error of module.errors()) failures.push(`${file}: ${error.message}`);
      for (const suite of module.children.allSuites()) {
        for (const error of suite.errors()) failures.push(`${file}: ${suite.fullName}: ${error.message}`);
      }
      for (const test of module.children.allTests()) {
        const result = test.result();
        const name = `${file}: ${test.fullName}`;
        if (result.state === 'passed') passed += 1;
        else if (result.state === 'failed') failures.push(name);
        else if (result.state === 'skipped' && result.note) skips.push({ name, reason: result.note });
        else failures.push(`${name} did not run, and no reason is given`);
      }
    }
    // The vitest configuration leaves there what it chose.
    const adapter = process.env.PARIS_ADAPTER;
    const counts = { passed, failed: failures.length, failures, skips, adapter };
    writeFileSync(String(process.env.PARIS_TEST_COUNTS), JSON.stringify(counts));
  }
}
