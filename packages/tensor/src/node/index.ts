// @paris/tensor/node: what only Node needs: finding an adapter, and starting processes that get it.
export { isSoftware } from '../device/software.js';
export { beginWait } from '../device/wait.js';
export {
  ADAPTER_CHOICES,
  type AdapterChoice,
  type AdapterProbe,
  adapterEnvironment,
  chooseAdapter,
  type Diagnosis,
  describeAdapter,
  doctor,
  probeAdapters,
  type WorkingAdapter,
} from './adapters.js';
export { calmPolling } from './calm-polling.js';
export type { AdapterKind, ProbeSystem } from './candidates.js';
export { endWithThisProcess, spawnWithThisProcess } from './end-with-this-process.js';
export type { AdapterFacts, ProbeOutcome } from './probe-process.js';
export { endOf, type RunOptions, runWithAdapter } from './run.js';
