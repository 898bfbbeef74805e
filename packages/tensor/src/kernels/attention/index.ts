export { attentionCandidates, chooseAttention } from './choose.js';
export { type AttentionChoice, generateAttention } from './kernels.js';
export type { AttentionKernel, AttentionSpec } from './spec.js';
