export {
  type AttentionChoice,
  type AttentionKernel,
  attentionBackwardKey,
  attentionBackwardQuery,
  attentionCandidates,
  attentionForward,
  chooseAttention,
} from './choose.js';
export type {
  AttentionElement,
  AttentionForwardSpec,
  AttentionKeySpec,
  AttentionOperand,
  AttentionProblem,
  AttentionQuerySpec,
  AttentionRow,
} from './spec.js';
