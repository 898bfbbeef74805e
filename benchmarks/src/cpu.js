// Counts the calls to @paris/cpu, which needs no place in `navigator`: ours finds it.
import { createGpu } from '@paris/cpu';
import { countOn } from './counts.js';

await countOn(await createGpu({ threads: 1 }).requestAdapter());
