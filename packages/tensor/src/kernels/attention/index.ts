export { attentionBackwardKey, attentionBackwardQuery } from './backward.js';
export { type AttentionKernel, chooseAttention } from './choose.js';
export { attentionForward } from './forward.js';
export type {
  AttentionElement,
  AttentionForwardSpec,
  AttentionKeySpec,
  AttentionOperand,
  AttentionProblem,
  AttentionQuerySpec,
  AttentionRow,
  AttentionTile,
} from './spec.js';
