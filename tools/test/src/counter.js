// What a part of `npm test` counts itself: passed, failed, and skipped with a reason, for the runner's table.
import { writeFileSync } from 'node:fs';

export class Counter {
  passed = 0;
  /** @type {string[]} */
  failures = [];
  /** @type {import('./runner.js').Skip[]} */
  skips = [];

  /** Counts a check that passed. @param {string} [text] is shown */
  pass(text) {
    this.passed += 1;
    if (text) console.log(text);
  }

  /** @param {string} name @param {string} why */
  fail(name, why) {
    this.failures.push(name);
    console.error(`✗ ${name}: ${why}`);
  }

  /**
   * Counts a check that this machine cannot make; a failure if PARIS_REQUIRE names what it lacks.
   * @param {string} name @param {import('./capability.js').Capability} capability @param {string} reason
   */
  skip(name, capability, reason) {
    const required = (process.env.PARIS_REQUIRE ?? '').split(',').map((one) => one.trim());
    if (required.includes(capability)) this.fail(name, `PARIS_REQUIRE names ${capability}, but ${reason}`);
    else {
      this.skips.push({ name, reason: `${capability}: ${reason}` });
      console.log(`- ${name} skipped: ${capability}: ${reason}`);
    }
  }

  /** Ends the part. One that checked nothing has failed, since it proves nothing. */
  end() {
    const { passed, failures, skips } = this;
    if (passed + failures.length + skips.length === 0) this.fail('everything', 'nothing was checked');
    console.log(`${passed} passed, ${failures.length} failed, ${skips.length} skipped`);
    const file = process.env.PARIS_TEST_COUNTS;
    if (file) writeFileSync(file, JSON.stringify({ passed, failed: failures.length, failures, skips }));
    process.exitCode = failures.length > 0 ? 1 : 0;
  }
}
