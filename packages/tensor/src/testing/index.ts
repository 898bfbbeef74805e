export { type CheckOptions, type CheckReport, checkOp } from './checkOp.js';
export { CheckError, type CheckKind, type Counts, type Tolerance, type WorstElement } from './comparison.js';
export type { EdgeKind, Edges } from './edges.js';
export { type Elements, type InterpretOptions, interpret, type Round } from './interpret.js';
export { hostTensor, relativeError, type StoredTensor } from './parity.js';
export { elementwiseSamples, type OpFixture, type OpSample, oddSizes, sample } from './samples.js';
