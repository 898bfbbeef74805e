import { splitKey } from '../../random/shader/philox.js';
import { type Derivation, derivation } from './derivation.js';

/** The words (u32 [2]) of the i-th key split from a key; see Key.split. */
export const splitWords: Derivation = derivation('splitKey', splitKey);
