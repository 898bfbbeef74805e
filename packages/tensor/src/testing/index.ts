export { type CheckOptions, type CheckReport, checkOp } from './check-op/check-op.js';
export { CheckError, type CheckKind, type Counts, type Tolerance, type WorstElement } from './check-op/comparison.js';
export type { EdgeKind, Edges } from './check-op/edges.js';
export { drawnExponent, drawnHalves, drawnNumbers } from './drawn.js';
export { type Elements, type InterpretOptions, interpret, type Round } from './interpret.js';
export { halfWeightError, hostTensor, relativeError, type StoredTensor } from './parity.js';
export { elementwiseSamples, type OpFixture, type OpSample, oddSizes, sample } from './samples.js';
export { type KernelFamily, kernelFamilies } from './self-test/families.js';
export { type FamilyResult, type SelfTestOptions, type SelfTestReport, selfTest } from './self-test/self-test.js';
