export { hostBits, hostNormal, hostPermutation, hostUniform } from './host.js';
export { Key, key } from './key.js';
