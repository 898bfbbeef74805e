import type { Device } from '@paris/tensor';
import type { Condition } from '../contracts/condition.js';
import { encodeCaptions, type Vocabulary } from './vocabulary.js';

/** From prompts to what experts take. The caller disposes of the condition's tensors. */
export interface PromptEncoder {
  /** One row for each prompt; `encode([''])` is the unconditional. */
  encode(prompts: readonly string[]): Promise<Condition>;
}

/** Words looked up in a list; unknown ones share an id, and everything beyond `maxTokens` is cut. */
export function wordEncoder(device: Device, { words, maxTokens }: Vocabulary): PromptEncoder {
  return {
    encode: async (prompts) => {
      const ids = encodeCaptions(prompts, words, maxTokens);
      return { kind: 'tokens', ids: device.tensor(ids, { shape: [prompts.length, maxTokens], dtype: 'u32' }) };
    },
  };
}
