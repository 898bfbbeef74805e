export { hostBits, hostNormal, hostPermutation, hostUniform } from './host.js';
export { Key, key } from './key.js';
export { philox4x32 } from './philox.js';
