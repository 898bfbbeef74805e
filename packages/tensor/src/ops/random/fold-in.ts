import { foldInKey } from '../../random/shader/philox.js';
import { type Derivation, derivation } from './derivation.js';

/** The words (u32 [2]) of the key of `index`; see Key.foldIn. */
export const foldIn: Derivation = derivation('foldIn', foldInKey);
