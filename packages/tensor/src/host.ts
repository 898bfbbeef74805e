// @paris/tensor/host: mathematics and random numbers that need no device, bit for bit those of kernels. It loads no op.
export { ValueError } from './errors.js';
export { hostAtan, hostCos, hostExp, hostLog, hostPow, hostSin } from './math/host.js';
export { hostBits, hostNormal, hostPermutation, hostUniform, Key, key } from './random/index.js';
