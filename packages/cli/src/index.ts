// @paris/cli as a library: what the `paris` command does for people, for programs of Node that want the same.
export { describe } from './describe.js';
export { installedParis, type Outcome, type ParisCommand, type RunParisOptions, runParis } from './launch/process.js';
export type { JsonProgress } from './reporter.js';
export {
  contactSheet,
  enlarge,
  type Sampled,
  type SampleOptions,
  type SampleTrace,
  sample,
  type TraceEvaluation,
} from './sample/sample.js';
export {
  endWithParent,
  GpuProcessError,
  type SuperviseOptions,
  signOfLife,
  startedBefore,
  supervise,
} from './supervise.js';
