// The sanitizer: scalar mode with a watch on every access, for `createGpu({ sanitize })`. Loaded only when it is asked for.
import type { Sanitizer } from '../gpu/compiler.js';
import type { SanitizeOptions } from '../gpu/gpu.js';
import { watchedKernel } from './kernel.js';
import type { Parts } from './parts.js';
import { WatchedRunner } from './runner.js';

export function createSanitizer({ seed = 0, subgroupSize = 32, onFinding }: SanitizeOptions, parts: Parts): Sanitizer {
  return {
    subgroupSize,
    compile: (program, { code, label }) => watchedKernel(program, parts, { subgroupSize, code, label }),
    makeRunner: (hooks) => new WatchedRunner(hooks, parts, { seed, onFinding }),
  };
}
