export {
  chooseMatmul,
  generateMatmul,
  type MatmulChoice,
  type MatmulShape,
  matmulCandidates,
} from './choose.js';
export type { MatmulOperand, MatmulSpec } from './spec.js';
