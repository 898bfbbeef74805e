export { chooseMatmul, generateMatmul, type MatmulChoice, type MatmulShape } from './choose.js';
export type { MatmulOperand, MatmulSpec } from './spec.js';
