// Counts the outcomes of cases that ran in another process or page.

/** @param {import('../counter.js').Counter} counter @param {string} where */
export function count(counter, where) {
  let compared = 0;
  return {
    /** @param {import('../../../../packages/tensor/src/testing/suite.js').CaseOutcome} outcome */
    outcome({ suite, name, state, reason, lacks, compared: values }) {
      compared += values;
      const full = `${where}: ${suite}: ${name}`;
      if (state === 'passed') counter.pass();
      else if (state === 'failed') counter.fail(full, reason);
      else counter.skip(full, /** @type {import('../capability.js').Capability} */ (lacks), reason);
    },
    summary: () => `${compared} values compared`,
  };
}
