export { type AttentionKernel, attentionCandidates, chooseAttention } from './choose.js';
export { type AttentionChoice, attentionBackwardKey, attentionBackwardQuery, attentionForward } from './kernels.js';
export type {
  AttentionElement,
  AttentionForwardSpec,
  AttentionKeySpec,
  AttentionOperand,
  AttentionProblem,
  AttentionQuerySpec,
  AttentionRow,
} from './spec.js';
