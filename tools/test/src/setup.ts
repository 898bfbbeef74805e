// Runs in each test process: on two cores, waiting for a software adapter must not cost one of them.
import { calmPolling } from '@paris/tensor/node';

calmPolling();
