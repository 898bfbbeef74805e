// Runs in each test process: on two cores, waiting for a software adapter must not cost one of them; and suites that
// name no runner are run by this one.
import { calmPolling } from '@paris/tensor/node';
import { runSuitesInVitest } from '../../../packages/tensor/src/testing/vitest.testing.js';

calmPolling();
runSuitesInVitest();
