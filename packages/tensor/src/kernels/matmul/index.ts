export { chooseMatmul, generateMatmul, type MatmulChoice, type MatmulShape } from './choose.js';
export { type MatmulOperand, type MatmulSpec, splitContraction } from './spec.js';
