export { hostTensor, relativeError, type StoredTensor } from './parity.js';
